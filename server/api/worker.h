/*
 * Threads for what net threads may not wait for: a disk that syncs, a database that is read. Jobs
 * are carried out in the order they came.
 */
#ifndef SERVER_API_WORKER_H
#define SERVER_API_WORKER_H

#include <stddef.h>

#include "common/base/error.h"

struct worker;

#define WORKER_THREADS_MAX 16
#define WORKER_QUEUE_MAX   4096 /* jobs waiting */

/* Embed it in what the job is about; it is not looked at after run() began. */
struct job {
    void (*run)(struct job *job, void *tool);
    struct job *next; /* the worker's */
};

/* `tool` is handed to every job: with one thread, a thing that belongs to one thread. */
struct worker *worker_start(size_t threads, void *tool);

/* STATUS_BUSY: too many are waiting, or the worker stops; the job will not run. */
enum status worker_submit(struct worker *worker, struct job *job, struct error *err);

/* Carry out what waits, then end. NULL is fine. */
void worker_stop(struct worker *worker);

#endif
