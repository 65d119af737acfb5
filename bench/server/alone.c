#include "bench/server/alone.h"

#include <stdlib.h>
#include <string.h>

#include "bench/crew.h"
#include "bench/server/timed_store.h"
#include "bench/visiting.h"
#include "bench/world/clock.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "db/store.h"
#include "protocol/scheduler_reply.h"
#include "server/engine/engine.h"
#include "server/site/config.h"
#include "server/site/folder.h"
#include "server/site/tokens.h"

#define PREFIX   "127.0.0.0/24"
#define PLATFORM "x86_64-linux-gnu"
#define TICK_MS  1000

_Static_assert(ALONE_AT_ONCE_MAX == ENGINE_COMMANDS_MAX, "as many as a cycle takes");

struct guest {
    struct actor actor;
    int64_t host; /* row */
};

/* A visit on its way through the engine, as server/api has it. */
struct journey {
    struct guest *guest;
    struct visit visit;
    struct scheduler_request request;
    struct scheduler_reply reply;
    char *statement;
    struct command command;
};

struct measuring {
    struct env *env;
    const struct alone_wish *wish;
    struct store *store;
    struct engine *engine;
    struct crew_file crew;
    struct guest *guests;
    size_t guest_count;
    struct kit kit;
    struct figures figures;
    uint64_t chance;
    int64_t ticked_ms; /* monotonic */
    struct alone alone;
};

static void measuring_clear(struct measuring *measuring)
{
    engine_close(measuring->engine);
    store_close(measuring->store);
    for (size_t i = 0; i < measuring->guest_count; i++)
        actor_clear(&measuring->guests[i].actor);
    free(measuring->guests);
    crew_file_clear(&measuring->crew);
    kit_clear(&measuring->kit);
}

static void run_one(struct measuring *measuring, struct command *command)
{
    engine_run(measuring->engine, &command, 1);
}

static enum status know_guest(struct measuring *measuring, uint64_t number, struct error *err)
{
    const struct shares honest = {0};
    struct guest *guest = &measuring->guests[number];
    struct command command = {.kind = COMMAND_CREDENTIAL};

    actor_init(&guest->actor, &measuring->crew.secret, number,
               measuring->env->now_s(measuring->env) * 1000000, &honest);
    guest->actor.token = measuring->crew.tokens[number];
    measuring->guest_count++;
    command.credential.token = token_digest(&guest->actor.token);
    run_one(measuring, &command);
    if (command.status != STATUS_OK)
        return error_set(err, STATUS_INVALID, "the crew is not this site's");
    guest->host = command.credential.credential.subject;
    return STATUS_OK;
}

static enum status open_all(struct measuring *measuring, struct error *err)
{
    struct engine_config config = ENGINE_CONFIG_DEFAULT;
    const struct alone_wish *wish = measuring->wish;
    struct config site;

    TRY(crew_file_read(measuring->env->disk, wish->crew, &measuring->crew, err));
    if ((size_t)wish->hosts > measuring->crew.count)
        return error_set(err, STATUS_INVALID, "the crew has %zu hosts", measuring->crew.count);
    TRY(site_load_config(measuring->env->disk, wish->site, &site, err));
    TRY(site_open_store(wish->site, &site, true, &measuring->store, err));
    timed_store_watch(measuring->store);
    config.site = wish->site;
    config.server = site.server;
    config.ignores_free_space = true;
    TRY(engine_open(measuring->store, measuring->env, &config, &measuring->engine, err));
    measuring->guests = must_alloc((size_t)wish->hosts, sizeof *measuring->guests);
    for (uint64_t i = 0; i < (uint64_t)wish->hosts; i++)
        TRY(know_guest(measuring, i, err));
    measuring->kit = (struct kit){.project = measuring->crew.project,
                                  .authority = "",
                                  .platform = PLATFORM,
                                  .tasks = wish->tasks,
                                  .output_bytes = wish->output_bytes,
                                  .figures = &measuring->figures};
    return STATUS_OK;
}

/* --- one visit ---------------------------------------------------------------------------------*/

static void journey_clear(struct journey *journey)
{
    visit_clear(&journey->visit);
    scheduler_request_clear(&journey->request);
    scheduler_reply_clear(&journey->reply);
    free(journey->statement);
    *journey = (struct journey){0};
}

static enum status set_out(struct measuring *measuring, struct guest *guest,
                           struct journey *journey, struct error *err)
{
    struct visit_command *visit = &journey->command.visit;
    CLEANUP(freep) char *body = NULL;

