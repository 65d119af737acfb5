/* dugnad status: how batches stand. */
#include <inttypes.h>

#include "common/base/text.h"
#include "operator/batches.h"
#include "operator/listing_pages.h"
#include "operator/next_keyring.h"
#include "operator/remote.h"
#include "operator/show_batch.h"
#include "operator/table.h"
#include "operator/verbs.h"
#include "protocol/listing.h"

static void add_row(struct table *table, const struct batch_status *status)
{
    table_cell(table, "%s", status->name);
    table_cell(table, "%s", status->app.text);
    table_cell(table, "%s", batch_phase_name(status->phase));
    table_cell(table, "%" PRId64, status->units);
    table_cell(table, "%" PRId64, status->accepted);
    table_cell(table, "%" PRId64, status->running);
    table_cell(table, "%" PRId64, status->failed);
    table_cell(table, "%" PRId64, status->cancelled);
    table_cell(table, "%s", shown_time(status->finish_estimate_s).text);
}

static enum status next_page(struct listing_pages *pages, struct batch_page *ret_page,
                             struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    struct error why = {0};

    TRY(listing_pages_get(pages, &body, err));
    if (batch_page_decode(buffer_text(&body), body.length, ret_page, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static enum status list_all(struct profile *profile, const struct options *options,
                            struct error *err)
{
    static const char *const titles[] = {"batch",   "app",        "state",
                                         ">units",  ">accepted",  ">running",
                                         ">failed", ">cancelled", "done about"};
    struct session *session = profile->session;
    CLEANUP(table_clear) struct table table = {0};
    struct listing_pages pages;
    bool is_last = false;

    table_init(&table, titles, sizeof titles / sizeof *titles);
    listing_pages_begin(&pages, profile, "/v1/batches");
    while (!is_last) {
        CLEANUP(batch_page_clear) struct batch_page page = {0};

        TRY(next_page(&pages, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            CLEANUP(freep) char *json = batch_status_encode(&page.batches[i]);

            add_row(&table, &page.batches[i]);
            if (options_has(options, "json"))
                session_print(session, json);
        }
        TRY(listing_pages_turn(&pages, &page.next, &is_last, err));
    }
    if (!options_has(options, "json"))
        table_print(&table, session->out);
    return STATUS_OK;
}

static int show_one(struct profile *profile, const struct options *options)
{
    struct session *session = profile->session;
    struct batch_status status;
    struct error err = {0};

    if (batch_ask(profile, options->operands[0], &status, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = batch_status_encode(&status);

        session_print(session, json);
    } else {
        show_batch(session, &status);
    }
    return EXIT_DONE;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    next_keyring_warn(&profile, options);
    if (options->operand_count > 0)
        return show_one(&profile, options);
    if (list_all(&profile, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    return EXIT_DONE;
}

const struct command verb_status = {
    .name = "status",
    .operands = "[BATCH]",
    .operand_max = 1,
    .summary = "Show how batches stand",
    .description = "With a batch, its counts of units and copies; without, a table of all. With "
                   "--json one JSON object a line.",
    .examples = "  dugnad status\n  dugnad status primes --json | jq .accepted\n",
    .run = run,
};
