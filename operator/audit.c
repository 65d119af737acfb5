/* dugnad audit: compute some of the accepted results again, here. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/build.h"
#include "operator/audit_run.h"
#include "operator/audit_sample.h"
#include "operator/batches.h"
#include "operator/recompute.h"
#include "operator/site.h"
#include "operator/table.h"
#include "operator/verbs.h"

#define SAMPLE_DEFAULT 10

struct auditing {
    struct profile *profile;
    const struct options *options;
    struct batch_status status;
    struct batch_record record;
    struct envelope envelope; /* of the app version */
    struct app_version app;
    struct audit_sample sample;
    struct workshop workshop;
    int64_t jobs, cores;                      /* of struct audit_order */
    struct recomputed *done;                  /* owned; NULL, or as many as there are picks */
    size_t done_count;                        /* of them, those that were looked at */
    int64_t counts[RECOMPUTED_UNTRUSTED + 1]; /* of those done, by what they are */
};

static void auditing_clear(struct auditing *audit)
{
    for (size_t i = 0; audit->done != NULL && i < audit->sample.count; i++)
        recomputed_clear(&audit->done[i]);
    free(audit->done);
    workshop_close(&audit->workshop);
    audit_sample_clear(&audit->sample);
    app_version_clear(&audit->app);
    envelope_clear(&audit->envelope);
    batch_record_clear(&audit->record);
}

static const char *word_of(enum recomputed_as as)
{
    static const char *const words[] = {[RECOMPUTED_EQUAL] = "equal",
                                        [RECOMPUTED_DIFFERENT] = "DIFFERENT",
                                        [RECOMPUTED_NOT] = "not recomputed",
                                        [RECOMPUTED_UNTRUSTED] = "REFUSED"};

    return words[as];
}

/* --- drawing and recomputing --- */

static enum status draw(struct auditing *audit, struct error *err)
{
    const struct envelope *app = &audit->envelope;
    struct result_ground ground;

    TRY(batch_ask(audit->profile, audit->options->operands[0], &audit->status, err));
    TRY(batch_record_find(audit->profile, &audit->status.batch, &audit->record, err));
    TRY(batch_record_app(&audit->record, &audit->envelope, err));
    TRY(app_version_decode(app->payload, app->payload_length, &audit->app, err));
    ground = (struct result_ground){.project = audit->profile->project,
                                    .batch = audit->record.batch,
                                    .app_version = app->digest,
                                    .app = &audit->app};
    return audit_sample_draw(&audit->sample, audit->profile, &audit->record, &ground, err);
}

static void show_progress(const struct auditing *audit)
{
    struct session *session = audit->profile->session;

    if (!audit->sample.is_shown)
        return;
    session_redraw(session);
    (void)fprintf(session->err, "%zu of %zu recomputed, %" PRId64 " different", audit->done_count,
                  audit->sample.count, audit->counts[RECOMPUTED_DIFFERENT]);
    (void)fflush(session->err);
}

static void count(void *context, const struct recomputed *result)
{
    struct auditing *audit = context;

    audit->counts[result->as]++;
    audit->done_count++;
    show_progress(audit);
}

static enum status look_at_all(struct auditing *audit, struct error *err)
{
    const struct audit_order order = {.workshop = &audit->workshop,
                                      .jobs = audit->jobs,
                                      .cores = audit->cores,
                                      .sample = &audit->sample,
                                      .done =
                                          must_alloc(audit->sample.count + 1, sizeof *order.done),
                                      .tell = count,
                                      .context = audit};

    audit->done = order.done;
    if (audit->sample.count == 0)
        return STATUS_OK;
    TRY(workshop_open(&audit->workshop, audit->profile, &audit->envelope,
                      (size_t)audit->jobs + AUDIT_AHEAD, err));
    show_progress(audit);
    return audit_run(&order, err);
}

/* --- what came of it --- */

static json_t *output_json(const struct named_output *accepted, const struct named_output *here)
{
    json_t *root = json_pack("{s:s, s:s, s:I}", "name", accepted->name.text, "accepted",
                             digest_format(&accepted->digest).text, "accepted_size",
                             (json_int_t)accepted->size);

    if (here != NULL && !digest_is_none(&here->digest)) {
        build_set(root, "here", json_string(digest_format(&here->digest).text));
        build_set(root, "here_size", json_integer(here->size));
    }
    return root;
}

