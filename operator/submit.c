/* dugnad submit: sign units and send them, slice by slice. */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/apps.h"
#include "operator/batches.h"
#include "operator/name_check.h"
#include "operator/next_keyring.h"
#include "operator/open_batch.h"
#include "operator/outbox.h"
#include "operator/publish.h"
#include "operator/site.h"
#include "operator/submission.h"
#include "operator/verbs.h"

#define DRY_SHOWN      3
#define UNITS_PER_MOVE 16 /* are signed while nobody looks after what is under way */

struct submitting {
    struct session *session;
    struct profile *profile;
    struct keychain *keychain;
    struct submission *submission;
    struct unit_source *source;
    struct batch_record record;
    struct disk_file *lock; /* owned; of the batch */
    struct known_app app;
    struct private_key work;
    int64_t total;  /* of this submission; -1: unknown */
    int64_t passed; /* units that the site has from an earlier attempt; a dry run counts here */
    struct outbox outbox;
    struct upload_tally tally;
    struct name_check names;
    bool is_repeated; /* it came to its end before */
};

static void submitting_clear(struct submitting *work)
{
    batch_record_clear(&work->record);
    disk_file_close(work->lock);
    known_app_clear(&work->app);
    private_key_clear(&work->work);
    outbox_clear(&work->outbox);
    name_check_clear(&work->names);
}

/* Earlier attempts included. */
static int64_t sent_of(const struct submitting *work)
{
    return work->passed + work->outbox.sent;
}

/* --- one slice --- */

static enum status add_to_slice(struct submitting *work, const struct unit_draft *draft,
                                struct slice *slice, struct error *err)
{
    CLEANUP(prepared_unit_clear) struct prepared_unit prepared = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *line = NULL;

    TRY(submission_prepare(work->submission, work->session->env->disk, draft,
                           slice->first + (int64_t)slice->count, &prepared, err));
    TRY(name_check_claim(&work->names, work->source, &prepared.unit, err));
    envelope_init(&envelope, WORK_UNIT_TYPE, prepared.payload, strlen(prepared.payload));
    TRY(envelope_sign(&envelope, &work->work, err));
    line = envelope_encode(&envelope);
    TRY(buffer_append_text(&slice->lines, line, err));
    TRY(buffer_append(&slice->lines, "\n", 1, err));
    slice_take(slice, &prepared);
    return STATUS_OK;
}

static void show_progress(const struct submitting *work, bool is_last)
{
    if (!work->session->is_terminal || options_has(work->submission->options, "json"))
        return;
    session_redraw(work->session);
    if (work->total >= 0)
        (void)fprintf(work->session->err, "%" PRId64 " of %" PRId64 " units sent", sent_of(work),
                      work->total);
    else
        (void)fprintf(work->session->err, "%" PRId64 " units sent", sent_of(work));
    if (is_last)
        session_end_line(work->session);
    (void)fflush(work->session->err);
}

static enum status stop_here(struct submitting *work, struct error *err)
{
    TRY(outbox_finish(&work->outbox, err));
    show_progress(work, true);
    return error_set(err, STATUS_CONFLICT, "interrupted: %" PRId64 " units are sent",
                     sent_of(work));
}

/* Inputs first, then our own list, then the units: nothing ever names what is not there. */
static enum status send_slice(struct submitting *work, struct slice *slice, struct error *err)
{
    CLEANUP(slice_freep) struct slice *mine = slice;

    if (slice->count == 0)
        return STATUS_OK;
    TRY(upload_files(work->profile, slice->files, slice->file_count, &work->tally, err));
    TRY(batch_record_list(&work->record, slice->first, slice->listed, slice->count, err));
    TRY(outbox_send(&work->outbox, TAKE(mine), err));
    show_progress(work, false);
    return session_is_interrupted(work->session) ? stop_here(work, err) : STATUS_OK;
}

/* --- all slices --- */

/*
 * Units that the site has from an earlier attempt are not made again, but for those that may have
 * been on their way together when it was cut: any of them may be missing.
 */
static enum status skip_known(struct submitting *work, int64_t known, struct error *err)
{
    int64_t safe = known > OUTBOX_UNITS ? known - OUTBOX_UNITS : 0;

    TRY(name_check_begin(&work->names, work->source, &work->record, safe, err));
    for (; work->passed < safe; work->passed++) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
        bool is_there;

        TRY(unit_source_next(work->source, &draft, &is_there, err));
        if (!is_there)
            return error_set(err, STATUS_CONFLICT,
                             "the site has more units of this batch than there are now");
    }
    return STATUS_OK;
}

