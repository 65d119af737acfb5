/*
 * What the control verbs say to a daemon, one JSON object a line:
 *
 *     {"verb": "status"}
 *     {"verb": "pause"}   {"verb": "resume"}
 *     {"verb": "attach", "record": <project.json>, "trust": <trust.json>}
 *     {"verb": "detach", "project": name, URL or id, "how": "hand-back", "finish" or "forget",
 *      "wait_s"}
 *
 * and its answer: {"ok": true, …} or {"ok": false, "why": words}. That of detach names the project
 * by its id: it is left once `status` does not list it any more. Where no daemon runs, the verbs do
 * the same to the data folder under its lock, through a daemon of their own that does nothing but
 * take leave of a project, for `wait_s` seconds at most; a daemon that runs needs no such bound.
 */
#ifndef CLIENT_CONTROL_VERBS_H
#define CLIENT_CONTROL_VERBS_H

#include <jansson.h>

#include "client/state/records.h"
#include "work-units/trust.h"

#define VERBS_REQUEST_MAX (2 * 1024 * 1024)
#define VERBS_ANSWER_MAX  (16 * 1024 * 1024)

enum detach_how {
    DETACH_HAND_BACK, /* report, hand back what is not finished, then forget */
    DETACH_FINISH,    /* the same, but what was started may finish */
    DETACH_FORGET,    /* at once, whatever stays behind */
};

struct detach_order {
    const char *project; /* name, URL or id */
    enum detach_how how;
    int64_t wait_s;
};

#define DETACH_WAIT_MAX_S 86400

/* DETACH_FORGET + 1: none. */
enum detach_how detach_how_from_name(const char *name);

/* New references, never NULL. */
json_t *verb_plain(const char *verb);
json_t *verb_attach(const struct project_record *record, const struct trust *trust);
json_t *verb_detach(const struct detach_order *order);

json_t *answer_ok(void);
json_t *answer_failure(const struct error *err);

/* False, with the words of the answer in `err`: it says no, or is no answer. */
bool answer_is_ok(json_t *answer, struct error *err);

#endif