static json_t *unit_json(const struct result_line *line, const struct recomputed *result)
{
    json_t *root =
        json_pack("{s:s, s:I, s:s, s:s, s:I}", "name", line->name.text, "index",
                  (json_int_t)line->index, "unit", digest_format(&line->unit).text, "verdict",
                  word_of(result->as), "wall_ms", (json_int_t)result->wall_ms);
    json_t *outputs = json_array(), *tasks = json_array();

    if (result->why[0] != '\0')
        build_set(root, "why", json_string(result->why));
    for (size_t i = 0; i < line->output_count; i++)
        build_append(outputs, output_json(&line->outputs[i].output,
                                          i < result->output_count ? &result->outputs[i] : NULL));
    for (size_t i = 0; i < line->task_count; i++)
        build_append(tasks, json_pack("{s:I, s:s, s:I}", "task", (json_int_t)line->tasks[i].task,
                                      "host", public_key_format(&line->tasks[i].host).text,
                                      "volunteer", (json_int_t)line->tasks[i].volunteer));
    build_set(root, "outputs", outputs);
    build_set(root, "tasks", tasks);
    return root;
}

struct seed_text {
    char text[2 * AUDIT_SEED_BYTES + 1];
};

static struct seed_text seed_text(const struct audit_sample *sample)
{
    struct seed_text seed;

    text_from_bytes(sample->seed, AUDIT_SEED_BYTES, seed.text);
    return seed;
}

static void print_json(const struct auditing *audit)
{
    json_t *units = json_array();
    json_auto_t *root = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "batch", audit->status.name, "seed",
        seed_text(&audit->sample).text, "accepted", (json_int_t)audit->sample.accepted, "sampled",
        (json_int_t)audit->sample.count, "equal", (json_int_t)audit->counts[RECOMPUTED_EQUAL],
        "different", (json_int_t)audit->counts[RECOMPUTED_DIFFERENT], "not_recomputed",
        (json_int_t)audit->counts[RECOMPUTED_NOT], "refused",
        (json_int_t)audit->counts[RECOMPUTED_UNTRUSTED]);
    CLEANUP(freep) char *text = NULL;

    for (size_t i = 0; i < audit->sample.count; i++)
        if (audit->done[i].as != 0)
            build_append(units, unit_json(&audit->sample.picks[i].line, &audit->done[i]));
    build_set(root, "units", units);
    text = json_dumps(root, JSON_COMPACT);
    session_print(audit->profile->session, text);
}

static void print_table(const struct auditing *audit)
{
    static const char *const titles[] = {"UNIT", ">SECONDS", "RESULT", "WHY"};
    CLEANUP(table_clear) struct table table;

    table_init(&table, titles, sizeof titles / sizeof *titles);
    for (size_t i = 0; i < audit->sample.count; i++) {
        const struct recomputed *result = &audit->done[i];

        if (result->as == 0)
            continue;
        table_cell(&table, "%s", audit->sample.picks[i].line.name.text);
        table_cell(&table, "%.1f", (double)result->wall_ms / 1000);
        table_cell(&table, "%s", word_of(result->as));
        table_cell(&table, "%s", result->why);
    }
    if (audit->done_count > 0)
        table_print(&table, audit->profile->session->out);
}

/* Who agreed on what is not so. */
static void say_who(const struct auditing *audit)
{
    for (size_t i = 0; i < audit->sample.count; i++) {
        const struct result_line *line = &audit->sample.picks[i].line;

        for (size_t j = 0; audit->done[i].as == RECOMPUTED_DIFFERENT && j < line->task_count; j++)
            session_say(audit->profile->session, audit->options,
                        "%s: task %" PRId64 ", of host %s of volunteer %" PRId64, line->name.text,
                        line->tasks[j].task, public_key_format(&line->tasks[j].host).text,
                        line->tasks[j].volunteer);
    }
}

static void say_result(const struct auditing *audit)
{
    const int64_t *counts = audit->counts;

    say_who(audit);
    session_say(audit->profile->session, audit->options,
                "%s: %zu of %" PRId64 " accepted results looked at (--seed %s): %" PRId64
                " equal, %" PRId64 " different, %" PRId64 " not recomputed, %" PRId64 " refused.",
                audit->status.name, audit->done_count, audit->sample.accepted,
                seed_text(&audit->sample).text, counts[RECOMPUTED_EQUAL],
                counts[RECOMPUTED_DIFFERENT], counts[RECOMPUTED_NOT], counts[RECOMPUTED_UNTRUSTED]);
    if (counts[RECOMPUTED_DIFFERENT] > 0)
        session_say(audit->profile->session, audit->options,
                    "Those named agreed on results that this machine does not get: either they "
                    "lie, or the program does not give the same each time.");
}

