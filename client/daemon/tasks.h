/*
 * The steps of a task's life: each is saved before it counts.
 */
#ifndef CLIENT_DAEMON_TASKS_H
#define CLIENT_DAEMON_TASKS_H

#include "client/agent/phase.h"
#include "client/daemon/attached.h"

struct client_task *task_find(const struct attached *project, int64_t number);

/* Takes the record over. */
struct client_task *task_add(struct attached *project, const struct task_record *record);

/* The next step of its life, which agent/phase.h must allow. Nothing is saved. */
void task_enter(struct client_task *task, enum phase phase);

/* From now on it is worked for, or it waits in our own queue: only the one counts as its time. */
void task_busy(const struct daemon *daemon, struct client_task *task);
void task_waits(const struct daemon *daemon, struct client_task *task);

/* Save the record; a failure is kept in mind and tried again. */
enum status task_save(struct daemon *daemon, struct attached *project, struct client_task *task,
                      struct error *err);

/* Verify it; PHASE_FETCHING then, or finished as refused. Waits while freshness is stale. */
void task_verify(struct daemon *daemon, struct attached *project, struct client_task *task);

/* Everything on hand again, when keys or revocations changed: what is revoked stops at once. */
void tasks_check_again(struct daemon *daemon, struct attached *project);

/* It ended like this: durable, its slot and files given back. record.report is filled. */
void task_finish(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum visit_outcome outcome);

/* Why it ended as it did, in words; "": it is done, or nobody knows. */
void task_why(const struct task_record *record, char ret_why[WHY_MAX + 1]);

/* Finished as abandoned, for this reason. */
void task_abandon(struct daemon *daemon, struct attached *project, struct client_task *task,
                  const char *why);
void task_refuse(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum refusal refusal, const struct digest *what, const struct error *err);

/* The server needs nothing more of it. An unfinished one is gone at once. */
enum status task_settle(struct daemon *daemon, struct attached *project, struct client_task *task,
                        struct error *err);

/* Files and all. A failure leaves files that nobody reads. */
void task_remove(struct daemon *daemon, struct attached *project, struct client_task *task);

/* Save again what could not be saved; forget what was kept long enough. */
void tasks_tidy(struct daemon *daemon);

/* Its slot is full, or not filled any more, nor are its outputs collected. */
void task_stop_copying(struct client_task *task);

#endif
