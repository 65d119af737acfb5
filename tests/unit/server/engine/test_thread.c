/* server/engine/thread: commands from many threads, answered once each. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/env/real.h"
#include "server/engine/thread.h"
#include "server/policy/company.h"
#include "tests/support/village.h"

enum { THREADS = 4, EACH = 50 };

static struct village village;
static struct engine_thread *thread;
static atomic_int done_count;

static void set_up(void)
{
    village_open(&village, NULL);
    cr_assert(eq(int, engine_thread_start(village.engine, &thread, NULL), STATUS_OK));
}

static void tear_down(void)
{
    engine_thread_stop(thread);
    village_close(&village);
}

TestSuite(engine_thread, .init = set_up, .fini = tear_down, .timeout = 30);

static enum status look(struct store *store, void *context, struct error *err)
{
    (void)store;
    (void)err;
    ++*(int *)context;
    return STATUS_OK;
}

static void *ask_often(void *context)
{
    int *asked = context;

    for (int i = 0; i < EACH; i++) {
        struct command command = {.kind = COMMAND_READ,
                                  .read = {.read = look, .read_context = asked}};

        if (engine_call(thread, &command, NULL) == STATUS_OK)
            atomic_fetch_add(&done_count, 1);
    }
    return NULL;
}

Test(engine_thread, every_command_is_done_once)
{
    pthread_t threads[THREADS];
    int asked[THREADS] = {0};

    for (int i = 0; i < THREADS; i++)
        cr_assert(zero(int, pthread_create(&threads[i], NULL, ask_often, &asked[i])));
    for (int i = 0; i < THREADS; i++)
        cr_assert(zero(int, pthread_join(threads[i], NULL)));
    cr_expect(eq(int, atomic_load(&done_count), THREADS *EACH));
    for (int i = 0; i < THREADS; i++)
        cr_expect(eq(int, asked[i], EACH));
}

static void count_done(struct command *command, void *context)
{
    (void)command;
    (void)context;
    atomic_fetch_add(&done_count, 1);
}

/* Holds the engine's thread until the test lets it go. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static enum status wait_at_gate(struct store *store, void *context, struct error *err)
{
    (void)store;
    (void)context;
    (void)err;
    (void)pthread_mutex_lock(&gate);
    (void)pthread_mutex_unlock(&gate);
    return STATUS_OK;
}

Test(engine_thread, a_full_queue_says_when_to_come_back)
{
    static struct command waiting[ENGINE_QUEUE_MAX + 300];
    struct error err = {0};
    size_t taken = 0;

    (void)pthread_mutex_lock(&gate);
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        waiting[i] = (struct command){
            .kind = COMMAND_READ, .done = count_done, .read = {.read = wait_at_gate}};
        if (engine_submit(thread, &waiting[i], &err) != STATUS_OK)
            break;
        taken++;
    }
    cr_expect(taken >= ENGINE_QUEUE_MAX && taken < ENGINE_QUEUE_MAX + 300, "%zu", taken);
    cr_expect(eq(int, err.status, STATUS_BUSY));
    cr_expect(err.retry_after_s > 0);
    (void)pthread_mutex_unlock(&gate);
    engine_thread_stop(thread);
    thread = NULL;
    cr_expect(eq(int, atomic_load(&done_count), (int)taken), "what was taken is done");
}

Test(engine_thread, what_fails_is_said_to_the_caller)
{
    struct command command = {.kind = COMMAND_CREDENTIAL, .credential = {.token = {{1}}}};
    struct error err = {0};

    cr_expect(eq(int, engine_call(thread, &command, &err), STATUS_UNAUTHORIZED));
    cr_expect(eq(int, err.status, STATUS_UNAUTHORIZED));
}

/* --- a cancel of many units --- */

enum { MANY = 2000, LOOKS = 400 };

