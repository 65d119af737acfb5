/* The verbs `attach` and `account new`. */
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/control/verbs.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/http/url.h"
#include "protocol/account.h"

#define ENROL_TRIES   50 /* how often the daemon is asked whether it is enrolled */
#define ENROL_WAIT_MS 200

static const char native_question[] =
    "Programs of this project will run on this computer with your user's rights, without\n"
    "network, with limits on time, memory and disk, but able to read your files.\n"
    "Do you trust the project enough for that?";

static enum status agree_on_id(struct client_world *world, const struct introduction *it,
                               struct error *err)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    if (it->is_pinned)
        return STATUS_OK;
    base64url_encode(it->record.project.bytes, DIGEST_BYTES, id);
    if (!world->has_terminal())
        return error_set(err, STATUS_FORBIDDEN,
                         "the link has no project id (%s#…), and nobody is here to check it; ask "
                         "the project for its whole link",
                         it->record.url);
    (void)printf("The link names no project. The server itself says that it is:\n\n    %s\n    "
                 "%s#%s\n\nIf somebody stands between you and the server, it may be another one.\n",
                 it->record.name, it->record.url, id);
    if (!world->confirm("Is that the project's id?"))
        return error_set(err, STATUS_FORBIDDEN, "not attached");
    return STATUS_OK;
}

static enum status agree_on_native(struct client_world *world, const struct options *options,
                                   struct introduction *it, struct error *err)
{
    if (!options_has(options, "yes")) {
        if (!world->has_terminal())
            return error_set(err, STATUS_FORBIDDEN,
                             "nobody is here to say yes to running the project's programs; give "
                             "--yes if you agree");
        if (!world->confirm(native_question))
            return error_set(err, STATUS_FORBIDDEN, "not attached");
    }
    it->record.native_allowed = true;
    return STATUS_OK;
}

/* What the command line says. */
struct attach_order {
    struct attach_link link;
    struct token account;            /* none: not said */
    char name[PROJECT_NAME_MAX + 1]; /* "": as the project is called */
};

static enum status read_order(const struct options *options, struct attach_order *ret_order,
                              struct error *err)
{
    const char *account = options_text(options, "account");
    const char *name = options_text(options, "name");
    struct attach_order order = {.name = ""};

    TRY(attach_link_parse(options->operands[0], &order.link, err));
    if (account != NULL && !token_parse(account, &order.account))
        return error_set(err, STATUS_INVALID,
                         "an account key has %d characters; was it copied "
                         "whole?",
                         TOKEN_CHARS);
    if (name != NULL && (!text_is_plain(name, strlen(name), false) ||
                         !text_fit(order.name, sizeof order.name, name)))
        return error_set(err, STATUS_INVALID, "--name is plain text of up to %d bytes",
                         PROJECT_NAME_MAX);
    *ret_order = order;
    return STATUS_OK;
}

static json_t *find_project(json_t *answer, const struct digest *project)
{
    struct digest_text id = digest_format(project);
    json_t *it;
    size_t i;

    json_array_foreach(json_object_get(answer, "projects"), i, it)
    {
        const char *text = json_string_value(json_object_get(it, "project"));

        if (text != NULL && strcmp(text, id.text) == 0)
            return it;
    }
    return NULL;
}

/* Where a daemon runs, its first words with the server are worth waiting for. */
static void await_enrolment(struct client_world *world, const struct options *options,
                            const struct digest *project)
{
    json_auto_t *request = verb_plain("status");

    for (int i = 0; i < ENROL_TRIES; i++) {
        json_auto_t *answer = NULL;
        json_t *it;
        const char *trouble;

        if (ask_first(world, options, request, &answer, NULL) != STATUS_OK ||
            !json_is_true(json_object_get(answer, "is_running")) ||
            (it = find_project(answer, project)) == NULL)
            return;
        trouble = json_string_value(json_object_get(it, "trouble"));
        if (json_integer_value(json_object_get(it, "host")) > 0) {
            (void)printf("This computer is enrolled as host %lld.\n",
                         (long long)json_integer_value(json_object_get(it, "host")));
            return;
        }
        if (trouble != NULL && trouble[0] != '\0') {
            (void)printf("It could not be enrolled yet: %s\n", trouble);
            return;
        }
        world->env->sleep_ms(world->env, ENROL_WAIT_MS);
    }
}

static void take_order(const struct attach_order *order, struct project_record *record)
{
    record->account = order->account;
    if (order->name[0] != '\0')
        (void)text_fit(record->name, sizeof record->name, order->name);
}

/* A wrong key would be found by the daemon, when nobody looks any more. */
static enum status check_account(struct client_world *world, struct http_client *http,
                                 const struct project_record *record, struct error *err)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(freep) char *url = text_format("%s/v1/account", record->url);
    const struct http_request request = {.url = url,
                                         .token = record->account.text,
                                         .ca_pem = record->ca_pem,
                                         .max_bytes = ACCOUNT_MAX};
    enum status status;

    if (record->account.text[0] == '\0')
        return STATUS_OK;
    TRY(ask_patiently(world, http, &request, &response, err));
    status = http_check(&response, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* an older server: its enrolment will say */
    if (status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN)
        return error_set(err, STATUS_INVALID, "there is no account with this key at %s",
                         record->url);
    return status;
}