static enum status fill_slice(struct submitting *work, struct slice *slice, bool *ret_is_last,
                              struct error *err)
{
    bool is_there = true;

    while (!slice_is_full(slice)) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};

        TRY(unit_source_next(work->source, &draft, &is_there, err));
        if (!is_there)
            break;
        TRY(add_to_slice(work, &draft, slice, err));
        if (slice->count % UNITS_PER_MOVE == 0)
            outbox_move(&work->outbox);
    }
    *ret_is_last = !is_there;
    return STATUS_OK;
}

static enum status send_units(struct submitting *work, int64_t known, struct error *err)
{
    int64_t next;
    bool is_last = false;

    TRY(skip_known(work, known, err));
    for (next = work->record.base + work->passed; !is_last;) {
        CLEANUP(slice_freep) struct slice *slice = slice_new(next);

        TRY(fill_slice(work, slice, &is_last, err));
        next += (int64_t)slice->count;
        TRY(send_slice(work, TAKE(slice), err));
    }
    return outbox_finish(&work->outbox, err);
}

/* --- the batch --- */

static enum status finish(struct submitting *work, struct error *err)
{
    static const struct batch_action_request close_it = {.action = ACTION_CLOSE};
    struct batch_status status;

    if (work->submission->is_closing)
        TRY(batch_act(work->profile, &work->record.batch, &close_it, &status, err));
    work->record.is_sent = true;
    show_progress(work, true);
    return batch_record_save(&work->record, err);
}

static enum status unlock_and_refresh(struct submitting *work, struct error *err)
{
    static const struct revocations nothing = {0};
    CLEANUP(private_key_clear) struct private_key fresh = {0};

    TRY(keychain_unlock(work->keychain, work->submission->options, false, err));
    TRY(keychain_load(work->keychain, KEY_WORK, &work->work, err));
    TRY(keychain_load(work->keychain, KEY_FRESH, &fresh, err));
    return publish_freshness(work->profile, &fresh, &nothing, err);
}

/* The record of a batch that may never be: for looking at units before there is one. */
static enum status imagine_batch(struct submitting *work, struct error *err)
{
    struct env *env = work->session->env;
    int64_t now_s = env->now_s(env);
    const char *excess;

    TRY(apps_find_runnable(work->profile, work->submission->options->operands[0],
                           &work->submission->common.only, &work->app, err));
    work->record = (struct batch_record){.app_version = work->app.envelope.digest,
                                         .created_s = now_s,
                                         .not_after_s = now_s + work->submission->valid_s,
                                         .keyring_version = work->profile->trust.keyring.version};
    env->random(env, work->record.batch.bytes, sizeof work->record.batch.bytes);
    submission_settle(work->submission, &work->app.app, &work->record);
    excess = limits_exceeding(&work->submission->common.limits, &work->app.app.limits);
    if (excess == NULL)
        return STATUS_OK;
    (void)error_set(err, STATUS_INVALID, "%s is above the ceiling of the app %s", excess,
                    work->app.app.name.text);
    error_code(err, SESSION_USAGE);
    return STATUS_INVALID;
}

/* What is wrong with the first unit is said before a batch is made for it. */
static enum status rehearse(struct submitting *work, struct error *err)
{
    CLEANUP(prepared_unit_clear) struct prepared_unit prepared = {0};
    const struct unit_draft *draft;
    enum status status;

    TRY(unit_source_peek(work->source, &draft, err));
    if (draft == NULL)
        return error_set(err, STATUS_INVALID, "there is no unit to submit");
    status = imagine_batch(work, err);
    if (status == STATUS_OK)
        status = submission_prepare(work->submission, work->session->env->disk, draft, 0, &prepared,
                                    err);
    batch_record_clear(&work->record);
    known_app_clear(&work->app);
    return status;
}

/*
 * The answer that ended it may have been lost on its way: its units are compared, which takes no
 * key, and nothing is sent again.
 */
static enum status repeat(struct submitting *work, struct error *err)
{
    static const struct batch_action_request close_it = {.action = ACTION_CLOSE};
    struct batch_status status;

    submission_settle(work->submission, &work->app.app, &work->record);
    TRY(compare_sent_batch(work->profile, work->submission, &work->record, work->source,
                           &work->passed, err));
    TRY(batch_ask(work->profile, batch_format(&work->record.batch).text, &status, err));
    if (status.phase != PHASE_OPEN) /* it was begun with --append otherwise */
        return STATUS_OK;
    return batch_act(work->profile, &work->record.batch, &close_it, &status, err);
}

static enum status submit(struct submitting *work, struct error *err)
{
    int64_t known;

