/* dugnad fetch: collect results, believing none that is not signed for. */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/batch_record.h"
#include "operator/batches.h"
#include "operator/download.h"
#include "operator/result_check.h"
#include "operator/result_pages.h"
#include "operator/results_audit.h"
#include "operator/results_folder.h"
#include "operator/verbs.h"

#define FOLLOW_PAUSE_MS 2000

struct fetching {
    struct profile *profile;
    const struct options *options;
    struct batch_status status;
    struct batch_record record;
    struct app_version app;
    struct result_ground ground;
    struct results_folder folder;
    struct result_pages pages; /* up to the last line read, refused ones included */
    int64_t accepted, failed, cancelled, refused;
    int64_t units_named; /* so many were listed when names.tsv was written */
    int64_t damaged;     /* units that were fetched before and are not there any more */
};

static void fetching_clear(struct fetching *fetch)
{
    batch_record_clear(&fetch->record);
    app_version_clear(&fetch->app);
    results_folder_close(&fetch->folder);
}

/* --- one result --- */

static enum status store_output(struct fetching *fetch, const struct result_line *line,
                                const struct result_output *output, struct error *err)
{
    struct disk *disk = fetch->profile->session->env->disk;
    struct disk_path path;

    TRY(results_folder_place(&fetch->folder, line->name.text, output->output.name.text, &path,
                             err));
    if (output->is_inline && output_is_there(disk, &output->output, path.text))
        return STATUS_OK;
    if (output->is_inline)
        return disk->write(disk, path.text, output->body.bytes, output->body.length, 0644, err);
    return download_output(fetch->profile, &output->output, &path, err);
}

static enum status store(struct fetching *fetch, const struct result_line *line, struct error *err)
{
    if (line->state == RESULT_ACCEPTED)
        for (size_t i = 0; i < line->output_count; i++)
            TRY(store_output(fetch, line, &line->outputs[i], err));
    TRY(results_folder_add(&fetch->folder, line, err));
    fetch->accepted += line->state == RESULT_ACCEPTED;
    fetch->accepted -= line->state == RESULT_REOPENED;
    fetch->failed += line->state == RESULT_FAILED;
    fetch->cancelled += line->state == RESULT_CANCELLED;
    return STATUS_OK;
}

static enum status check_and_store(struct fetching *fetch, const struct result_line *line,
                                   struct error *err)
{
    struct digest listed = {0};
    enum status status = batch_record_unit(&fetch->record, line->index, &listed, err);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    TRY(result_check(line, &fetch->ground, &listed, err));
    return store(fetch, line, err);
}

/* A result that does not hold is said, left out, and asked for again by the next fetch. */
static enum status take_line(void *context, struct result_line *line, struct error *err)
{
    struct fetching *fetch = context;
    struct error why = {0};
    enum status status = check_and_store(fetch, line, &why);

    if (status == STATUS_OK)
        return STATUS_OK;
    if (status != STATUS_UNTRUSTED) {
        if (err != NULL)
            *err = why;
        return status;
    }
    fetch->refused++;
    session_warn(fetch->profile->session, "the result of unit %s is refused (%s): %s",
                 line->name.text, why.code != NULL ? why.code : "untrusted", why.text);
    return STATUS_OK;
}

/* --- pages --- */

/* After a refused one nothing counts as done: the next fetch asks from before it. */
static enum status save(struct fetching *fetch, struct error *err)
{
    if (fetch->refused > 0)
        return STATUS_OK;
    return results_folder_save(&fetch->folder, &fetch->pages.cursor, err);
}

static void show_progress(const struct fetching *fetch)
{
    struct session *session = fetch->profile->session;

    if (!session->is_terminal || options_has(fetch->options, "json"))
        return;
    session_redraw(session);
    (void)fprintf(session->err, "%" PRId64 " results fetched", fetch->accepted);
    (void)fflush(session->err);
}

/* Before the results, so that they are found as they come; again once units were added. */
static enum status fetch_names(struct fetching *fetch, struct error *err)
{
    struct renames_extent extent;
    struct disk_path path;
    int64_t units;

    TRY(batch_record_count(&fetch->record, &units, err));
    if (units == fetch->units_named)
        return STATUS_OK;
    TRY(batch_record_renames(&fetch->record, &path, &extent, err));
    if (extent.lines > 0)
        TRY(results_folder_names(&fetch->folder, path.text, extent.bytes, err));
    fetch->units_named = units;
    return STATUS_OK;
}

static enum status fetch_pages(struct fetching *fetch, struct error *err)
{
    const struct result_taker taker = {.take = take_line, .context = fetch};
    size_t lines;

    do {
        TRY(result_pages_next(&fetch->pages, &taker, &lines, err));
        if (lines > 0)
            TRY(save(fetch, err));
        show_progress(fetch);
    } while (lines > 0 && !session_is_interrupted(fetch->profile->session));
    return STATUS_OK;
}

static enum status fetch_all(struct fetching *fetch, struct error *err)
{
    struct session *session = fetch->profile->session;
    const char *batch = fetch->options->operands[0];