static enum status attach(struct client_world *world, const struct options *options,
                          const struct attach_order *order, struct error *err)
{
    CLEANUP(http_client_closep) struct http_client *http = NULL;
    CLEANUP(introduction_clear) struct introduction it = {.is_pinned = false};
    json_auto_t *request = NULL;
    json_auto_t *answer = NULL;

    TRY(world->open_http(&http, err));
    TRY(introduce(world, http, &order->link, &it, err));
    TRY(agree_on_id(world, &it, err));
    TRY(agree_on_native(world, options, &it, err));
    take_order(order, &it.record);
    TRY(check_account(world, http, &it.record, err));
    request = verb_attach(&it.record, &it.trust);
    TRY(ask_first(world, options, request, &answer, err));
    if (!answer_is_ok(answer, err))
        return STATUS_INVALID;
    (void)printf("Attached to %s (%s).\n", it.record.name, it.record.url);
    if (json_is_false(json_object_get(answer, "is_running")))
        (void)printf("No daemon runs yet; start it with: dugnad-client run\n");
    else
        await_enrolment(world, options, &it.record.project);
    return STATUS_OK;
}

static int run_attach(void *context, const struct options *options)
{
    struct attach_order order;
    struct error err = {0};

    if (read_order(options, &order, &err) != STATUS_OK)
        return fail_usage(options, &err);
    return attach(context, options, &order, &err) == STATUS_OK ? OPTIONS_EXIT_OK : fail(&err);
}

static const struct option_rule attach_options[] = {
    {.name = "account", .argument = "KEY", .help = "Count this computer as this account's."},
    {.name = "yes", .help = "Agree to run the project's programs, without being asked."},
    {.name = "name", .argument = "N", .help = "What to call the project here."},
};

const struct command command_attach = {
    .name = "attach",
    .operands = "URL#ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Take part in a project",
    .description =
        "Checks that the site shows the very project that the link names, and asks "
        "whether its programs may run here; an account's key is checked with the server. Works "
        "whether or not the daemon runs. "
        "Attaching again changes account, name and site. A link that names a place which the "
        "project has left is followed to where its keyring says it is. Where the connection "
        "breaks or the server takes too long, it is tried up to four times more.",
    .examples = "Take part in a project whose link you were given:\n"
                "  dugnad-client attach https://grid.example/#x4Kv…\n",
    .options = attach_options,
    .option_count = sizeof attach_options / sizeof *attach_options,
    .run = run_attach,
};

/* --- account new --- */

struct account_order {
    struct attach_link link;
    struct account_request account;
};

static enum status read_account_order(const struct options *options,
                                      struct account_order *ret_order, struct error *err)
{
    struct account_order order = {.account = {.name = ""}};

    if (!text_fit(order.account.name, sizeof order.account.name,
                  options_text_or(options, "name", "")))
        return error_set(err, STATUS_INVALID, "--name has up to %d bytes", VOLUNTEER_NAME_MAX);
    if (!text_is_plain(order.account.name, strlen(order.account.name), false))
        return error_set(err, STATUS_INVALID,
                         "--name is UTF-8 text without control characters, or others could not "
                         "read it");
    TRY(attach_link_parse(options->operands[0], &order.link, err));
    *ret_order = order;
    return STATUS_OK;
}

static enum status make_account(struct client_world *world, const struct account_order *order,
                                struct token *ret_account, struct error *err)
{
    CLEANUP(http_client_closep) struct http_client *http = NULL;
    CLEANUP(introduction_clear) struct introduction it = {.is_pinned = false};
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(freep) char *url = NULL;
    CLEANUP(freep) char *body = NULL;
    struct http_request request = {.method = HTTP_POST, .max_bytes = ACCOUNT_MAX};

    TRY(world->open_http(&http, err));
    TRY(introduce(world, http, &order->link, &it, err));
    TRY(agree_on_id(world, &it, err));
    url = text_format("%s/v1/accounts", it.record.url);
    body = account_request_encode(&order->account);
    request.url = url;
    request.ca_pem = it.record.ca_pem;
    request.body = (struct http_body){.bytes = body, .length = (int64_t)strlen(body)};
    /* Whose answer is lost made an account that nobody knows the key of: it harms nothing. */
    TRY(ask_patiently(world, http, &request, &response, err));
    TRY(http_check(&response, err));
    return account_reply_decode(buffer_text(&response.body), response.body.length, ret_account,
                                err);
}

static int run_account_new(void *context, const struct options *options)
{
    struct account_order order;
    struct token account;
    struct error err = {0};

    if (read_account_order(options, &order, &err) != STATUS_OK)
        return fail_usage(options, &err);
    if (make_account(context, &order, &account, &err) != STATUS_OK)
        return fail(&err);
    (void)printf("%s\n", account.text);
    return OPTIONS_EXIT_OK;
}

static const struct option_rule account_options[] = {
    {.name = "name", .argument = "N", .help = "A name that the project's operator may see."},
};

const struct command command_account_new = {
    .name = "account new",
    .operands = "URL#ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Make an account, for several computers of one person",
    .description = "Prints the account's key. Keep it secret: who has it can add computers to "
                   "the account.",
    .examples = "Make an account and attach with it:\n"
                "  dugnad-client attach LINK --account \"$(dugnad-client account new LINK)\"\n",
    .options = account_options,
    .option_count = sizeof account_options / sizeof *account_options,
    .run = run_account_new,
};
