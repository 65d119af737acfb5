/* env_real()'s output_that_never_waits(): see common/base/env.h. */
#ifndef COMMON_ENV_OUTPUT_H
#define COMMON_ENV_OUTPUT_H

#include "common/base/env.h"

int output_that_never_waits(struct env *env, int descriptor);

#endif