    for (;;) {
        TRY(fetch_names(fetch, err));
        TRY(fetch_pages(fetch, err));
        if (batch_has_ended(&fetch->status) || !options_has(fetch->options, "follow") ||
            session_is_interrupted(session))
            return STATUS_OK;
        session_wait(session, FOLLOW_PAUSE_MS);
        TRY(batch_ask(fetch->profile, batch, &fetch->status, err));
    }
}

/* --- beginning and end --- */

/* What was fetched before is as it was, or all is asked for again; outputs that hold stay. */
static enum status look_after(struct fetching *fetch, struct error *err)
{
    struct session *session = fetch->profile->session;
    struct results_audit audit;
    int64_t units;

    TRY(batch_record_count(&fetch->record, &units, err));
    TRY(results_audit(&fetch->folder, units, &audit, err));
    fetch->damaged = audit.damaged_units;
    if (!audit.is_list_damaged && audit.damaged_units == 0)
        return STATUS_OK;
    if (audit.is_list_damaged)
        session_say(session, fetch->options,
                    "%s: results.ndjson is missing or changed: fetching "
                    "again.",
                    fetch->status.name);
    else
        session_say(session, fetch->options,
                    "%s: outputs of %" PRId64 " unit%s are missing or changed: fetching again.",
                    fetch->status.name, audit.damaged_units, audit.damaged_units == 1 ? "" : "s");
    return results_folder_restart(&fetch->folder, err);
}

static enum status begin(struct fetching *fetch, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope app = {0};
    const struct options *options = fetch->options;
    const char *into = options_text_or(options, "into", options->operands[0]);

    TRY(batch_ask(fetch->profile, options->operands[0], &fetch->status, err));
    TRY(batch_record_find(fetch->profile, &fetch->status.batch, &fetch->record, err));
    TRY(batch_record_app(&fetch->record, &app, err));
    TRY(app_version_decode(app.payload, app.payload_length, &fetch->app, err));
    fetch->ground = (struct result_ground){
        .project = fetch->profile->project,
        .batch = fetch->record.batch,
        .app_version = app.digest,
        .app = &fetch->app,
    };
    TRY(results_folder_open(&fetch->folder, fetch->profile->session->env->disk, into,
                            &fetch->record.batch, err));
    TRY(look_after(fetch, err));
    result_pages_begin(&fetch->pages, fetch->profile, &fetch->record, &fetch->folder.cursor);
    return STATUS_OK;
}

static int end(const struct fetching *fetch)
{
    struct session *session = fetch->profile->session;
    const struct batch_status *status = &fetch->status;
    json_auto_t *root =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "batch", status->name, "fetched",
                  (json_int_t)fetch->accepted, "failed", (json_int_t)fetch->failed, "cancelled",
                  (json_int_t)fetch->cancelled, "refused", (json_int_t)fetch->refused, "damaged",
                  (json_int_t)fetch->damaged, "accepted", (json_int_t)status->accepted, "units",
                  (json_int_t)status->units, "ended", batch_has_ended(status));
    CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

    session_end_line(session);
    if (options_has(fetch->options, "json"))
        session_print(session, text);
    session_say(session, fetch->options,
                "%s: %" PRId64 " results fetched now, each checked; %" PRId64 " of %" PRId64
                " units accepted so far.",
                status->name, fetch->accepted, status->accepted, status->units);
    if (fetch->refused > 0) {
        session_say(session, fetch->options,
                    "%" PRId64 " results were refused: the server shows what nobody signed for.",
                    fetch->refused);
        return EXIT_UNTRUSTED;
    }
    return session_is_interrupted(session) ? EXIT_INTERRUPTED : batch_exit(status);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(fetching_clear) struct fetching fetch = {.profile = &profile, .options = options};
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        begin(&fetch, &err) != STATUS_OK || fetch_all(&fetch, &err) != STATUS_OK)
        return session_fail(session, &err);
    return end(&fetch);
}

static const struct option_rule rules[] = {
    {.name = "into", .argument = "DIR", .help = "The folder (one named like the batch)."},
    {.name = "follow", .help = "Go on until the batch ends."},
};

const struct command verb_fetch = {
    .name = "fetch",
    .operands = "BATCH",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Collect the accepted results of a batch, and check them",
    .description =
        "Outputs go to DIR/<unit>/<output>, and a line per ended unit to DIR/results.ndjson. It "
        "may "
        "begin before the batch ends, and goes on where it stopped: outputs that were fetched "
        "before are compared with their digests, and what is missing or changed is said and "
        "fetched again. Where files had names that a unit cannot have, such as those of other "
        "scripts, DIR/names.tsv tells which is which: the unit, the name in the task's folder, "
        "the file's path and the unit's index, parted by tabs. Where a link or a file is in the "
        "place of a unit's folder it stops. While "
        "one fetches into DIR, another that would is refused with 7.\n\n"
        "Each result has to be of a unit that this profile submitted, have exactly the outputs "
        "that "
        "were signed for, and carry the visits of at least a quorum of different hosts and "
        "volunteers, each signed with the host's own key over these outputs' digests. What does "
        "not "
        "hold is left out, and the command ends with 6. It ends with 3 while units are not "
        "accepted.",
    .examples = "  dugnad fetch primes --into results --follow\n"
                "  cat results/*/stdout | paste -sd+ | bc\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
