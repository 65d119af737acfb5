#include "server/engine/publications.h"

#include <stdlib.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "server/engine/publishing.h"

enum status solo_refuse(struct solo *solo, const struct error *err)
{
    solo->is_refused = true;
    solo->command->status = err->status;
    solo->command->err = *err;
    return STATUS_INVALID; /* any that ends the cycle */
}

enum status solo_check(struct solo *solo, enum status status, struct error *err)
{
    if (status == STATUS_OK || status == STATUS_STORAGE || status == STATUS_FULL ||
        status == STATUS_BUSY)
        return status;
    return solo_refuse(solo, err);
}

static void solo_clear(struct solo *solo)
{
    trust_clear(&solo->trust);
    free(solo->units);
}

/* ------------------------------------------------------------------------- accounts, files, clock
 */

static enum status add_account(struct cycle *cycle, const struct account_command *account,
                               int64_t *ret_volunteer, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct volunteer volunteer = {.kind = VOLUNTEER_ACCOUNT, .created_s = cycle->clock.now_s};
    struct credential credential = {
        .kind = CREDENTIAL_ACCOUNT, .hash = account->key, .created_s = cycle->clock.now_s};
    int64_t id;

    (void)text_fit(volunteer.name, sizeof volunteer.name, account->name);
    TRY(store->publish->volunteer_add(store, &volunteer, ret_volunteer, err));
    credential.volunteer = *ret_volunteer;
    return store->publish->credential_add(store, &credential, &id, err);
}

static enum status account_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct account_command *account = &solo->command->account;
    struct credential known;
    enum status status = store->publish->credential_find(store, &account->key, &known, err);

    if (status == STATUS_NOT_FOUND)
        return add_account(cycle, account, &account->volunteer, err);
    TRY(status);
    account->volunteer = known.volunteer;
    return STATUS_OK;
}

static enum status file_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct file_command *file = &solo->command->file;
    struct file_record record = {
        .digest = file->digest, .size_bytes = file->size_bytes, .time_s = cycle->clock.now_s};

    if (cycle_check_file(cycle, &file->digest, err) != STATUS_OK)
        return solo_refuse(solo, err);
    return solo_check(solo, store->publish->file_add(store, &record, &file->is_new, err), err);
}

/* Confirmed first: the time that this very commit writes is to be believed. */
static enum status clock_run(struct cycle *cycle, struct solo *solo)
{
    struct engine *engine = cycle->engine;

    solo->command->clock.was_in_doubt = cycle->clock.is_in_doubt;
    if (!cycle->clock.is_in_doubt)
        return STATUS_OK;
    cycle_note(cycle, JOURNAL_CLOCK, engine->site.server, cycle->clock.off_s);
    clock_confirm(&engine->clock);
    return STATUS_OK;
}

/* -------------------------------------------------------------------------------------- dispatch
 */

static enum status run_solo(struct cycle *cycle, void *context, struct error *err)
{
    struct solo *solo = context;

    solo->unit_count = 0;
    switch (solo->command->kind) {
    case COMMAND_ACCOUNT:
        return account_run(cycle, solo, err);
    case COMMAND_FILE_STORED:
        return file_run(cycle, solo, err);
    case COMMAND_CLOCK:
        return clock_run(cycle, solo);
    case COMMAND_BATCH:
        return batch_run(cycle, solo, err);
    case COMMAND_UNITS:
        return units_run(cycle, solo, err);
    default:
        return signed_run(cycle, solo, err);
    }
}

static void finish_solo(struct cycle *cycle, void *context)
{
    struct solo *solo = context;

    for (size_t i = 0; i < solo->unit_count; i++)
        queue_put(cycle->engine->queue, &solo->units[i]);
    signed_finish(cycle, solo);
}

static void run_in_cycle(struct engine *engine, struct command *command)
{
    CLEANUP(solo_clear) struct solo solo = {.command = command};
    const struct cycle_work work = {.run = run_solo, .context = &solo};
    struct error err = {0};
    enum status status = cycle_do(engine, &work, finish_solo, &err);

    if (solo.is_refused)
        return;
    command->status = status;
    command->err = err;
}

/* ----------------------------------------------------------------------------------------- tokens
 */

static enum status find_host(struct engine *engine, const struct digest *token,
                             struct published_credential *ret_credential, struct error *err)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    struct work_request request = {.tokens = token, .token_count = 1};
    const struct host *host;

    TRY(engine->store->work->load(engine->store, &request, &set, err));
    host = work_host_by_token(&set, token);
    if (host == NULL)
        return STATUS_NOT_FOUND;
    *ret_credential =
        (struct published_credential){.kind = TOKEN_HOST, .subject = host->id, .key = host->key};
    return STATUS_OK;
}

static enum status find_credential(struct engine *engine, const struct digest *token,
                                   struct published_credential *ret_credential, struct error *err)
{
    struct credential found;
    int64_t now_s = engine->env->now_s(engine->env);
    bool is_account;

    TRY(engine->store->publish->credential_find(engine->store, token, &found, err));
    if (found.revoked_s != 0 || (found.expires_s != 0 && found.expires_s <= now_s))
        return STATUS_NOT_FOUND;
    is_account = found.kind == CREDENTIAL_ACCOUNT;
    *ret_credential = (struct published_credential){
        .kind = TOKEN_OPERATOR, .subject = found.id, .expires_s = found.expires_s};
    if (is_account) {
        ret_credential->kind = TOKEN_ACCOUNT;
        ret_credential->subject = found.volunteer;
    } else if (found.role != ROLE_OPERATOR) {
        ret_credential->kind = TOKEN_READER;
    }
    return STATUS_OK;
}

static void run_credential(struct engine *engine, struct command *command)
{
    struct credential_command *ask = &command->credential;
    struct error *err = &command->err;
    enum status status = find_host(engine, &ask->token, &ask->credential, err);

    if (status == STATUS_NOT_FOUND)
        status = find_credential(engine, &ask->token, &ask->credential, err);
    if (status == STATUS_NOT_FOUND)
        status = error_set(err, STATUS_UNAUTHORIZED, "this token is nobody's");
    if (status == STATUS_UNAUTHORIZED)
        published_forget_credential(engine->published, &ask->token);
    if (status == STATUS_OK)
        published_put_credential(engine->published, &ask->token, &ask->credential);
    command->status = status;
}

void publication_run(struct engine *engine, struct command *command)
{
    if (command->kind == COMMAND_CREDENTIAL)
        run_credential(engine, command);
    else if (command->kind == COMMAND_READ)
        command->status =
            command->read.read(engine->store, command->read.read_context, &command->err);
    else
        run_in_cycle(engine, command);
}
