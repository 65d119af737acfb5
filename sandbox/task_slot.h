/*
 * What lies in the slot folder of a task before it runs, and how its program is started there:
 * where a volunteer's client runs it, and where an operator runs it once more to see whether the
 * same comes of it.
 */
#ifndef SANDBOX_TASK_SLOT_H
#define SANDBOX_TASK_SLOT_H

#include "common/base/disk.h"
#include "sandbox/launcher.h"
#include "sandbox/verify.h"

/* Borrowed from what was prepared. */
struct slot_file {
    const char *name;
    struct digest digest;
    int64_t size;
    unsigned mode;     /* nothing in the slot is to be written to, but what the task makes */
    const char *bytes; /* of an inline input; NULL: it has to be fetched */
};

/* Files of the app first, then inputs. False: there are no more. */
bool task_slot_file(const struct prepared *prepared, size_t index, struct slot_file *ret_file);

/* How it is started. `spec` points into the rest, which therefore must not move. */
struct task_command {
    struct disk_path executable;
    const char *arguments[RUN_MAX_ARGUMENTS + 1];
    const char *environment[RUN_MAX_ENVIRONMENT + 1];
    char *owned[WORK_UNIT_VARIABLES_MAX + 2]; /* of the environment, all of it */
    size_t owned_count;
    struct run_spec spec;
};

/*
 * With the unit's arguments after the variant's, its variables, DUGNAD_SEED and DUGNAD_CORES, and
 * its limits. `prepared` and `slot` are borrowed until task_command_clear().
 */
enum status task_command_make(struct task_command *ret_command, const struct prepared *prepared,
                              const char *slot, struct error *err) MUST_USE;
void task_command_clear(struct task_command *command); /* for CLEANUP(), too */

#endif
