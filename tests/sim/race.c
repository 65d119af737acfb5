#include "tests/sim/race.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent/talk.h"
#include "common/base/text.h"
#include "work-units/work_unit.h"

#define TICK_MS       1000
#define STEP_MS       60000 /* between two looks, even if nobody wakes */
#define MANY_HOSTS    1000
#define PROOF_TASKS   20 /* more than a host has cores */
#define PROOF_MOST_MS (INT64_C(12) * 3600 * 1000)
#define RENEW_S       (INT64_C(20) * 86400)
#define DEADLINE_S    (INT64_C(3) * 86400) /* the operator's default */

int64_t race_now_ms(const struct race *race)
{
    return race->site->env.now_mono_ms;
}

static void wake_at(struct race *race, size_t host, int64_t ms)
{
    int64_t next;

    race->crowd.hosts[host].wake_ms = ms;
    if (ms == TALK_NEVER)
        return;
    next = (ms + race->grain_ms - 1) / race->grain_ms * race->grain_ms;
    race->crowd.hosts[host].wake_ms = next;
    deadlines_add(&race->wakes, (struct deadline_hint){.up_s = next, .unit = (int64_t)host + 1});
}

void race_open(struct race *race, struct sim_site *site, const struct crowd_kind *kind)
{
    *race = (struct race){.site = site, .grain_ms = kind->hosts >= MANY_HOSTS ? 1000 : 100};
    fake_env_init(&race->chance, kind->seed * 31 + 7);
    crowd_open(&race->crowd, site, kind);
    for (size_t i = 0; i < kind->hosts; i++)
        wake_at(race, i, race->crowd.hosts[i].wake_ms);
}

void race_clear(struct race *race)
{
    struct crowd_unit *unit;
    size_t cursor = 0;

    while ((unit = map_next(&race->units, &cursor)) != NULL)
        free(unit);
    map_clear(&race->units);
    deadlines_clear(&race->wakes);
    crowd_clear(&race->crowd);
}

/* --------------------------------------------------------------------------------------- batches
 */

static int64_t length_ms(struct race *race, const struct race_batch *batch)
{
    double mean = (double)batch->mean_ms, u;

    if (batch->shape == RACE_EQUAL)
        return batch->mean_ms;
    u = (double)((fake_env_draw(&race->chance) >> 11) + 1) / 9007199254740992.0;
    return (int64_t)fmin(mean / 3 * pow(u, -1 / 1.5), 20 * mean);
}

/* The operator says how long its units take on the average, and of no unit more. */
static int64_t declared_ops(const struct race_batch *batch)
{
    return batch->mean_ms / 1000 * WORK_UNIT_OPS_PER_SECOND;
}

/* Those of the site that are not known yet are the batch's, in order of their index. */
static void learn_units(struct race *race, const struct race_batch *batch, int number)
{
    CLEANUP(sim_finalize)
    sqlite3_stmt *row = sim_prepare(race->site, "SELECT id, digest FROM unit ORDER BY id");
    struct race_load *load = &race->loads[number];

    while (sqlite3_step(row) == SQLITE_ROW) {
        struct crowd_unit *unit;

        if (map_get(&race->units, sqlite3_column_int64(row, 0)) != NULL)
            continue;
        unit = must_alloc(1, sizeof *unit);
        *unit = (struct crowd_unit){.id = sqlite3_column_int64(row, 0),
                                    .length_ms = length_ms(race, batch),
                                    .declared_ops = declared_ops(batch),
                                    .batch = number};
        memcpy(unit->digest.bytes, sqlite3_column_blob(row, 1), sizeof unit->digest.bytes);
        map_put(&race->units, unit->id, unit);
        load->total_ms += (double)unit->length_ms;
        load->longest_ms = fmax(load->longest_ms, (double)unit->length_ms);
    }
}

int race_publish(struct race *race, const struct race_batch *batch)
{
    int number = (int)race->batch_count++;
    const struct sim_units units = {.batch = sim_publish_batch(race->site, batch->name),
                                    .count = batch->units,
                                    .deadline_s = DEADLINE_S,
                                    .declared_ops = declared_ops(batch)};

    assert(number < CROWD_BATCHES);
    sim_publish_units(race->site, &units);
    sim_act(race->site, &units.batch, ACTION_CLOSE);
    learn_units(race, batch, number);
    crowd_expect(&race->crowd, number, batch->units);
    race->loads[number].published_s = race->site->env.now_s;
    race->loads[number].id = units.batch;
    return number;
}

/* ---------------------------------------------------------------------------------------- visits
 */

struct visits {
    struct command commands[ENGINE_COMMANDS_MAX];
    struct command *list[ENGINE_COMMANDS_MAX];
    struct scheduler_request requests[ENGINE_COMMANDS_MAX];
    struct scheduler_reply replies[ENGINE_COMMANDS_MAX];
    size_t hosts[ENGINE_COMMANDS_MAX];
    size_t count;
};

static void visits_free(struct visits **visits)
{
    free(*visits);
}

static struct crowd_unit *find_unit(void *context, int64_t unit)
{
    struct race *race = context;
    struct crowd_unit *found = map_get(&race->units, unit);

    if (found == NULL)
        sim_fail(race->site, "unit %lld was granted and never published", (long long)unit);
    return found;
}

static void add_visit(struct race *race, struct visits *visits, size_t number)
{
    struct crowd_host *host = &race->crowd.hosts[number];
    size_t i = visits->count++;
    struct command *command = &visits->commands[i];

    crowd_ask(&race->crowd, host, race->site->env.now_s, &visits->requests[i]);
    *command = (struct command){.kind = COMMAND_VISIT};
    command->visit = (struct visit_command){.host = host->id,
                                            .prefix = host->prefix,
                                            .request = &visits->requests[i],
                                            .statement = "{}",
                                            .statement_length = 2,
                                            .reply = &visits->replies[i]};
    memcpy(command->visit.request_digest.bytes, &host->visit, sizeof host->visit);
    visits->hosts[i] = number;
    visits->list[i] = command;
}

