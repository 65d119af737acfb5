/* Which tasks to start, how many to ask for, which to forget. */
#ifndef CLIENT_AGENT_CHOOSE_H
#define CLIENT_AGENT_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_view {
    size_t project; /* index into project_used_ms */
    int64_t task;
    int64_t deadline_s;
    int64_t batch_used_ms; /* turns_used_ms(), with what runs of it */
    int64_t estimate_ms;   /* durations_estimate_ms(); 0: it has nothing to compute any more */
    int64_t cores;         /* 1.. */
    int64_t memory_bytes;
    int64_t disk_bytes; /* room_of_task() */
    bool is_running;
    bool is_ready;   /* to be started */
    bool holds_disk; /* it runs, or its outputs are collected */
    bool has_begun;  /* it ran before, and what it wrote is there */
};

struct run_room {
    int64_t cores;
    int64_t memory_bytes;
    int64_t disk_bytes; /* struct room's `tasks` */
};

#define CHOOSE_NONE SIZE_MAX

/* Estimates are rough, and machines are switched off. */
#define CHOOSE_DANGER 2

/*
 * The index of the task to start now, or CHOOSE_NONE. Projects take turns: the one whose tasks have
 * used the least time is next, whatever deadlines others tell. Of its tasks come next
 * - those that have begun, then
 * - those whose deadline is in danger, the earliest first: it might not be met after all else that
 *   is here, if everything took CHOOSE_DANGER times as long as estimated. Then
 * - those of the batch that used least, then the shortest one, then the earliest deadline.
 * What runs is not interrupted for that. A task for which there is no room now is passed over, but
 * one that needs more cores than there are runs alone. What those that have begun left on the disk
 * is not given to others. Those whose deadline is over are left: the server will drop them.
 */
size_t choose_next(const struct run_view *tasks, size_t count, const struct run_room *room,
                   const int64_t *project_used_ms, int64_t now_s);

/* What the order of one project's tasks rests on beside themselves: the time, and in which time the
 * cores would do all that is here. */
struct choose_order {
    int64_t now_s;
    int64_t stock_ms;
};

struct choose_order choose_order_of(const struct run_view *tasks, size_t count,
                                    const struct run_room *room, int64_t now_s);

/* Of two tasks of one project, in the order of choose_next(): files are fetched in it, too. */
bool choose_is_before(const struct choose_order *order, const struct run_view *a,
                      const struct run_view *b);

struct want_view {
    int64_t cores;
    int64_t buffer_s;       /* seconds of work to have in stock, per core */
    int64_t mean_task_ms;   /* how long tasks took of late; 0: not known */
    int64_t unfinished;     /* tasks on hand, of all projects */
    int64_t of_project;     /* … of this one */
    int64_t listed;         /* … of this one, with those that the server has not settled */
    int64_t most_listed;    /* most of them that a visit can name: what it does not is lost */
    int64_t project_count;  /* >= 1 */
    int64_t most_of_server; /* most that one visit may ask for */
    int64_t disk_bytes;     /* struct room's `more` */
    int64_t task_bytes;     /* of it that a task needs; 0: not known */
};

/* How many new tasks to ask a project for: 0.. */
int64_t choose_want(const struct want_view *view);

/* A task kept for the grace. */
struct kept_view {
    int64_t settled_s;
    int64_t bytes;
};

struct kept_rule {
    int64_t grace_s;
    int64_t bytes; /* most that all may hold together */
};

/* Which to forget: ret_forget[i]. Over the cap the ones settled first go first. */
void choose_forgotten(const struct kept_view *kept, size_t count, const struct kept_rule *rule,
                      int64_t now_s, bool *ret_forget);

#endif