    *journey = (struct journey){.guest = guest, .command = {.kind = COMMAND_VISIT}};
    TRY(visiting_say(&guest->actor, &measuring->kit, &journey->visit, &body, err));
    TRY(scheduler_request_decode(body, strlen(body), &journey->request, err));
    journey->statement = envelope_encode(&journey->request.statement);
    *visit = (struct visit_command){.host = guest->host,
                                    .prefix = PREFIX,
                                    .request = &journey->request,
                                    .statement = journey->statement,
                                    .statement_length = strlen(journey->statement),
                                    .request_digest = digest_of(body, strlen(body)),
                                    .reply = &journey->reply};
    return STATUS_OK;
}

static enum status come_back(struct measuring *measuring, struct journey *journey,
                             struct error *err)
{
    CLEANUP(freep) char *text = NULL;
    struct response response = {.status = 200};
    struct wanted_output *wanted = NULL;
    size_t count;

    if (journey->command.status != STATUS_OK) {
        *err = journey->command.err;
        return journey->command.status;
    }
    text = scheduler_reply_encode(&journey->reply);
    response.body = text;
    response.body_length = strlen(text);
    TRY(visiting_hear(&journey->guest->actor, &measuring->kit, &journey->visit, &response, &wanted,
                      &count, err));
    free(wanted);
    return STATUS_OK;
}

/* --- many at once ------------------------------------------------------------------------------*/

static void run_timed(struct measuring *measuring, struct journey *journeys, size_t count)
{
    struct command *list[ENGINE_COMMANDS_MAX];
    struct store_time before = timed_store_so_far(), after;
    int64_t began_us, began_cpu_us;

    for (size_t i = 0; i < count; i++)
        list[i] = &journeys[i].command;
    began_us = clock_mono_us();
    began_cpu_us = clock_thread_us();
    engine_run(measuring->engine, list, count);
    measuring->alone.engine_us += clock_mono_us() - began_us;
    measuring->alone.engine_cpu_us += clock_thread_us() - began_cpu_us;
    after = timed_store_so_far();
    measuring->alone.store_us += after.wall_us - before.wall_us;
    measuring->alone.store_cpu_us += after.cpu_us - before.cpu_us;
}

/* As a server does, and not timed. */
static void tick(struct measuring *measuring)
{
    int64_t now_ms = measuring->env->now_mono_ms(measuring->env);

    if (now_ms - measuring->ticked_ms < TICK_MS)
        return;
    engine_tick(measuring->engine);
    measuring->ticked_ms = now_ms;
}

/* Hosts from..from+count of an order that is given; each is in it once. */
static enum status visit_together(struct measuring *measuring, struct guest **guests, size_t count,
                                  struct error *err)
{
    struct journey *journeys = must_alloc(count, sizeof *journeys);
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = set_out(measuring, guests[i], &journeys[i], err);
    tick(measuring);
    if (status == STATUS_OK)
        run_timed(measuring, journeys, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = come_back(measuring, &journeys[i], err);
    for (size_t i = 0; i < count; i++)
        journey_clear(&journeys[i]);
    free(journeys);
    return status;
}

/* Mixes the order anew (Fisher and Yates), then all of them visit, so many at once. */
static enum status visit_all(struct measuring *measuring, struct guest **order, int64_t end_us,
                             struct error *err)
{
    size_t hosts = measuring->guest_count, at_once = (size_t)measuring->wish->at_once;

    for (size_t i = hosts; i > 1; i--) {
        size_t other = chance_next(&measuring->chance) % i;
        struct guest *kept = order[i - 1];

        order[i - 1] = order[other];
        order[other] = kept;
    }
    for (size_t at = 0; at < hosts && clock_mono_us() < end_us; at += at_once)
        TRY(visit_together(measuring, order + at, hosts - at < at_once ? hosts - at : at_once,
                           err));
    return STATUS_OK;
}

/* First each host learns what it has from before; that is not counted. */
static enum status measure(struct measuring *measuring, struct guest **order, struct error *err)
{
    int64_t end_us;

    TRY(visit_all(measuring, order, INT64_MAX, err));
    measuring->alone = (struct alone){0};
    measuring->figures = (struct figures){0};
    end_us = clock_mono_us() + measuring->wish->seconds * 1000000;
    while (clock_mono_us() < end_us)
        TRY(visit_all(measuring, order, end_us, err));
    measuring->alone.reported = measuring->figures.reported;
    measuring->alone.visits = measuring->figures.visits;
    return STATUS_OK;
}

enum status alone_measure(struct env *env, const struct alone_wish *wish, struct alone *ret_alone,
                          struct error *err)
{
    CLEANUP(measuring_clear) struct measuring measuring = {.env = env, .wish = wish};
    struct guest **order;
    enum status status;

    TRY(open_all(&measuring, err));
    order = must_alloc(measuring.guest_count, sizeof(struct guest *));
    for (size_t i = 0; i < measuring.guest_count; i++)
        order[i] = &measuring.guests[i];
    status = measure(&measuring, order, err);
    free(order);
    if (status == STATUS_OK)
        *ret_alone = measuring.alone;
    return status;
}
