/*
 * What this machine lacks for a task, and whom that stops: one task alone only itself, several of
 * one project that project, several projects' all.
 */
#ifndef CLIENT_DAEMON_TROUBLE_H
#define CLIENT_DAEMON_TROUBLE_H

#include "client/daemon/attached.h"

/* This machine, not the task, is to blame: it is tried again later. NULL: no more. */
void task_trouble(struct daemon *daemon, struct client_task *task, const char *why);

/* The same, of one that may be given up for it in the end: abandoned, which is nobody's fault, once
 * it failed often though the machine was proved to run others. */
void task_fails_here(struct daemon *daemon, struct attached *project, struct client_task *task,
                     const char *why);

/*
 * What is wrong here, in words; "": nothing. Trouble of one task alone is its own. Borrowed. The
 * first tells the owner; the second keeps a project from getting work: where its own tasks are
 * troubled, or those of several projects, for then it is the machine's.
 */
const char *daemon_trouble(const struct daemon *daemon);
const char *project_trouble(const struct daemon *daemon, const struct attached *project);

#endif
