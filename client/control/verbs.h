/*
 * What the control verbs say to a daemon, one JSON object a line:
 *
 *     {"verb": "status"}
 *     {"verb": "pause"}   {"verb": "resume"}
 *     {"verb": "attach", "record": <project.json>, "trust": <trust.json>}
 *     {"verb": "detach", "project": name, URL or id, "force": boolean}
 *
 * and its answer: {"ok": true, …} or {"ok": false, "why": words}. Where no daemon runs, the verbs
 * do the same to the data folder under its lock, through a daemon of their own that is never
 * stepped.
 */
#ifndef CLIENT_CONTROL_VERBS_H
#define CLIENT_CONTROL_VERBS_H

#include <jansson.h>

#include "client/state/records.h"
#include "work-units/trust.h"

#define VERBS_REQUEST_MAX (2 * 1024 * 1024)
#define VERBS_ANSWER_MAX  (16 * 1024 * 1024)

/* New references, never NULL. */
json_t *verb_plain(const char *verb);
json_t *verb_attach(const struct project_record *record, const struct trust *trust);
json_t *verb_detach(const char *project, bool force);

json_t *answer_ok(void);
json_t *answer_failure(const struct error *err);

/* False, with the words of the answer in `err`: it says no, or is no answer. */
bool answer_is_ok(json_t *answer, struct error *err);

#endif
