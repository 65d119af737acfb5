/*
 * Where an operator runs units himself: a folder of the profile, in which the files of a unit are
 * put together as a volunteer's client does, and the signed program runs as it does there, in the
 * same sandbox. Nothing runs that the project did not sign, or has revoked.
 *
 *   audit/files/<hex>   the app's files, fetched once
 *   audit/slots/<n>/    of a unit that runs; its outputs are copied to
 *   audit/spool/
 *
 * All of it goes when the workshop closes; what a cut left behind, when the next one opens.
 *
 * Several units may run at a time, each in a slot. They are looked at by workshop_look(), which is
 * called here too whatever takes long (the session's `meanwhile`), for their limits are held then.
 */
#ifndef OPERATOR_WORKSHOP_H
#define OPERATOR_WORKSHOP_H

#include "operator/profile.h"
#include "operator/supply.h"
#include "protocol/apps.h"
#include "sandbox/collect.h"
#include "sandbox/launcher.h"
#include "sandbox/verify.h"

#define WORKSHOP_SLOTS_MAX 264

struct workshop_slot {
    struct disk_path folder;
    struct running_task *task; /* owned; NULL: nothing runs here */
    bool has_ended;            /* `outcome` is of what ran last */
    struct run_outcome outcome;
};

struct workshop {
    struct profile *profile;    /* borrowed */
    const struct envelope *app; /* borrowed; the app version's */
    struct launcher *launcher;  /* owned */
    struct disk_path folder;
    struct workshop_slot *slots; /* owned */
    size_t slot_count;
    struct supply supply;   /* into which slots' folders files are on their way */
    int64_t looked_mono_ms; /* when at all of them */
    struct disk_file *lock; /* owned */
    struct apps listed;     /* owned; the app version's variants, as the site shows them */
};

/*
 * With so many slots, 1..WORKSHOP_SLOTS_MAX; it must not move while it is open.
 * STATUS_BUSY, code SESSION_HELD: another command of this profile has it open. Others: of the way
 * to the site, or the sandbox cannot be had here.
 */
enum status workshop_open(struct workshop *ret_workshop, struct profile *profile,
                          const struct envelope *app, size_t slot_count, struct error *err)
    MUST_USE;

/* What runs is killed. For CLEANUP(), too. */
void workshop_close(struct workshop *workshop);

/* What all units here may have together; INT64_MAX: it is not known. */
int64_t workshop_memory(const struct workshop *workshop);

/*
 * Everything that is signed about a unit, checked, and the program of its app that can run here.
 * Otherwise `err` says why there is none.
 */
enum refusal workshop_prepare(const struct workshop *workshop, const struct envelope *unit,
                              struct prepared *ret_prepared, struct error *err) MUST_USE;

/*
 * A class that accepted tasks of the unit may have been of, other than that of the program
 * prepared: what these computed may honestly differ. Only what the project signed counts.
 */
bool workshop_has_other_class(const struct workshop *workshop, const struct prepared *prepared,
                              struct word *ret_class);

/*
 * Begin to bring all its files into the slot, in which nothing runs; `prepared` is borrowed until
 * supply_end() of it, which says how that went. STATUS_UNTRUSTED: the site sent other bytes than
 * were signed. STATUS_NOT_FOUND, was_refused: it has a file no more.
 */
enum status workshop_fill(struct workshop *workshop, size_t slot, const struct prepared *prepared,
                          struct error *err) MUST_USE;

/* Start the program in its slot, which was filled. On a failure nothing runs in it. */
enum status workshop_start(struct workshop *workshop, size_t slot, const struct prepared *prepared,
                           struct error *err) MUST_USE;

/* Look at all that runs: has_ended of its slot says what does no more. */
void workshop_look(struct workshop *workshop);

/* An output of what ended in the slot. */
enum status workshop_collect(struct workshop *workshop, size_t slot,
                             const struct app_output *output, struct collected *ret_collected,
                             struct error *err) MUST_USE;

/* Remove what is in the slot, in which nothing runs. */
enum status workshop_empty(struct workshop *workshop, size_t slot, struct error *err) MUST_USE;

#endif
