#include "server/engine/thread.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/env.h"
#include "server/engine/state.h"
#include "server/policy/company.h"

#define TICK_MS 1000

struct engine_thread {
    struct engine *engine;
    pthread_t thread;
    int news;             /* an eventfd: a command, or the end */
    pthread_mutex_t lock; /* over all that follows */
    struct command *first, *last;
    size_t waiting;
    size_t hurried; /* of them: whom nobody keeps waiting */
    bool is_stopping;
};

static void tell(struct engine_thread *thread)
{
    const uint64_t one = 1;

    (void)!write(thread->news, &one, sizeof one);
}

/* What hosts send by the thousand. A person, or what goes on while others wait, is not kept. */
static bool is_hurried(const struct command *command)
{
    return command->kind != COMMAND_VISIT && command->kind != COMMAND_ENROL &&
           command->kind != COMMAND_MAY_UPLOAD && command->kind != COMMAND_UPLOADED &&
           command->kind != COMMAND_CREDENTIAL;
}

/* Take up to a cycle's worth, in the order they came. */
static size_t take(struct engine_thread *thread, struct command **ret_commands)
{
    size_t count = 0;

    while (thread->first != NULL && count < ENGINE_COMMANDS_MAX) {
        ret_commands[count++] = thread->first;
        thread->hurried -= is_hurried(thread->first);
        thread->first = thread->first->next;
        thread->waiting--;
    }
    if (thread->first == NULL)
        thread->last = NULL;
    return count;
}

static void await_news(struct engine_thread *thread, int64_t wait_ms)
{
    struct pollfd news = {.fd = thread->news, .events = POLLIN};
    uint64_t ignored;

    if (poll(&news, 1, (int)wait_ms) > 0)
        (void)!read(thread->news, &ignored, sizeof ignored);
}

/* Of what is queued; more than enough: somebody must not wait. */
static size_t count_waiting(struct engine_thread *thread)
{
    size_t count;

    (void)pthread_mutex_lock(&thread->lock);
    count = thread->hurried > 0 || thread->is_stopping ? COMPANY_ENOUGH : thread->waiting;
    (void)pthread_mutex_unlock(&thread->lock);
    return count;
}

/* Those who come to a queue that is not empty wake nobody. */
static void await_company(struct engine_thread *thread, size_t before)
{
    struct company_facts facts = {.waiting = count_waiting(thread),
                                  .before = before,
                                  .most_ms = thread->engine->config.gather_ms};
    int64_t wait_ms = company_wait_ms(&facts);

    while (wait_ms > 0) {
        size_t waiting;

        await_news(thread, wait_ms);
        waiting = count_waiting(thread);
        facts.waited_ms += wait_ms;
        facts.came = waiting - facts.waiting;
        facts.waiting = waiting;
        wait_ms = company_wait_ms(&facts);
    }
}

/* What is queued; returns how many were taken. */
static size_t next_commands(struct engine_thread *thread, struct command **ret_commands,
                            bool *ret_is_over)
{
    size_t count;

    (void)pthread_mutex_lock(&thread->lock);
    count = take(thread, ret_commands);
    if (thread->first != NULL)
        tell(thread);
    *ret_is_over = thread->is_stopping && count == 0;
    (void)pthread_mutex_unlock(&thread->lock);
    return count;
}

/*
 * A batch forms while the one before commits, and for some milliseconds more if visits keep coming.
 * What takes many slices goes on between two of them.
 */
static void *work(void *context)
{
    struct engine_thread *thread = context;
    struct env *env = thread->engine->env;
    struct command *commands[ENGINE_COMMANDS_MAX];
    int64_t next_ms = env->now_mono_ms(env);
    bool is_over = false, goes_on = false;
    size_t count = 0;

    while (!is_over) {
        int64_t wait_ms = goes_on ? 0 : next_ms - env->now_mono_ms(env);

        await_news(thread, wait_ms > 0 ? wait_ms : 0);
        if (!goes_on)
            await_company(thread, count);
        count = next_commands(thread, commands, &is_over);
        if (count > 0)
            engine_run(thread->engine, commands, count);
        goes_on = engine_go_on(thread->engine);
        if (env->now_mono_ms(env) < next_ms)
            continue;
        engine_tick(thread->engine);
        goes_on = true;
        next_ms = env->now_mono_ms(env) + TICK_MS;
    }
    return NULL;
}

static void release(struct engine_thread *thread)
{
    (void)pthread_mutex_destroy(&thread->lock);
    if (thread->news >= 0)
        (void)close(thread->news);
    free(thread);
}

enum status engine_thread_start(struct engine *engine, struct engine_thread **ret_thread,
                                struct error *err)
{
    struct engine_thread *thread = must_alloc(1, sizeof *thread);

    thread->engine = engine;
    if (pthread_mutex_init(&thread->lock, NULL) != 0)
        abort();
    thread->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (thread->news < 0 || pthread_create(&thread->thread, NULL, work, thread) != 0) {
        release(thread);
        return error_set(err, STATUS_BUSY, "no thread for the engine");
    }
    *ret_thread = thread;
    return STATUS_OK;
}

enum status engine_submit(struct engine_thread *thread, struct command *command, struct error *err)
{
    bool is_taken;

    (void)pthread_mutex_lock(&thread->lock);
    is_taken = !thread->is_stopping && thread->waiting < ENGINE_QUEUE_MAX;
    if (is_taken) {
        bool is_first = thread->first == NULL;

        command->next = NULL;
        if (is_first)
            thread->first = command;
        else
            thread->last->next = command;
        thread->last = command;
        thread->waiting++;
        thread->hurried += is_hurried(command);
        /* Else it was told, and has not taken what it was told of. */
        if (is_first || is_hurried(command))
            tell(thread);
    }
    (void)pthread_mutex_unlock(&thread->lock);
    if (is_taken)
        return STATUS_OK;
    (void)error_set(err, STATUS_BUSY, "the server has too much to do; try again");
    error_retry_after(err, 5);
    return STATUS_BUSY;
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool is_done;
};

static void wake(struct command *command, void *context)
{
    struct waiting *waiting = context;

    (void)command;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->is_done = true;
    (void)pthread_cond_signal(&waiting->news);
    (void)pthread_mutex_unlock(&waiting->lock);
}

enum status engine_call(struct engine_thread *thread, struct command *command, struct error *err)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

    command->done = wake;
    command->context = &waiting;
    TRY(engine_submit(thread, command, err));
    (void)pthread_mutex_lock(&waiting.lock);
    while (!waiting.is_done)
        (void)pthread_cond_wait(&waiting.news, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    if (command->status != STATUS_OK && err != NULL)
        *err = command->err;
    return command->status;
}

void engine_thread_stop(struct engine_thread *thread)
{
    if (thread == NULL)
        return;
    (void)pthread_mutex_lock(&thread->lock);
    thread->is_stopping = true;
    tell(thread);
    (void)pthread_mutex_unlock(&thread->lock);
    (void)pthread_join(thread->thread, NULL);
    release(thread);
}
