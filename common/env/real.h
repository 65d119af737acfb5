/* The real world behind struct env. Only a program's main.c includes this. */
#ifndef COMMON_ENV_REAL_H
#define COMMON_ENV_REAL_H

#include "common/base/disk.h"
#include "common/base/env.h"

/* One for the whole process; threads may share it. */
struct env *env_real(void);

/* The disk that env_real() carries. */
struct disk *disk_real(void);

#endif
