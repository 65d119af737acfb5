/*
 * What the volunteer's disk has room for: one budget, shared by all projects.
 *
 * It bounds the outputs of finished tasks and what running ones may write, by the least of what the
 * owner allows, a share of the free space, and the free space but for a floor that is left to
 * others. Outputs that are only kept for the grace give way to everything else. Files of apps and
 * inputs have a cap of their own (the cache), and leave the floor, too.
 */
#ifndef CLIENT_AGENT_ROOM_H
#define CLIENT_AGENT_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#define ROOM_BYTES_MAX (INT64_C(1) << 56) /* more than any disk has */

/* Never beyond that. Both 0..ROOM_BYTES_MAX. */
int64_t room_sum(int64_t a, int64_t b);

/* All in bytes but for the percentage, >= 0. */
struct room_rule {
    int64_t most;    /* of outputs and running tasks together */
    int64_t percent; /* the same, of all that is free or ours */
    int64_t floor;   /* free space that is left to others */
};

struct room_view {
    int64_t free;     /* on the disk, now */
    int64_t owed;     /* outputs that their server has not stored yet */
    int64_t kept;     /* outputs that it needs no more */
    int64_t cached;   /* files of apps and inputs */
    int64_t written;  /* by running tasks */
    int64_t fetching; /* yet to come of the files that are on their way */
    int64_t missing;  /* files that tasks on hand need, and that nobody fetches yet */
    int64_t to_come;  /* most that the outputs of unfinished tasks may have */
};

enum room_lack {
    ROOM_ENOUGH,
    ROOM_LACKS_FREE,    /* others have filled the disk */
    ROOM_LACKS_OWED,    /* finished work fills what we may use */
    ROOM_LACKS_ON_HAND, /* what the tasks on hand need does */
};

struct room {
    int64_t cap;   /* of outputs and running tasks */
    int64_t above; /* the floor, if what is kept gave way and no task had written anything: may be
                      negative */
    int64_t tasks; /* what running tasks and kept outputs may use together: 0..; room_of_task()
                      of a new one is no more */
    int64_t more;  /* what tasks that we ask for may need: 0.. */
    enum room_lack lack; /* why `more` is 0 */
};

struct room room_decide(const struct room_rule *rule, const struct room_view *view);

/* Of one task, as signed; 0..ROOM_BYTES_MAX each. */
struct task_need {
    int64_t disk;    /* its slot */
    int64_t outputs; /* all of them */
    int64_t files;   /* of its app, and inputs: they are copied into the slot */
};

/* Most that it uses while it runs and its outputs are collected: the slot, and their copies. */
int64_t room_of_task(const struct task_need *need);

/*
 * May a file be fetched for this task? It must fit beside what runs (`running` bytes, as
 * room_of_task() says), and the whole task must fit once nothing else runs: else its files would
 * take the room that others could use.
 */
struct fetch_view {
    int64_t missing; /* of the task's files, in bytes */
    int64_t task;    /* room_of_task() */
    int64_t running; /* of all that run */
};
bool room_may_fetch(const struct room *room, const struct fetch_view *fetch);

#endif
