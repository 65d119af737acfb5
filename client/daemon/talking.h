/*
 * Talking with a project: first contact, enrolment, visits and bulletins, and what failures do.
 * The rules are client/agent/talk.h's.
 */
#ifndef CLIENT_DAEMON_TALKING_H
#define CLIENT_DAEMON_TALKING_H

#include "client/daemon/attached.h"

/* "<site>/v1/…", to be freed. */
char *site_url(const struct attached *project, const char *path);

void talk_step(struct daemon *daemon, struct attached *project);

/* When talk_step() has something to do by itself; monotonic ms. */
int64_t talk_wake(struct daemon *daemon, struct attached *project);

/* How many tasks to ask for; 0: none, and talk_why_not() says why. */
int64_t talk_wanted(struct daemon *daemon, const struct attached *project);
void talk_why_not(struct daemon *daemon, const struct attached *project,
                  char ret_words[WHY_MAX + 1]);

/* What every kind of talk does about a failure, and about the contrary. */
void talk_failed(struct daemon *daemon, struct attached *project, enum status status,
                 const struct error *err);
void talk_worked(struct attached *project);

/* Something else than talk failed: if the certificate did it, first contact is made anew. */
void talk_untrusted(struct attached *project, const struct error *err);

/* An authority that the keyring does not list (any more) is trusted no more. */
void contact_check_ca(struct attached *project);

void contact_start(struct daemon *daemon, struct attached *project);
void bulletin_start(struct daemon *daemon, struct attached *project);
void enrol_start(struct daemon *daemon, struct attached *project);
void visit_start(struct daemon *daemon, struct attached *project);

/* Take the answer to the unanswered visit. On failure nothing is lost: the visit is repeated. */
enum status answer_take(struct daemon *daemon, struct attached *project, const char *body,
                        size_t length, struct error *err) MUST_USE;

/* Is it the app version or variant of one of its grants? NULL: there is no reply. */
bool reply_grants(const struct scheduler_reply *reply, const struct digest *digest);

/* Nothing of the host we were is left: another one has its key. */
void host_is_cloned(struct daemon *daemon, struct attached *project);

#endif
