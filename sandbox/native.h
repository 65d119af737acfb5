/* What native.c and its probe share. */
#ifndef SANDBOX_NATIVE_H
#define SANDBOX_NATIVE_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox/keeper.h"

/* Memory that this process and a keeper share; NULL: there is none. Zeroed. */
struct keeper_note *native_note_new(void);
void native_note_free(struct keeper_note *note);
DEFINE_CLEANUP(struct keeper_note *, native_note_free)

/*
 * Fork a process that runs `run` (keeper_main or keeper_probe) with all signals blocked, in the
 * namespaces of the preparation's layers. As fork_raw().
 */
pid_t native_fork(void (*run)(const struct preparation *preparation, struct keeper_note *note),
                  const struct preparation *preparation, struct keeper_note *note, int *ret_pidfd);

/* Which of the wanted layers does this machine have? Tries them: a few ms. 0: it cannot even fork.
 */
uint32_t native_probe(uint32_t wanted);

#endif
