#include "server/api/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
    void *tool;
    pthread_mutex_t mutex;
    pthread_cond_t wakes;
    bool is_stopping;
    size_t waiting;
    struct job *first;
    struct job **last;
    size_t thread_count;
    pthread_t threads[WORKER_THREADS_MAX];
};

/* NULL: the end. */
static struct job *take(struct worker *worker)
{
    struct job *job;

    pthread_mutex_lock(&worker->mutex);
    while (worker->first == NULL && !worker->is_stopping)
        pthread_cond_wait(&worker->wakes, &worker->mutex);
    job = worker->first;
    if (job != NULL) {
        worker->first = job->next;
        worker->waiting--;
        if (worker->first == NULL)
            worker->last = &worker->first;
    }
    pthread_mutex_unlock(&worker->mutex);
    return job;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct job *job;

    while ((job = take(worker)) != NULL)
        job->run(job, worker->tool);
    return NULL;
}

struct worker *worker_start(size_t threads, void *tool)
{
    struct worker *worker = must_alloc(1, sizeof *worker);

    assert(threads > 0 && threads <= WORKER_THREADS_MAX);
    worker->tool = tool;
    worker->last = &worker->first;
    if (pthread_mutex_init(&worker->mutex, NULL) != 0 ||
        pthread_cond_init(&worker->wakes, NULL) != 0)
        abort();
    for (; worker->thread_count < threads; worker->thread_count++)
        if (pthread_create(&worker->threads[worker->thread_count], NULL, work, worker) != 0)
            abort();
    return worker;
}

enum status worker_submit(struct worker *worker, struct job *job, struct error *err)
{
    bool is_taken;

    pthread_mutex_lock(&worker->mutex);
    is_taken = !worker->is_stopping && worker->waiting < WORKER_QUEUE_MAX;
    if (is_taken) {
        job->next = NULL;
        *worker->last = job;
        worker->last = &job->next;
        worker->waiting++;
        pthread_cond_signal(&worker->wakes);
    }
    pthread_mutex_unlock(&worker->mutex);
    if (is_taken)
        return STATUS_OK;
    error_set(err, STATUS_BUSY, "the server has too much to do; come back later");
    error_retry_after(err, 5);
    return STATUS_BUSY;
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->is_stopping = true;
    pthread_cond_broadcast(&worker->wakes);
    pthread_mutex_unlock(&worker->mutex);
    for (size_t i = 0; i < worker->thread_count; i++)
        (void)pthread_join(worker->threads[i], NULL);
    (void)pthread_cond_destroy(&worker->wakes);
    (void)pthread_mutex_destroy(&worker->mutex);
    free(worker);
}
