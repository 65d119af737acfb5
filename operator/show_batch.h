/* A batch in words, in a bar, and in JSON. */
#ifndef OPERATOR_SHOW_BATCH_H
#define OPERATOR_SHOW_BATCH_H

#include "operator/session.h"
#include "protocol/batch.h"

/* The lines of `dugnad status BATCH`. */
void show_batch(struct session *session, const struct batch_status *status);

/*
 * "[#####!x...] b: 12 of 40 accepted …", failed as '!', cancelled as 'x'; without its end, and one
 * short of so many columns: what a terminal has wrapped, drawing anew does not take back.
 */
void show_bar(FILE *out, const struct batch_status *status, int columns);

/* "12 of 40 accepted …": one line without its end, for pipes and logs. */
void show_counts(FILE *out, const struct batch_status *status);

/* How it ended, in a sentence with its end. */
void show_ending(struct session *session, const struct batch_status *status);

#endif