static enum status count_cancelled(struct store *store, void *context, struct error *err)
{
    (void)store;
    (void)err;
    *(int64_t *)context = village_count(&village, "count(*) FROM unit WHERE failure = 5");
    return STATUS_OK;
}

static int64_t cancelled(void)
{
    int64_t count = -1;
    struct command command = {.kind = COMMAND_READ,
                              .read = {.read = count_cancelled, .read_context = &count}};

    cr_assert(eq(int, engine_call(thread, &command, NULL), STATUS_OK));
    return count;
}

/* It went one slice a tick, so that a million units took an hour. The clock stands still here: no
 * tick comes. Others are answered between the slices. */
Test(engine_thread, a_cancel_of_many_units_waits_for_no_tick)
{
    struct command cancel = {.kind = COMMAND_BATCH_ACTION, .action = {.action = ACTION_CANCEL}};
    struct env *real = env_real();
    int64_t done = 0, between = 0;

    engine_thread_stop(thread);
    village_add_units(&village, MANY, NULL);
    cr_assert(eq(int, engine_thread_start(village.engine, &thread, NULL), STATUS_OK));
    cancel.action.batch = village.batch;
    cr_assert(eq(int, engine_call(thread, &cancel, NULL), STATUS_OK));
    for (int i = 0; i < LOOKS && done < MANY; i++) {
        done = cancelled();
        between += done > 0 && done < MANY;
        real->sleep_ms(real, 1);
    }
    cr_expect(eq(i64, done, MANY));
    cr_expect(between > 0, "a question asked meanwhile is answered meanwhile");
}

/* --- company --- */

enum { COMPANY = 30, LONG_MS = 60000 };

/* What a host asks, and no such task is there: it is answered all the same. */
static void start_patient(struct engine_config *config)
{
    engine_thread_stop(thread);
    village_close(&village);
    *config = (struct engine_config)ENGINE_CONFIG_DEFAULT;
    config->gather_ms = LONG_MS;
    config->ignores_free_space = true;
    village_open(&village, config);
    cr_assert(eq(int, engine_thread_start(village.engine, &thread, NULL), STATUS_OK));
}

static void submit_patient(struct command *command)
{
    *command = (struct command){
        .kind = COMMAND_MAY_UPLOAD, .done = count_done, .may_upload = {.task = TASK_ID(7, 0)}};
    cr_assert(eq(int, engine_submit(thread, command, NULL), STATUS_OK));
}

/* Each would have a transaction of its own: they come much slower than the engine is. */
Test(engine_thread, visits_that_keep_coming_share_a_transaction)
{
    static struct command commands[COMPANY];
    struct engine_config config;
    struct env *real = env_real();
    int64_t before;

    start_patient(&config);
    before = engine_counts(village.engine).cycles;
    submit_patient(&commands[0]);
    submit_patient(&commands[1]);
    for (int i = 2; i < COMPANY; i++) {
        real->sleep_ms(real, 2);
        submit_patient(&commands[i]);
    }
    engine_thread_stop(thread); /* which keeps nobody waiting either */
    thread = NULL;
    cr_expect(eq(int, atomic_load(&done_count), COMPANY));
    cr_expect(engine_counts(village.engine).cycles - before < COMPANY / 2);
}

Test(engine_thread, whoever_is_in_a_hurry_takes_the_others_along)
{
    static struct command commands[3];
    struct engine_config config;
    int asked = 0;
    struct command read = {.kind = COMMAND_READ, .read = {.read = look, .read_context = &asked}};
    int64_t began_ms = env_real()->now_mono_ms(env_real());

    start_patient(&config);
    for (int i = 0; i < 3; i++)
        submit_patient(&commands[i]);
    cr_assert(eq(int, engine_call(thread, &read, NULL), STATUS_OK));
    cr_expect(env_real()->now_mono_ms(env_real()) - began_ms < LONG_MS / COMPANY_LOOKS);
    cr_expect(eq(int, atomic_load(&done_count), 3));
}
