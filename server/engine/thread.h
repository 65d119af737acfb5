/*
 * The thread that an engine runs on: it takes whatever commands are queued, runs them as one cycle
 * (more gather while it commits), and ticks at least once a second. Everything here may be called
 * from any thread, but for starting and stopping.
 */
#ifndef SERVER_ENGINE_THREAD_H
#define SERVER_ENGINE_THREAD_H

#include "common/base/error.h"
#include "server/engine/command.h"

struct engine;
struct engine_thread;

#define ENGINE_QUEUE_MAX 4096 /* commands waiting */

/* The engine belongs to the thread until engine_thread_stop(). */
enum status engine_thread_start(struct engine *engine, struct engine_thread **ret_thread,
                                struct error *err) MUST_USE;

/*
 * Queue a command. STATUS_BUSY with when to come back: the queue is full or stopping; done() will
 * not be called then.
 */
enum status engine_submit(struct engine_thread *thread, struct command *command, struct error *err)
    MUST_USE;

/* Queue it and wait until it is done, without its `done`. Not from the engine's thread. */
enum status engine_call(struct engine_thread *thread, struct command *command, struct error *err);

/*
 * Run what is queued, then end the thread and release this object. Later submissions must not come:
 * stop what submits first, or let it see STATUS_BUSY meanwhile.
 */
void engine_thread_stop(struct engine_thread *thread); /* NULL is fine */

#endif
