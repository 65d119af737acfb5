#include <stdio.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "common/json/build.h"
#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "server/site/tokens.h"
#include "server/site/verbs.h"

#define PAGE 100

static enum status add(struct env *env, struct store *store, const char *name, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct volunteer volunteer = {.kind = VOLUNTEER_ACCOUNT, .created_s = env->now_s(env)};
    struct credential credential = {.kind = CREDENTIAL_ACCOUNT, .created_s = volunteer.created_s};
    struct token key;
    int64_t id = 0;

    (void)text_fit(volunteer.name, sizeof volunteer.name, name);
    token_make(env, &key);
    credential.hash = token_digest(&key);
    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->volunteer_add(store, &volunteer, &credential.volunteer, err));
    TRY(store->publish->credential_add(store, &credential, &id, err));
    (void)fprintf(stderr, "Volunteer %lld, %s. The account key is shown this once:\n",
                  (long long)credential.volunteer, name);
    TRY(verb_print_secret(key.text, "account key", err));
    return txn_commit(&txn, err);
}

/* Each volunteer with an account, by way of the accounts' keys. */
static enum status each(struct store *store,
                        enum status (*visit)(struct store *store, const struct volunteer *volunteer,
                                             void *context, struct error *err),
                        void *context, struct error *err)
{
    struct credential *page = must_alloc(PAGE, sizeof *page);
    enum status status = STATUS_OK;
    size_t count = 1;
    int64_t after = 0;

    while (status == STATUS_OK && count > 0) {
        status =
            store->publish->credentials(store, CREDENTIAL_ACCOUNT, after, page, PAGE, &count, err);
        for (size_t i = 0; status == STATUS_OK && i < count; i++) {
            struct volunteer volunteer;

            after = page[i].id;
            status = store->publish->volunteer_load(store, page[i].volunteer, &volunteer, err);
            if (status == STATUS_OK)
                status = visit(store, &volunteer, context, err);
        }
    }
    free(page);
    return status;
}

static enum status print_line(struct store *store, const struct volunteer *volunteer, void *context,
                              struct error *err)
{
    (void)store;
    (void)context;
    (void)err;
    (void)printf("%-8lld %s\n", (long long)volunteer->id,
                 *volunteer->name != '\0' ? volunteer->name : "(no name)");
    return STATUS_OK;
}

static enum status add_line(struct store *store, const struct volunteer *volunteer, void *context,
                            struct error *err)
{
    json_t *lines = context;

    (void)store;
    (void)err;
    build_append(lines,
                 json_pack("{s:I, s:s}", "id", (json_int_t)volunteer->id, "name", volunteer->name));
    return STATUS_OK;
}

static enum status list(struct store *store, bool is_json, struct error *err)
{
    json_t *lines = is_json ? json_array() : NULL;
    enum status status = each(store, is_json ? add_line : print_line, lines, err);

    if (status == STATUS_OK && is_json)
        verb_print_json(json_incref(lines));
    json_decref(lines);
    return status;
}

struct wanted {
    const char *name;
    int64_t id; /* of the volunteer looked at */
    size_t found;
    size_t hosts;
    int64_t last;
};

static bool print_host(void *context, const struct host_line *line)
{
    struct wanted *wanted = context;
    const struct host *host = line->host;

    wanted->hosts++;
    wanted->last = host->id;
    if (host->volunteer == wanted->id)
        (void)printf("  host %lld  %s%s  running %lld  agreed %lld  outvoted %lld  errors %lld\n",
                     (long long)host->id, host->platform, host->is_withdrawn ? " (withdrawn)" : "",
                     (long long)line->running, (long long)host->agreed, (long long)host->outvoted,
                     (long long)host->errors);
    return true;
}

static enum status print_hosts(struct store *store, struct wanted *wanted, struct error *err)
{
    wanted->last = 0;
    wanted->hosts = 1;
    while (wanted->hosts > 0) {
        wanted->hosts = 0;
        TRY(store->query->hosts(store, wanted->last, PAGE, print_host, wanted, err));
    }
    return STATUS_OK;
}

static enum status show_if_wanted(struct store *store, const struct volunteer *volunteer,
                                  void *context, struct error *err)
{
    struct wanted *wanted = context;

    if (strcmp(volunteer->name, wanted->name) != 0)
        return STATUS_OK;
    wanted->found++;
    wanted->id = volunteer->id;
    TRY(print_line(store, volunteer, NULL, err));
    return print_hosts(store, wanted, err);
}

static enum status show(struct store *store, const char *name, struct error *err)
{
    struct wanted wanted = {.name = name};

    TRY(each(store, show_if_wanted, &wanted, err));
    if (wanted.found == 0)
        return error_set(err, STATUS_NOT_FOUND, "there is no volunteer \"%.64s\"", name);
    return STATUS_OK;
}

/* The command line is right; asked before the site is opened. */
static enum status check(const struct options *given, struct error *err)
{
    bool is_named = given->operand_count == 3;
    const char *verb = given->operands[1], *name = is_named ? given->operands[2] : "";

    TRY(options_belong(given, strcmp(verb, "list") == 0, "json", "list", err));
    if (strcmp(verb, "list") == 0 && !is_named)
        return STATUS_OK;
    if (!is_named || (strcmp(verb, "add") != 0 && strcmp(verb, "show") != 0))
        return error_set(err, STATUS_INVALID, "say list, add NAME, or show NAME");
    if (!text_is_plain(name, strlen(name), false) || strlen(name) > VOLUNTEER_NAME_MAX)
        return error_set(err, STATUS_INVALID, "a name is plain text of up to %d bytes",
                         VOLUNTEER_NAME_MAX);
    return STATUS_OK;
}

static enum status act(struct env *env, const struct options *given, const char *folder,
                       struct error *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    const char *verb = given->operands[1];

    TRY(verb_open_store(env, folder, &store, err));
    if (strcmp(verb, "list") == 0)
        return list(store, options_has(given, "json"), err);
    return strcmp(verb, "add") == 0 ? add(env, store, given->operands[2], err)
                                    : show(store, given->operands[2], err);
}

static int run(void *context, const struct options *given)
{
    struct disk_path folder;
    struct error err = {0};

    if (verb_folder(given, &folder, &err) != STATUS_OK || check(given, &err) != STATUS_OK)
        return verb_usage(given, &err);
    return act(context, given, folder.text, &err) == STATUS_OK ? VERB_OK : verb_fail(&err);
}

static const struct option_rule options[] = {VERB_JSON_OPTION};

const struct command verb_volunteer = {
    .name = "volunteer",
    .operands = "DIR list|add|show [NAME]",
    .operand_min = 2,
    .operand_max = 3,
    .summary = "list, add and show volunteers with an account",
    .description =
        "A volunteer with an account owns hosts: copies of one unit never go to two hosts of one "
        "volunteer. `add` prints the account's key, which `dugnad-client attach --account KEY` "
        "takes; volunteers can also make an account themselves. Works while the server runs.",
    .examples = "Give a volunteer an account:\n"
                "  dugnad-server volunteer ~/site add Anna",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
