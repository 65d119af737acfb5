#include "server/engine/enrolments.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/publishing.h"

#define HOUR_SECONDS 3600

/* ------------------------------------------------------------------------------------- budgets */

static void start_hour(struct engine *engine, int64_t now_s)
{
    int64_t hour = now_s / HOUR_SECONDS;

    if (hour == engine->enrolment_hour)
        return;
    engine->enrolment_hour = hour;
    engine->enrolment_count = 0;
}

static struct enrolment_count *least_of(struct engine *engine)
{
    struct enrolment_count *least = &engine->enrolments[0];

    for (size_t i = 1; i < engine->enrolment_count; i++)
        if (engine->enrolments[i].count < least->count)
            least = &engine->enrolments[i];
    return least;
}

/*
 * Where all places are taken, whoever is new takes that of the least, with its count: so nobody is
 * counted too low, and with thousands of prefixes in one hour the newcomers share what is left of
 * all budgets. Such counting is called "space saving".
 */
static struct enrolment_count *count_of(struct engine *engine, const char *who)
{
    struct enrolment_count *count;

    for (size_t i = 0; i < engine->enrolment_count; i++)
        if (strcmp(engine->enrolments[i].who, who) == 0)
            return &engine->enrolments[i];
    if (engine->enrolment_count == ENROLMENT_COUNTS_MAX) {
        count = least_of(engine);
    } else {
        count = &engine->enrolments[engine->enrolment_count++];
        count->count = 0;
    }
    (void)text_fit(count->who, sizeof count->who, who);
    return count;
}

/* A host with an account costs its account, so that no neighbour can keep it out. */
static enum status spend_budget(struct cycle *cycle, const struct enrol_command *enrol,
                                int64_t volunteer, struct error *err)
{
    struct engine *engine = cycle->engine;
    bool has_account = !digest_is_none(&enrol->account);
    struct enrolment_count *count;
    char who[PREFIX_MAX + 1];

    if (has_account)
        (void)snprintf(who, sizeof who, "account %" PRId64, volunteer);
    else
        (void)text_fit(who, sizeof who, enrol->prefix);
    start_hour(engine, cycle->clock.now_s);
    count = count_of(engine, who);
    if (count->count < engine->config.enrolments_per_hour) {
        count->count++;
        return STATUS_OK;
    }
    (void)error_set(
        err, STATUS_LIMITED, "too many new hosts %s in this hour; at most %" PRId64 " are let in",
        has_account ? "of this account" : "from this network", engine->config.enrolments_per_hour);
    error_retry_after(err, HOUR_SECONDS - cycle->clock.now_s % HOUR_SECONDS + 1);
    return STATUS_LIMITED;
}

/* ------------------------------------------------------------------------------------ volunteers
 */

static enum status find_account(struct cycle *cycle, const struct digest *key,
                                int64_t *ret_volunteer, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct credential credential;
    enum status status = store->publish->credential_find(store, key, &credential, err);
    bool is_valid =
        status == STATUS_OK && credential.kind == CREDENTIAL_ACCOUNT && credential.revoked_s == 0;

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (!is_valid)
        return error_set(err, STATUS_UNAUTHORIZED, "there is no account with this key");
    *ret_volunteer = credential.volunteer;
    return STATUS_OK;
}

static enum status find_volunteer(struct cycle *cycle, const struct enrol_command *enrol,
                                  int64_t *ret_volunteer, struct error *err)
{
    struct store *store = cycle->engine->store;

    if (!digest_is_none(&enrol->account))
        return find_account(cycle, &enrol->account, ret_volunteer, err);
    return store->publish->volunteer_of_prefix(store, enrol->prefix, cycle->clock.now_s,
                                               ret_volunteer, err);
}

/* -------------------------------------------------------------------------------------- enrolling
 */

/* It comes again: with another token, perhaps with an account that it had not before. */
static enum status renew(struct cycle *cycle, const struct enrol_command *enrol, struct host *host,
                         struct error *err)
{
    int64_t volunteer = host->volunteer;

    if (host->is_withdrawn)
        return error_set(err, STATUS_GONE,
                         "the host of this key was withdrawn; enrol with a new key");
    if (!digest_is_none(&enrol->account))
        TRY(find_account(cycle, &enrol->account, &volunteer, err));
    if (volunteer == host->volunteer && digest_equals(&host->token, &enrol->token))
        return STATUS_OK;
    if (host->id != 0 && !digest_equals(&host->token, &enrol->token))
        published_forget_credential(cycle->engine->published, &host->token);
    host->volunteer = volunteer;
    host->is_without_account = host->is_without_account && digest_is_none(&enrol->account);
    host->token = enrol->token;
    host->is_changed = true;
    return STATUS_OK;
}

static enum status add(struct cycle *cycle, const struct enrol_command *enrol, struct error *err)
{
    int64_t volunteer = 0;
    struct host *host;

    TRY(find_volunteer(cycle, enrol, &volunteer, err));
    TRY(spend_budget(cycle, enrol, volunteer, err));
    host = work_add_host(&cycle->set);
    host->key = enrol->key;
    host->kind = enrol->kind;
    host->volunteer = volunteer;
    host->organisation = -volunteer;
    host->is_without_account = digest_is_none(&enrol->account);
    host->prefix = text_copy(enrol->prefix);
    host->platform = text_copy("");
    host->client = text_copy("");
    host->token = enrol->token;
    host->incarnation = 1;
    host->enrolled_s = cycle->clock.now_s;
    host->seen_s = cycle->clock.now_s;
    host->seen_up_s = cycle->clock.up_s;
    host->is_changed = true;
    return STATUS_OK;
}

static bool fails_the_cycle(enum status status)
{
    return status == STATUS_STORAGE || status == STATUS_FULL || status == STATUS_BUSY ||
           status == STATUS_CONFLICT;
}

enum status enrolment_take(struct cycle *cycle, struct command *command, struct error *err)
{
    const struct enrol_command *enrol = &command->enrol;
    struct host *host = work_host_by_key(&cycle->set, &enrol->key);

    command->status =
        host != NULL ? renew(cycle, enrol, host, &command->err) : add(cycle, enrol, &command->err);
    if (!fails_the_cycle(command->status))
        return STATUS_OK;
    if (err != NULL)
        *err = command->err;
    return command->status;
}

void enrolment_answer(struct cycle *cycle, struct command *command)
{
    struct enrol_command *enrol = &command->enrol;
    const struct host *host = work_host_by_key(&cycle->set, &enrol->key);
    struct published_credential credential = {.kind = TOKEN_HOST};

    if (command->status != STATUS_OK)
        return;
    enrol->host = host->id;
    enrol->volunteer = host->volunteer;
    enrol->next_visit = host->visit + 1;
    credential.subject = host->id;
    credential.key = host->key;
    published_put_credential(cycle->engine->published, &enrol->token, &credential);
}