    TRY(open_sent_batch(work->profile, work->submission, &work->record, &work->app,
                        &work->is_repeated, err));
    if (work->is_repeated)
        return repeat(work, err);
    TRY(name_check_file(&work->names, work->profile, work->source, err));
    TRY(rehearse(work, err));
    TRY(unlock_and_refresh(work, err));
    TRY(open_batch(work->profile, work->submission, &work->record, &work->app, err));
    if (work->lock == NULL) /* the name was made up */
        TRY(batch_record_hold(work->profile, work->record.name, &work->lock, err));
    submission_settle(work->submission, &work->app.app, &work->record);
    TRY(create_batch(work->profile, work->submission, &work->record, &known, err));
    outbox_init(&work->outbox, work->profile, &work->record.batch);
    TRY(send_units(work, known, err));
    return finish(work, err);
}

/* --- only saying what would be done --- */

static enum status dry_run(struct submitting *work, struct error *err)
{
    struct disk *disk = work->session->env->disk;

    TRY(imagine_batch(work, err));
    TRY(name_check_file(&work->names, work->profile, work->source, err));
    TRY(name_check_begin_alone(&work->names, work->source, err));
    for (;;) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
        CLEANUP(prepared_unit_clear) struct prepared_unit prepared = {0};
        bool is_there;

        TRY(unit_source_next(work->source, &draft, &is_there, err));
        if (!is_there)
            return STATUS_OK;
        TRY(submission_prepare(work->submission, disk, &draft, work->passed, &prepared, err));
        TRY(name_check_claim(&work->names, work->source, &prepared.unit, err));
        if (work->passed++ < DRY_SHOWN)
            session_print(work->session, prepared.payload);
    }
}

static void say_submitted(const struct submitting *work)
{
    const struct options *options = work->submission->options;
    json_auto_t *root =
        json_pack("{s:s, s:s, s:I, s:I, s:b}", "batch", batch_format(&work->record.batch).text,
                  "name", work->record.name, "units", (json_int_t)sent_of(work), "new",
                  (json_int_t)work->outbox.added, "closed", work->submission->is_closing);
    CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

    if (options_has(options, "json"))
        session_print(work->session, text);
    if (work->is_repeated)
        session_say(work->session, options, "Batch %s: already submitted: %" PRId64 " units.",
                    work->record.name, sent_of(work));
    else
        session_say(work->session, options,
                    "Batch %s: %" PRId64 " units submitted (%" PRId64 " new), %" PRId64
                    " files sent (%s).",
                    work->record.name, sent_of(work), work->outbox.added, work->tally.files,
                    shown_bytes(work->tally.bytes).text);
    if (!work->submission->is_closing)
        session_say(work->session, options,
                    "It stays open: add more with --append, end it with --append --close or "
                    "'dugnad close %s'.",
                    work->record.name);
    submission_say_renamed(work->session, options, &work->record);
    session_say(work->session, options, "Next: dugnad watch %s", work->record.name);
}

/* Before anything else: who finds it held learns so at once. */
static enum status hold_batch(struct submitting *work, struct error *err)
{
    if (work->submission->name == NULL || work->submission->is_dry_run)
        return STATUS_OK;
    return batch_record_hold(work->profile, work->submission->name, &work->lock, err);
}

