/*
 * Where an operator runs units himself: a folder of the profile, in which the files of a unit are
 * put together as a volunteer's client does, and the signed program runs as it does there, in the
 * same sandbox. Nothing runs that the project did not sign, or has revoked.
 *
 *   audit/files/<hex>   the app's files, fetched once
 *   audit/slot/         of the unit that runs; its outputs are copied to
 *   audit/spool/
 *
 * All of it goes when the workshop closes; what a cut left behind, when the next one opens.
 */
#ifndef OPERATOR_WORKSHOP_H
#define OPERATOR_WORKSHOP_H

#include "operator/profile.h"
#include "protocol/apps.h"
#include "sandbox/collect.h"
#include "sandbox/launcher.h"
#include "sandbox/verify.h"

struct workshop {
    struct profile *profile;    /* borrowed */
    const struct envelope *app; /* borrowed; the app version's */
    struct launcher *launcher;  /* owned */
    struct disk_path folder, slot;
    struct disk_file *lock; /* owned */
    struct apps listed;     /* owned; the app version's variants, as the site shows them */
};

/*
 * STATUS_BUSY, code SESSION_HELD: another command of this profile has it open. Others: of the way
 * to the site, or the sandbox cannot be had here.
 */
enum status workshop_open(struct workshop *ret_workshop, struct profile *profile,
                          const struct envelope *app, struct error *err) MUST_USE;
void workshop_close(struct workshop *workshop); /* for CLEANUP(), too */

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
 * Fill the slot, and run the program to its end. STATUS_UNTRUSTED: the site sent other bytes than
 * were signed. STATUS_NOT_FOUND, session->was_refused: it has a file no more. In any case nothing
 * runs afterwards.
 */
enum status workshop_run(struct workshop *workshop, const struct prepared *prepared,
                         struct run_outcome *ret_outcome, struct error *err) MUST_USE;

/* An output of what ran last. */
enum status workshop_collect(struct workshop *workshop, const struct app_output *output,
                             struct collected *ret_collected, struct error *err) MUST_USE;

#endif
