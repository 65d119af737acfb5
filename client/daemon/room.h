/*
 * The disk: what is free of it, and what that allows now. The rules are client/agent/room.h's.
 */
#ifndef CLIENT_DAEMON_ROOM_H
#define CLIENT_DAEMON_ROOM_H

#include "client/daemon/attached.h"

/* At the beginning of each step: how much is free, and what that leaves. */
void room_look(struct daemon *daemon);

/* Most that a prepared task may use of the disk, and whether it has it now. */
int64_t task_room(const struct client_task *task);
bool task_holds_disk(const struct client_task *task);

/* Of all that hold it. */
int64_t room_running(const struct daemon *daemon);

/* May one of its files be fetched now? */
bool room_lets_fetch(struct daemon *daemon, const struct client_task *task);

/* So many bytes are being fetched from now on. */
void room_take(struct daemon *daemon, int64_t bytes);

/* A task found so much too much. */
void room_wait(struct daemon *daemon, int64_t bytes);

/* Why no work is asked for; "": not for want of room. */
void room_why(const struct daemon *daemon, char ret_words[WHY_MAX + 1]);

#endif
