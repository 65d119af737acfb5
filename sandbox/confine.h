/*
 * The layers at work. Called between fork and exec: nothing here allocates, locks or prints.
 * Each layer may act in three places: in the flags of the keeper's clone, in the keeper before the
 * app's first process is made, and in that process just before exec.
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include <stdint.h>

#include "sandbox/preparation.h"

/* The CLONE_NEW… flags for the namespaces among these layers. */
uint64_t confine_namespaces(uint32_t layers);

/*
 * Apply the layers of `preparation` in the order they need. Returns the first layer that failed,
 * errno saying why; LAYER_COUNT: none did. With `failed` not NULL it goes on after a failure and
 * adds every layer that failed there.
 */
enum layer confine_keeper(const struct preparation *preparation, uint32_t *failed);
enum layer confine_task(const struct preparation *preparation, uint32_t *failed);

#endif
