#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "common/json/build.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/site/tokens.h"
#include "server/site/verbs.h"

#define PAGE 100

static const struct option_rule options[] = {
    {.name = "role",
     .argument = "ROLE",
     .help =
         "With new: operator (may do everything) or reader (may only look). Default: operator."},
    {.name = "name", .argument = "NAME", .help = "With new: whose it is, to tell tokens apart."},
    {.name = "expires",
     .argument = "TIME",
     .help = "With new: when it ends, such as 30d (default: never)."},
    VERB_JSON_OPTION,
};

static enum status read_wish(struct env *env, const struct options *given,
                             struct credential *ret_credential, struct error *err)
{
    static const char *const roles[] = {"operator", "reader"};
    struct credential credential = {.kind = CREDENTIAL_OPERATOR, .created_s = env->now_s(env)};
    const char *name = options_text(given, "name");
    int64_t expires_s = 0;
    size_t role = 0;

    if (name == NULL || *name == '\0' || !text_is_plain(name, strlen(name), false) ||
        !text_fit(credential.label, sizeof credential.label, name))
        return error_set(err, STATUS_INVALID, "--name is needed: plain text of up to %d bytes",
                         CREDENTIAL_LABEL_MAX);
    TRY(options_choice(given, "role", roles, 2, 0, &role, err));
    TRY(options_seconds(given, "expires", 1, INT64_C(3650) * 86400, 0, &expires_s, err));
    credential.role = role == 0 ? ROLE_OPERATOR : ROLE_READER;
    credential.expires_s = expires_s > 0 ? credential.created_s + expires_s : 0;
    *ret_credential = credential;
    return STATUS_OK;
}

static enum status add(struct env *env, struct store *store, const struct credential *wish,
                       struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct credential credential = *wish;
    struct token token;
    int64_t id = 0;

    token_make(env, &token);
    credential.hash = token_digest(&token);
    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->credential_add(store, &credential, &id, err));
    (void)fprintf(stderr, "Token %lld of %s. It is shown this once and kept by nobody:\n",
                  (long long)id, credential.label);
    TRY(verb_print_secret(token.text, "token", err));
    return txn_commit(&txn, err);
}

static const char *state_of(const struct credential *credential, int64_t now_s)
{
    if (credential->revoked_s != 0)
        return "revoked";
    if (credential->expires_s != 0 && credential->expires_s <= now_s)
        return "expired";
    return "valid";
}

static void print_day(int64_t time_s, char ret_text[16])
{
    time_t time = (time_t)time_s;
    struct tm parts;

    if (time_s == 0 || gmtime_r(&time, &parts) == NULL ||
        strftime(ret_text, 16, "%Y-%m-%d", &parts) == 0)
        (void)text_fit(ret_text, 16, "never");
}

static void print_line(const struct credential *line, int64_t now_s)
{
    char day[16];

    print_day(line->expires_s, day);
    (void)printf("%-6lld %-9s %-8s %-11s %s\n", (long long)line->id,
                 line->role == ROLE_OPERATOR ? "operator" : "reader", state_of(line, now_s), day,
                 line->label);
}

static void add_line(json_t *lines, const struct credential *line, int64_t now_s)
{
    build_append(lines, json_pack("{s:I, s:s, s:s, s:I, s:s}", "id", (json_int_t)line->id, "role",
                                  line->role == ROLE_OPERATOR ? "operator" : "reader", "state",
                                  state_of(line, now_s), "expires_s", (json_int_t)line->expires_s,
                                  "name", line->label));
}

/* `lines` NULL: as a table. */
static enum status list_all(struct env *env, struct store *store, json_t *lines, struct error *err)
{
    struct credential *page = must_alloc(PAGE, sizeof *page);
    enum status status = STATUS_OK;
    size_t count = 1;
    int64_t after = 0;