static void hear(struct race *race, struct visits *visits, size_t i)
{
    const struct crowd_finder finder = {.find = find_unit, .context = race};
    struct crowd_host *host = &race->crowd.hosts[visits->hosts[i]];
    const struct command *command = &visits->commands[i];

    if (command->status != STATUS_OK)
        sim_fail(race->site, "a visit is refused: %s (%s)", command->err.text, command->err.detail);
    crowd_hear(host, &visits->replies[i], &finder);
    scheduler_reply_clear(&visits->replies[i]);
    scheduler_request_clear(&visits->requests[i]);
    wake_at(race, visits->hosts[i], crowd_next_ms(&race->crowd, host));
}

static void run_visits(struct race *race, struct visits *visits)
{
    if (visits->count == 0)
        return;
    engine_run(race->site->engine, visits->list, visits->count);
    for (size_t i = 0; i < visits->count; i++)
        hear(race, visits, i);
    visits->count = 0;
}

/* ------------------------------------------------------------------------------------------- time
 */

static void look(struct race *race, struct crowd_host *host)
{
    CLEANUP(project_parts_clear) struct project_parts parts;

    published_project(engine_published(race->site->engine), &parts);
    crowd_read(host, &parts.work);
}

static void wake_hosts(struct race *race, struct visits *visits)
{
    int64_t now_ms = race_now_ms(race);
    struct deadline_hint hint;

    while (deadlines_take(&race->wakes, now_ms, &hint)) {
        size_t number = (size_t)hint.unit - 1;
        struct crowd_host *host = &race->crowd.hosts[number];

        if (host->wake_ms != hint.up_s)
            continue; /* it changed its mind */
        crowd_pass(&race->crowd, host, now_ms);
        if (crowd_looks(&race->crowd, host))
            look(race, host);
        if (!crowd_visits(&race->crowd, host)) {
            wake_at(race, number, crowd_next_ms(&race->crowd, host));
            continue;
        }
        host->wake_ms = TALK_NEVER;
        add_visit(race, visits, number);
        if (visits->count == ENGINE_COMMANDS_MAX)
            run_visits(race, visits);
    }
    run_visits(race, visits);
}

static void tick(struct race *race)
{
    struct sim_site *site = race->site;

    if (race_now_ms(race) < race->ticked_ms + TICK_MS)
        return;
    race->ticked_ms = race_now_ms(race);
    if (site->env.now_s >= site->renewed_s + RENEW_S)
        sim_renew_freshness(site);
    engine_tick(site->engine);
    while (engine_go_on(site->engine)) {
    }
}

static int64_t next_ms(const struct race *race, int64_t until_ms)
{
    int64_t next = race_now_ms(race) + STEP_MS;

    if (race->wakes.count > 0 && race->wakes.hints[0].up_s < next)
        next = race->wakes.hints[0].up_s;
    if (next < race_now_ms(race))
        next = race_now_ms(race);
    return next < until_ms ? next : until_ms;
}

static int64_t ended(const struct race *race)
{
    const struct engine_counts counts = engine_counts(race->site->engine);

    return counts.units_accepted + counts.units_failed;
}

static void step(struct race *race, int64_t until_ms, struct visits *visits)
{
    race->site->step++;
    fake_env_pass(&race->site->env, next_ms(race, until_ms) - race_now_ms(race));
    tick(race);
    wake_hosts(race, visits);
}

bool race_run(struct race *race, int64_t until_ms)
{
    CLEANUP(visits_free) struct visits *visits = must_alloc(1, sizeof *visits);

    while (race_now_ms(race) < until_ms && ended(race) < (int64_t)race->units.count)
        step(race, until_ms, visits);
    return ended(race) >= (int64_t)race->units.count;
}

void race_idle(struct race *race, int64_t ms)
{
    CLEANUP(visits_free) struct visits *visits = must_alloc(1, sizeof *visits);
    int64_t until_ms = race_now_ms(race) + ms;

    while (race_now_ms(race) < until_ms)
        step(race, until_ms, visits);
}

/* Units that want the second host when all hosts have had their score stay open: cancelled. */
void race_prove_hosts(struct race *race, int64_t mean_ms)
{
    const struct crowd_rule rule = race->crowd.rule;
    const struct race_batch proof = {.name = "proof",
                                     .units = race->crowd.kind.hosts * PROOF_TASKS / CROWD_QUORUM,
                                     .mean_ms = mean_ms};
    int number = race_publish(race, &proof);

    race->crowd.rule.cores_most = 1;
    race->crowd.rule.tasks_most = PROOF_TASKS;
    race->crowd.rule.buffer_s = 0;
    if (!race_run(race, race_now_ms(race) + PROOF_MOST_MS)) {
        sim_act(race->site, &race->loads[number].id, ACTION_CANCEL);
        (void)race_run(race, race_now_ms(race) + STEP_MS);
    }
    race->crowd.rule = rule;
    race->crowd.batches[number] = (struct crowd_batch){0};
}

void race_call_hosts(struct race *race)
{
    int64_t now_ms = race_now_ms(race);

    for (size_t i = 0; i < race->crowd.kind.hosts; i++) {
        struct crowd_host *host = &race->crowd.hosts[i];

        crowd_pass(&race->crowd, host, now_ms);
        host->return_ms = now_ms + (int64_t)fake_env_below(&host->chance, 60000);
        wake_at(race, i, crowd_next_ms(&race->crowd, host));
    }
}
