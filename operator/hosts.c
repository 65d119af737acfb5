/* dugnad hosts, dugnad tasks: who computes, and whose results were outvoted. */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/batches.h"
#include "operator/listing_pages.h"
#include "operator/remote.h"
#include "operator/table.h"
#include "operator/verbs.h"
#include "protocol/listing.h"

/* --- hosts --- */

/* In JSON stands the digest, too. */
static void add_refused(struct table *table, const struct host_entry *host)
{
    if (host->refused_day == 0)
        table_cell(table, "%s", "");
    else
        table_cell(table, "%s: %s, %.10s", refused_kind_name(host->refused.what),
                   refusal_code(host->refused.refusal), shown_time(host->refused_day * 86400).text);
}

static void add_host(struct table *table, const struct host_entry *host)
{
    table_cell(table, "%" PRId64, host->host);
    table_cell(table, "%" PRId64, host->volunteer);
    table_cell(table, "%s", host->volunteer_name);
    table_cell(table, "%s", host->platform);
    table_cell(table, "%.10s", shown_time(host->last_seen_day * 86400).text);
    table_cell(table, "%" PRId64, host->running);
    table_cell(table, "%" PRId64, host->agreed);
    table_cell(table, "%" PRId64, host->outvoted);
    table_cell(table, "%" PRId64, host->errors);
    add_refused(table, host);
}

static enum status list_hosts(struct profile *profile, const struct options *options,
                              struct table *table, struct error *err)
{
    struct listing_pages pages;
    bool is_last = false;

    listing_pages_begin(&pages, profile, "/v1/hosts");
    while (!is_last && !session_has_lost_output(profile->session)) {
        CLEANUP(host_page_clear) struct host_page page = {0};
        CLEANUP(buffer_clear) struct buffer body = {0};
        CLEANUP(freep) char *json = NULL;
        struct error why = {0};

        TRY(listing_pages_get(&pages, &body, err));
        if (host_page_decode(buffer_text(&body), body.length, &page, &why) != STATUS_OK)
            return remote_misunderstood(&why, err);
        for (size_t i = 0; i < page.count; i++)
            add_host(table, &page.hosts[i]);
        json = host_page_encode(&page);
        if (options_has(options, "json"))
            session_print(profile->session, json);
        TRY(listing_pages_turn(&pages, &page.next, &is_last, err));
    }
    return STATUS_OK;
}

static int run_hosts(void *context, const struct options *options)
{
    static const char *const titles[] = {">host",   ">volunteer", "name",    "platform",
                                         "seen",    ">running",   ">agreed", ">outvoted",
                                         ">errors", "refused"};
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(table_clear) struct table table = {0};
    struct error err = {0};

    table_init(&table, titles, sizeof titles / sizeof *titles);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        list_hosts(&profile, options, &table, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (table.cell_count == 0)
        session_say(session, options, "No host has enrolled yet.");
    else if (!options_has(options, "json"))
        table_print(&table, session->out);
    return EXIT_DONE;
}

/* --- tasks --- */

static void add_task(struct table *table, const struct task_entry *task)
{
    table_cell(table, "%" PRId64, task->task);
    table_cell(table, "%s", task->name.text);
    table_cell(table, "%s", task_state_name(task->state));
    table_cell(table, "%" PRId64, task->host);
    table_cell(table, "%" PRId64, task->volunteer);
    table_cell(table, "%s", task->volunteer_name);
}

static enum status list_tasks(struct profile *profile, const struct options *options,
                              struct table *table, struct error *err)
{
    const char *state = options_text_or(options, "state", "outvoted");
    CLEANUP(freep) char *path = NULL;
    struct batch_status status;
    struct listing_pages pages;
    bool is_last = false;

    TRY(batch_ask(profile, options->operands[0], &status, err));
    path = text_format("/v1/batches/%s/tasks?state=%s", batch_format(&status.batch).text, state);
    listing_pages_begin(&pages, profile, path);
    while (!is_last && !session_has_lost_output(profile->session)) {
        CLEANUP(task_page_clear) struct task_page page = {0};
        CLEANUP(buffer_clear) struct buffer body = {0};
        CLEANUP(freep) char *json = NULL;
        struct error why = {0};

        TRY(listing_pages_get(&pages, &body, err));
        if (task_page_decode(buffer_text(&body), body.length, &page, &why) != STATUS_OK)
            return remote_misunderstood(&why, err);
        for (size_t i = 0; i < page.count; i++)
            add_task(table, &page.tasks[i]);
        json = task_page_encode(&page);
        if (options_has(options, "json"))
            session_print(profile->session, json);
        TRY(listing_pages_turn(&pages, &page.next, &is_last, err));
    }
    return STATUS_OK;
}

static enum status check_state(const struct options *options, struct error *err)
{
    const char *state = options_text(options, "state");
    enum task_state parsed;

    if (state == NULL || task_state_parse(state, &parsed))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "--state is one of: sent, reported, agreed, outvoted, inconclusive, error, "
                     "overdue, dropped, abandoned");
}

static int run_tasks(void *context, const struct options *options)
{
    static const char *const titles[] = {">task", "unit", "state", ">host", ">volunteer", "name"};
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(table_clear) struct table table = {0};
    struct error err = {0};

    table_init(&table, titles, sizeof titles / sizeof *titles);
    if (check_state(options, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        list_tasks(&profile, options, &table, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (table.cell_count == 0)
        session_say(session, options, "No copy is %s.",
                    options_text_or(options, "state", "outvoted"));
    else if (!options_has(options, "json"))
        table_print(&table, session->out);
    return EXIT_DONE;
}

static const struct option_rule task_rules[] = {
    {.name = "state",
     .argument = "STATE",
     .help = "sent, reported, agreed, outvoted, inconclusive, error, overdue, dropped or abandoned "
             "(outvoted)."},
};

const struct command verb_hosts = {
    .name = "hosts",
    .summary = "List the hosts that compute, and how their results fared",
    .description =
        "Hosts have numbers and keys, never names or addresses; times are whole days. Under "
        "'refused' stands what the host said last that it refused of the site's: any host may lie, "
        "but several that say the same are worth a look.",
    .examples = "  dugnad hosts\n",
    .run = run_hosts,
};

const struct command verb_tasks = {
    .name = "tasks",
    .operands = "BATCH",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "List the copies of a batch's units by how they ended, and who made them",
    .examples =
        "  Whose results did the others outvote?\n    dugnad tasks primes --state outvoted\n",
    .options = task_rules,
    .option_count = 1,
    .run = run_tasks,
};