static int exit_of(const struct auditing *audit)
{
    if (session_is_interrupted(audit->profile->session))
        return EXIT_INTERRUPTED;
    if (audit->counts[RECOMPUTED_DIFFERENT] + audit->counts[RECOMPUTED_UNTRUSTED] > 0)
        return EXIT_UNTRUSTED;
    return audit->counts[RECOMPUTED_NOT] > 0 || audit->done_count == 0 ? EXIT_NOT_ALL : EXIT_DONE;
}

static int end(const struct auditing *audit)
{
    struct session *session = audit->profile->session;

    session_end_line(session);
    if (options_has(audit->options, "json"))
        print_json(audit);
    else
        print_table(audit);
    say_result(audit);
    return exit_of(audit);
}

/* --- the verb --- */

static int64_t default_jobs(int64_t cores)
{
    if (cores < 1)
        return 1;
    return cores < AUDIT_JOBS_MAX ? cores : AUDIT_JOBS_MAX;
}

static enum status read_options(struct auditing *audit, struct session *session, struct error *err)
{
    const char *seed = options_text(audit->options, "seed");
    int64_t most;

    TRY(options_integer(audit->options, "sample", 1, AUDIT_SAMPLE_MAX, SAMPLE_DEFAULT, &most, err));
    audit->sample.most = (size_t)most;
    TRY(options_integer(audit->options, "jobs", 1, AUDIT_JOBS_MAX, 0, &audit->jobs, err));
    audit->cores = audit->jobs > 0 ? INT64_MAX : session->cores;
    if (audit->jobs == 0)
        audit->jobs = default_jobs(session->cores);
    audit->sample.is_shown = session->is_terminal && !options_has(audit->options, "json");
    if (seed == NULL)
        session->env->random(session->env, audit->sample.seed, AUDIT_SEED_BYTES);
    else if (!text_to_exact_bytes(seed, AUDIT_SEED_BYTES, audit->sample.seed))
        return error_set(err, STATUS_INVALID,
                         "--seed is the %d lower-case hex digits that an "
                         "audit before said",
                         2 * AUDIT_SEED_BYTES);
    return STATUS_OK;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(auditing_clear) struct auditing audit = {.profile = &profile, .options = options};
    struct error err = {0};

    if (read_options(&audit, session, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        site_refresh(&profile, &err) != STATUS_OK || draw(&audit, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (look_at_all(&audit, &err) != STATUS_OK && !session_is_interrupted(session)) {
        (void)end(&audit); /* what is known by now */
        return session_fail(session, &err);
    }
    return end(&audit);
}

static const struct option_rule rules[] = {
    {.name = "sample", .argument = "N", .help = "How many results, drawn at random (10)."},
    {.name = "jobs",
     .argument = "N",
     .help = "Units computed at a time (as this machine's cores and memory allow)."},
    {.name = "seed", .argument = "HEX", .help = "Draw those that an audit with this seed drew."},
};

const struct command verb_audit = {
    .name = "audit",
    .operands = "BATCH",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Compute some accepted results again, on this machine",
    .description =
        "What a quorum agrees on is right unless all of it lies alike, or the server lies. So N of "
        "the accepted results are drawn by a random seed, which is printed; each is checked as "
        "'dugnad fetch' does, its program and inputs are fetched and checked by the digests that "
        "were signed, and it is computed here, in the sandbox that volunteers' clients use, with "
        "the unit's own limits, arguments, environment and seed. Its outputs are compared with the "
        "accepted ones.\n\n"
        "Several are computed at a time: as many as this machine's cores let, each unit counting "
        "with the cores that it may use, or --jobs N; in either case no more than whose memory "
        "limits fit together into what this machine, or the control group, allows. One that needs "
        "more than there is runs alone. Meanwhile files of the next ones are fetched, several at a "
        "time. They are listed in the order in which they were drawn, "
        "whichever ends first.\n\n"
        "Where they differ, the tasks that agreed are named, and the command ends with 6. It ends "
        "with 3 if some could not be computed here: the app has no program for this machine, it "
        "fails or reaches a limit here, or the site lacks a file. Nor is it told apart where the "
        "app has programs of other classes, whose results may honestly differ. On an interrupt "
        "the programs that run are ended, and nothing of it stays. With --seed the same results "
        "are "
        "drawn again, as long as no more of the batch are accepted.",
    .examples = "  dugnad audit primes --sample 20\n"
                "  dugnad audit primes --sample 20 --seed 00112233445566778899aabbccddeeff\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
