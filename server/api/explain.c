/* GET /v1/batches/{id}/explain: what a batch waits for, and why units of it failed. */
#include "protocol/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/cause.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/surroundings.h"
#include "server/api/views.h"
#include "server/api/waiting.h"

#define STANDING_MAX 10000  /* open units looked at, with their tasks: likewise */
#define ENDINGS_MAX  100000 /* failed units looked at: tenths of a second */

struct explaining {
    struct call *call;
    struct explanation explanation;
    struct waiting_facts facts;
    struct surroundings surroundings;
    int64_t app_version;
    struct digest open_unit; /* none: there is none */
};

static void free_explaining(void *state)
{
    struct explaining *explaining = state;

    explanation_clear(&explaining->explanation);
    free(explaining);
}

static bool add_failure(void *context, const struct failure_group *group)
{
    struct explanation *explanation = context;
    struct explain_failure *failure = &explanation->failures[explanation->failure_count++];
    const struct cause cause = {.cause = group->cause, .detail = group->detail};

    *failure = (struct explain_failure){.count = group->count, .example_unit = group->example_unit};
    cause_words(&cause, group->why, failure->why);
    failure->stderr_tail = show_text(group->stderr_tail, EXPLAIN_STDERR_MAX);
    return explanation->failure_count < EXPLAIN_FAILURES_MAX;
}

/* Units that no task's failure explains: revoked, say, before anybody had them. */
static bool add_ending(void *context, const struct ending_group *group)
{
    struct explanation *explanation = context;
    struct explain_failure *failure = &explanation->failures[explanation->failure_count];

    if (group->failure < FAILURE_DISSENT || group->failure > FAILURE_REVOKED)
        return true;
    if (explanation->failure_count == EXPLAIN_FAILURES_MAX)
        return false;
    explanation->failure_count++;
    *failure = (struct explain_failure){.count = group->count, .example_unit = group->example_unit};
    (void)text_fit(failure->why, sizeof failure->why, show_unit_why(UNIT_FAILED, group->failure));
    return true;
}

static bool take_open_unit(void *context, const struct unit_line *line)
{
    struct explaining *explaining = context;

    explaining->open_unit = line->digest;
    return false;
}

static bool take_app_version(void *context, const struct batch_view *view)
{
    struct explaining *explaining = context;

    explaining->app_version = view->row.app_version;
    explaining->explanation.phase = (enum batch_phase)view->row.state;
    return true;
}

struct kept_unit {
    struct unit unit; /* its rule and validity; no tasks */
    bool is_there;
};

static bool keep_unit(void *context, const struct unit_view *view)
{
    struct kept_unit *kept = context;

    kept->is_there = true;
    kept->unit.rule = view->unit->rule;
    kept->unit.not_before_s = view->unit->not_before_s;
    kept->unit.memory_bytes = view->unit->memory_bytes;
    kept->unit.disk_bytes = view->unit->disk_bytes;
    kept->unit.output_bytes = view->unit->output_bytes;
    return true;
}

struct wording {
    struct explaining *explaining;
    const struct kept_unit *kept;
    struct standing standing;
};

static bool word(void *context, const struct batch_view *view)
{
    struct wording *wording = context;
    struct explaining *explaining = wording->explaining;

    if (view->failed + view->cancelled > ENDINGS_MAX)
        explaining->explanation.units_examined = ENDINGS_MAX;
    waiting_of_batch(view, wording->kept->is_there ? &wording->kept->unit : NULL,
                     &wording->standing, &explaining->facts, &explaining->explanation.waits_for);
    return true;
}

static enum status read_all(struct explaining *explaining, struct store *store, struct error *err)
{
    const struct query_ops *query = store->query;
    struct explanation *explanation = &explaining->explanation;
    struct kept_unit *kept = must_alloc(1, sizeof *kept);
    struct wording wording = {.explaining = explaining, .kept = kept};
    int64_t batch = 0;
    enum status status = show_find_batch(explaining->call, store, &batch, err);

    explanation->failures = must_alloc(EXPLAIN_FAILURES_MAX, sizeof *explanation->failures);
    if (status == STATUS_OK)
        status = query->batch(store, batch, take_app_version, explaining, err);
    if (status == STATUS_OK)
        status = query->units(store, batch, UNIT_OPEN, 0, 1, take_open_unit, explaining, err);
    if (status == STATUS_OK && !digest_is_none(&explaining->open_unit))
        status = query->unit(store, &explaining->open_unit, keep_unit, kept, err);
    kept->unit.app_version = explaining->app_version;
    if (status == STATUS_OK)
        status = surroundings_read(explaining->call, store, &kept->unit, &explaining->surroundings,
                                   &explaining->facts, err);
    if (status == STATUS_OK)
        status = query->standing(store, batch, &explaining->facts.supply, STANDING_MAX,
                                 &wording.standing, err);
    if (status == STATUS_OK)
        status = signatures_of_batch(&explaining->surroundings.judge, store, batch, STANDING_MAX,
                                     &explaining->facts.signatures, err);
    if (status == STATUS_OK)
        status = query->batch(store, batch, word, &wording, err);
    if (status == STATUS_OK)
        status = query->failures(store, batch, add_failure, explanation, err);
    if (status == STATUS_OK)
        status = query->endings(store, batch, ENDINGS_MAX, add_ending, explanation, err);
    free(kept);
    return status;
}

static void explain(struct call *call, struct store *store)
{
    struct explaining *explaining = call->state;
    struct error err;

    if (read_all(explaining, store, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    explaining->explanation.hosts = explaining->facts.supply.hosts;
    explaining->explanation.volunteers = explaining->facts.supply.volunteers;
    call_json(call, 200, explanation_encode(&explaining->explanation));
}

void explain_get(struct call *call)
{
    struct explaining *explaining = call_state(call, sizeof *explaining, free_explaining);

    explaining->call = call;
    call_read(call, explain);
}
