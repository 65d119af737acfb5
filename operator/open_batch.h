/* The batch that a submission belongs to: a new one, or one that goes on. */
#ifndef OPERATOR_OPEN_BATCH_H
#define OPERATOR_OPEN_BATCH_H

#include "operator/apps.h"
#include "operator/batch_record.h"
#include "operator/submission.h"

/*
 * Into a cleared record and app. Of no name, or of a new one: a batch of the newest version of the
 * app, recorded. Of a name that this profile knows: the same submission again, that was cut short,
 * or more units for --append, with the app version that the batch began with. STATUS_CONFLICT: it
 * is another submission's, or another app's.
 */
enum status open_batch(struct profile *profile, const struct submission *submission,
                       struct batch_record *record, struct known_app *app, struct error *err)
    MUST_USE;

/*
 * At the site, unless it is there; ret_known: how many units of this submission it has, from an
 * earlier attempt. STATUS_CONFLICT: it has lost units of earlier ones since open_sent_batch().
 */
enum status create_batch(struct profile *profile, const struct submission *submission,
                         const struct batch_record *record, int64_t *ret_known, struct error *err)
    MUST_USE;

/*
 * Is it a submission that came to its end before, by its name and its command line? Then the record
 * and app are filled, else they stay cleared. More units for --append are never that; nor is what
 * the site lacks (it was restored from an older copy): open_batch() then goes on with it.
 * STATUS_CONFLICT: the site lacks units that another submission has to send first.
 */
enum status open_sent_batch(struct profile *profile, const struct submission *submission,
                            struct batch_record *record, struct known_app *app, bool *ret_is_sent,
                            struct error *err) MUST_USE;

/*
 * Are the source's units those that a sent batch lists, all of them? STATUS_CONFLICT says what
 * differs. submission_settle() was called.
 */
enum status compare_sent_batch(struct profile *profile, const struct submission *submission,
                               const struct batch_record *record, struct unit_source *source,
                               int64_t *ret_units, struct error *err) MUST_USE;

#endif