    if (lines == NULL)
        (void)printf("%-6s %-9s %-8s %-11s %s\n", "NUMBER", "ROLE", "STATE", "EXPIRES", "NAME");
    while (status == STATUS_OK && count > 0) {
        status =
            store->publish->credentials(store, CREDENTIAL_OPERATOR, after, page, PAGE, &count, err);
        for (size_t i = 0; status == STATUS_OK && i < count; i++) {
            if (lines == NULL)
                print_line(&page[i], env->now_s(env));
            else
                add_line(lines, &page[i], env->now_s(env));
            after = page[i].id;
        }
    }
    free(page);
    return status;
}

static enum status list(struct env *env, struct store *store, bool is_json, struct error *err)
{
    json_t *lines = is_json ? json_array() : NULL;
    enum status status = list_all(env, store, lines, err);

    if (status == STATUS_OK && is_json)
        verb_print_json(json_incref(lines));
    json_decref(lines);
    return status;
}

static enum status revoke(struct env *env, struct store *store, int64_t id, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->credential_revoke(store, id, env->now_s(env), err));
    TRY(txn_commit(&txn, err));
    (void)printf("Token %lld is revoked.\n", (long long)id);
    return STATUS_OK;
}

/* The command line, read before the site is opened. */
struct order {
    enum { TOKEN_NEW, TOKEN_LIST, TOKEN_REVOKE } what;
    struct disk_path folder;
    struct credential wish; /* of TOKEN_NEW */
    int64_t id;             /* of TOKEN_REVOKE */
};

/* Options of other words than this one. */
static enum status check_options(const struct options *given, const char *verb, struct error *err)
{
    static const char *const of_new[] = {"role", "name", "expires"};

    for (size_t i = 0; i < sizeof of_new / sizeof *of_new; i++)
        TRY(options_belong(given, strcmp(verb, "new") == 0, of_new[i], "new", err));
    return options_belong(given, strcmp(verb, "list") == 0, "json", "list", err);
}

static enum status read_order(struct env *env, const struct options *given, struct order *ret_order,
                              struct error *err)
{
    const char *verb = given->operands[1];
    size_t count = given->operand_count;

    TRY(verb_folder(given, &ret_order->folder, err));
    TRY(check_options(given, verb, err));
    if (strcmp(verb, "new") == 0 && count == 2) {
        ret_order->what = TOKEN_NEW;
        return read_wish(env, given, &ret_order->wish, err);
    }
    if (strcmp(verb, "list") == 0 && count == 2) {
        ret_order->what = TOKEN_LIST;
        return STATUS_OK;
    }
    if (strcmp(verb, "revoke") != 0 || count != 3)
        return error_set(err, STATUS_INVALID, "say new, list, or revoke NUMBER");
    ret_order->what = TOKEN_REVOKE;
    if (!text_to_integer(given->operands[2], 1, ID_MAX, &ret_order->id))
        return error_set(err, STATUS_INVALID, "tokens are revoked by their number, see list");
    return STATUS_OK;
}

static enum status act(struct env *env, const struct order *order, bool is_json, struct error *err)
{
    CLEANUP(store_closep) struct store *store = NULL;

    TRY(verb_open_store(env, order->folder.text, &store, err));
    switch (order->what) {
    case TOKEN_NEW:
        return add(env, store, &order->wish, err);
    case TOKEN_LIST:
        return list(env, store, is_json, err);
    case TOKEN_REVOKE:
        return revoke(env, store, order->id, err);
    }
    abort();
}

static int run(void *context, const struct options *given)
{
    struct order order = {0};
    struct error err = {0};

    if (read_order(context, given, &order, &err) != STATUS_OK)
        return verb_usage(given, &err);
    return act(context, &order, options_has(given, "json"), &err) == STATUS_OK ? VERB_OK
                                                                               : verb_fail(&err);
}

const struct command verb_token = {
    .name = "token",
    .operands = "DIR new|list|revoke [NUMBER]",
    .operand_min = 2,
    .operand_max = 3,
    .summary = "make, list and revoke operators' tokens",
    .description =
        "An operator's token lets `dugnad` and the web console speak for the operator. It signs "
        "nothing: work is signed with keys that the server never sees. The new token alone is "
        "printed on stdout; the site keeps its digest. Works while the server runs.",
    .examples = "Give the operator's command what it needs:\n"
                "  dugnad-server token ~/site new --role operator --name me",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