static int submit_or_try(struct submitting *work)
{
    struct error err = {0};

    work->total = unit_source_count(work->source);
    if (hold_batch(work, &err) != STATUS_OK || site_refresh(work->profile, &err) != STATUS_OK ||
        next_keyring_can_wait(work->profile, &err) != STATUS_OK)
        return session_fail(work->session, &err);
    if (work->submission->is_dry_run) {
        if (dry_run(work, &err) != STATUS_OK)
            return session_fail(work->session, &err);
        session_say(work->session, work->submission->options,
                    "%" PRId64 " units would be submitted; shown are the first manifests.",
                    work->passed);
        return EXIT_DONE;
    }
    if (submit(work, &err) != STATUS_OK)
        return session_fail(work->session, &err);
    say_submitted(work);
    return EXIT_DONE;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    CLEANUP(submission_clear) struct submission submission = {0};
    CLEANUP(unit_source_clear) struct unit_source source = {0};
    CLEANUP(submitting_clear)
    struct submitting work = {.session = session,
                              .profile = &profile,
                              .keychain = &keychain,
                              .submission = &submission,
                              .source = &source};
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (submission_parse(&submission, options, &err) != STATUS_OK ||
        submission_source(&submission, session, &source, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    next_keyring_warn(&profile, options);
    return submit_or_try(&work);
}

static const struct option_rule rules[] = {
    {.name = "range",
     .argument = "A..B",
     .help =
         "Units for the whole numbers from A up to, not including, B; each gets {from} and {to}."},
    {.name = "step", .argument = "N", .help = "Numbers per unit of --range (1)."},
    {.name = "units",
     .argument = "FILE",
     .help = "Units described one a line, {\"name\"?, \"args\"?: [...], \"inputs\"?: [paths]}; '-' "
             "reads stdin."},
    {.name = "files-per-unit",
     .argument = "N",
     .help = "Deal all input files N to a unit (a unit per file, a unit per folder)."},
    {.name = "name",
     .argument = "NAME",
     .help = "The batch's name (made up). An attempt that was cut short goes on under its name."},
    {.name = "append",
     .help = "Add to the batch of that name, or begin one that stays open for more."},
    {.name = "close", .help = "No more units will come; so without --append anyway."},
    {.name = "quorum", .argument = "N", .help = "How many agreeing results accept a unit (2)."},
    {.name = "copies", .argument = "N", .help = "Copies made at once (the quorum); more on need."},
    {.name = "max-tasks", .argument = "N", .help = "Copies ever made of a unit (10)."},
    {.name = "max-failures",
     .argument = "N",
     .help = "One more failed copy than this fails the unit (5)."},
    {.name = "independence",
     .argument = "WHAT",
     .help = "What copies may not share: host, volunteer or organisation (volunteer)."},
    {.name = "only",
     .argument = "KIND=WORDS",
     .help = "Run only there: platform=A,B… or class=A,B….",
     .is_repeatable = true},
    {.name = "deadline", .argument = "SPAN", .help = "How long a host may take for a copy (3d)."},
    {.name = "needed-by",
     .argument = "SPAN",
     .help = "When the batch is wanted, from now; orders it before others."},
    {.name = "valid", .argument = "SPAN", .help = "After that, what has not ended fails (30d)."},
    {.name = "priority", .argument = "N", .help = "-10..10: more go first (0)."},
    {.name = "ops",
     .argument = "N",
     .help = "Operations a unit is worth: estimates and credit come from it. A usual machine does "
             "10^9 a second."},
    {.name = "unit-time",
     .argument = "SPAN",
     .help = "The same as the time that a unit takes a usual machine, until the first results say "
             "it better."},
    {.name = "memory", .argument = "SIZE", .help = "Less than the app's ceiling."},
    {.name = "disk", .argument = "SIZE", .help = "Less than the app's ceiling."},
    {.name = "cpu-time", .argument = "SPAN", .help = "Less than the app's ceiling."},
    {.name = "restricted",
     .help = "The inputs are not public: volunteers' clients may decline them."},
    {.name = "dry-run", .help = "Sign and send nothing; show the first manifests and the count."},
    KEYCHAIN_OPTION,
};

const struct command verb_submit = {
    .name = "submit",
    .operands = "APP [FILE|FOLDER|PATTERN…]",
    .operand_min = 1,
    .operand_max = SIZE_MAX,
    .takes_rest = true,
    .summary = "Sign units of work and publish them as a batch",
    .description =
        "Units come from input files, from --range or from --units. What follows '--' are the "
        "program's arguments; in them {from}, {to}, {input}, {name} and {index} stand for what "
        "differs between units. Any other word in braces is an error: write {{word}} where the "
        "program is to see {word}. Other braces stay as they are. The manifests are signed on "
        "this machine, and the digest of each is kept in the profile, so that 'dugnad fetch' can "
        "check results against them.\n\n"
        "A file named as an operand is followed if it is a link. Of what a folder holds or a "
        "pattern matches, only plain files count: links, FIFOs, sockets and devices are skipped, "
        "and a line says how many and which; names that begin with a dot are passed over, unless "
        "they are said. A pattern may be in the last part of a path only. In names of units and "
        "of their inputs, what is no ASCII letter, digit, '.', '_' or '-' becomes '_'; names.tsv, "
        "beside the results that 'dugnad fetch' brings, tells which file is which then.\n\n"
        "A batch is closed when all its units are there, unless --append. After a cut, the same "
        "command with the same --name goes on where it stopped; once all is there it says so, and "
        "ends with 0. While one adds to a batch, another that would is refused with 7; batches of "
        "different names may be submitted side by side.",
    .examples = "  Count primes below 10^9 in parts of 10^7:\n"
                "    dugnad submit primes --range 0..1000000000 --step 10000000 --name primes \\\n"
                "        -- {from} {to}\n"
                "  A unit per file of a folder, wherever the shell is:\n"
                "    dugnad submit wc 'books/*.txt' -- -w {input}\n"
                "  Twenty files to a unit:\n"
                "    dugnad submit wordindex /usr/share/doc --files-per-unit 20 -- {input}\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
