/*
 * How long a task will take a host: fetching, running and collecting its outputs together, without
 * the time that it waits in the host's own queue.
 *
 * A unit has a *size*: the time that its signed declared_ops take the reference host
 * (work-units/work_unit.h), one second where nothing is declared. A host's *pace* for an app
 * version is what it takes per second of size, in millionths: 2000000 is twice as slow as declared.
 * Hosts say themselves how long they took: so what one says moves its own pace only, within what
 * the server's clock saw; and what is known of an app version is a median over volunteers.
 *
 * Units of one declared size may be of very different length. A host's pace is the mean, for it is
 * to tell when its work will be done; its *usual pace* is the geometric mean, over more tasks: one
 * unit that took twenty times as long hardly moves it. How fast a host is, is told by that.
 */
#ifndef SERVER_POLICY_ESTIMATE_H
#define SERVER_POLICY_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

#define ESTIMATE_MOST_MS     (INT64_C(400) * 86400 * 1000) /* no task is believed to take longer */
#define ESTIMATE_PACE_MAX    INT64_C(1000000000000000000)
#define ESTIMATE_PACES_MAX   63 /* volunteers whose paces a median is taken of */
#define ESTIMATE_MEMORY      8  /* tasks that a pace remembers, about ... */
#define ESTIMATE_USUAL       32 /* ... and a usual pace */
#define ESTIMATE_LEAP        8  /* one task moves a pace no further than that, from the third on */
#define ESTIMATE_SPEED_ONE   1000 /* as fast as the median of hosts */
#define ESTIMATE_SPEED_MOST  4000 /* a host that claims more gets no more for it */
#define ESTIMATE_SPEED_LEAST 62

/* As stored per host and app version; the names are those of db/work.h. */
struct estimate_facts {
    int64_t pace;       /* 1..ESTIMATE_PACE_MAX; 0: not known */
    int64_t usual_pace; /* likewise */
    int64_t timed;      /* tasks that they were learned from, 0..ESTIMATE_USUAL */
};

/* What a task took, in ms, 1..ESTIMATE_MOST_MS: as its host says (`said_ms`, 0: it does not), but
 * not longer than from its grant to its report. */
int64_t estimate_took_ms(int64_t said_ms, int64_t sent_s, int64_t reported_s);

/* The same after a task of a unit that declares so many operations took so long. */
struct estimate_facts estimate_after_task(const struct estimate_facts *facts, int64_t declared_ops,
                                          int64_t took_ms);

/* What there is to estimate from, the best first; 0: not known. */
struct estimate_sources {
    int64_t own_pace; /* of this host for the app version */
    int64_t app_pace; /* the median of other hosts for it */
    int64_t speed;    /* of this host, in thousandths of the median host's, over its other apps */
};

/* In ms, 1..ESTIMATE_MOST_MS; 0: nothing is known. What a unit declares holds until a host of the
 * app version was timed. */
int64_t estimate_task_ms(const struct estimate_sources *sources, int64_t declared_ops);

/* The middle one of `count` paces, which are put in order; 0 of none. */
int64_t estimate_median(int64_t *paces, size_t count);

/* How fast a host is by its usual pace for one app version, and by that of others:
 * ESTIMATE_SPEED_LEAST..ESTIMATE_SPEED_MOST; 0: not known. */
int64_t estimate_speed(int64_t own_pace, int64_t app_pace);

/* That of a host of which nothing is known (0) is taken to be the median one's. */
int64_t estimate_believed_speed(int64_t speed);

/* What takes a host of this speed so long, on one of ESTIMATE_SPEED_ONE. */
int64_t estimate_on_usual_ms(int64_t task_ms, int64_t speed);

/*
 * What a task takes its host in all, by the progress that it tells of; 0: that says too little yet.
 * `busy_ms`: that its program ran so far, as the host says, who has had the task for `had_s`.
 */
int64_t estimate_whole_ms(int done_permille, int64_t busy_ms, int64_t had_s);

#endif
