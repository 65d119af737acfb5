#include "operator/recompute.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define DIFFERENCES_MAX (64 * 1024)

void recomputing_clear(struct recomputing *recomputing)
{
    prepared_clear(&recomputing->prepared);
}

void recomputed_clear(struct recomputed *recomputed)
{
    free(recomputed->outputs);
    *recomputed = (struct recomputed){0};
}

/* Answers; each returns STATUS_OK, for the audit goes on. */
static enum status say(struct recomputed *recomputed, enum recomputed_as as, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static enum status say(struct recomputed *recomputed, enum recomputed_as as, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(recomputed->why, sizeof recomputed->why, fmt, args);
    va_end(args);
    recomputed->as = as;
    return STATUS_OK;
}

/* --- how it ended --- */

/* The last line of what it said, fit to be shown. */
static char *last_words(const struct run_outcome *outcome)
{
    CLEANUP(freep) char *tail = text_copy_n(outcome->tail, outcome->tail_length);
    size_t length = strlen(tail);
    const char *line;

    while (length > 0 && (tail[length - 1] == '\n' || tail[length - 1] == '\r'))
        tail[--length] = '\0';
    line = strrchr(tail, '\n');
    return text_sanitised(line != NULL ? line + 1 : tail);
}

/* Has it come to its end as the accepted ones did? What it fails of here is no word against them:
 * it may be this machine's. */
static bool has_ended_well(const struct run_outcome *outcome, struct recomputed *recomputed)
{
    CLEANUP(freep) char *words = NULL;

    if (outcome->end == RUN_EXITED && outcome->code == 0 && outcome->limit == RUN_LIMIT_NONE)
        return true;
    words = last_words(outcome);
    if (outcome->end == RUN_NOT_STARTED)
        (void)say(recomputed, RECOMPUTED_NOT, "it could not be started here (%s: %s)",
                  outcome->failed_step, strerror(outcome->code));
    else if (outcome->limit != RUN_LIMIT_NONE)
        (void)say(recomputed, RECOMPUTED_NOT, "it reached its limit here: %s",
                  run_limit_name(outcome->limit));
    else if (outcome->is_for_want_of_memory)
        (void)say(recomputed, RECOMPUTED_NOT, "this machine's memory was used up");
    else if (outcome->end == RUN_EXITED)
        (void)say(recomputed, RECOMPUTED_NOT, "it ended with code %d here%s%.200s", outcome->code,
                  words[0] != '\0' ? ": " : "", words);
    else
        (void)say(recomputed, RECOMPUTED_NOT, "it was ended by signal %d here%s%.200s",
                  outcome->code, words[0] != '\0' ? ": " : "", words);
    return false;
}

/* --- what came of it --- */

static const struct app_output *signed_output(const struct app_version *app, const char *name)
{
    for (size_t i = 0; i < app->output_count; i++)
        if (strcmp(app->outputs[i].name.text, name) == 0)
            return &app->outputs[i];
    return NULL;
}

static void note_difference(struct buffer *differences, const struct app_output *output,
                            enum collect_refusal refusal)
{
    CLEANUP(freep)
    char *words = text_format("%s%s%s%s", differences->length > 0 ? ", " : "", output->name.text,
                              refusal != COLLECT_TAKEN ? " " : "", collect_refusal_words(refusal));

    (void)buffer_append_text(differences, words, NULL);
}

/* `differences`: in words, the outputs that are not the accepted ones. */
static enum status compare_one(struct recomputing *it, const struct named_output *accepted,
                               struct buffer *differences, struct error *err)
{
    struct recomputed *recomputed = it->recomputed;
    const struct app_output *output = signed_output(&it->prepared.app, accepted->name.text);
    struct collected here = {0};

    assert(output != NULL); /* result_check() saw to it */
    TRY(workshop_collect(it->workshop, it->slot, output, &here, err));
    recomputed->outputs[recomputed->output_count++] =
        (struct named_output){.name = output->name, .digest = here.digest, .size = here.size_bytes};
    if (here.refusal != COLLECT_TAKEN || here.size_bytes != accepted->size ||
        !digest_equals(&here.digest, &accepted->digest))
        note_difference(differences, output, here.refusal);
    return STATUS_OK;
}

static enum status compare(struct recomputing *it, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer differences = {0};
    const struct result_line *line = it->line;
    struct word other;

    buffer_init(&differences, DIFFERENCES_MAX);
    it->recomputed->outputs = must_alloc(line->output_count + 1, sizeof *it->recomputed->outputs);
    for (size_t i = 0; i < line->output_count; i++)
        TRY(compare_one(it, &line->outputs[i].output, &differences, err));
    if (differences.length == 0)
        return say(it->recomputed, RECOMPUTED_EQUAL, "%s", "");
    if (workshop_has_other_class(it->workshop, &it->prepared, &other))
        return say(it->recomputed, RECOMPUTED_NOT,
                   "it differs, as it honestly may: its app has programs of class %s, too, and "
                   "here ran the one of %s",
                   other.text, it->prepared.variant.class_name.text);
    return say(it->recomputed, RECOMPUTED_DIFFERENT, "%.300s", buffer_text(&differences));
}

/* --- one unit --- */

enum status recomputing_prepare(struct recomputing *ret_recomputing, struct workshop *workshop,
                                const struct result_line *line, struct recomputed *ret_recomputed,
                                struct error *err)
{
    CLEANUP(envelope_clear) struct envelope unit = {0};
    struct error why = {0};

    *ret_recomputed = (struct recomputed){0};
    *ret_recomputing =
        (struct recomputing){.workshop = workshop, .line = line, .recomputed = ret_recomputed};
    TRY(envelope_decode(line->manifest, strlen(line->manifest), WORK_UNIT_PAYLOAD_MAX, &unit, err));
    if (workshop_prepare(workshop, &unit, &ret_recomputing->prepared, &why) != REFUSAL_NONE)
        return say(ret_recomputed, RECOMPUTED_NOT, "%s", why.text);
    return STATUS_OK;
}

enum status recomputing_fill(struct recomputing *it, size_t slot, struct error *err)
{
    it->slot = slot;
    return workshop_fill(it->workshop, slot, &it->prepared, err);
}

static bool is_gone(const struct supply_end *end)
{
    return end->was_refused && (end->status == STATUS_NOT_FOUND || end->status == STATUS_GONE);
}

enum status recomputing_look(struct recomputing *it, bool *ret_is_filled, struct error *err)
{
    const struct supply_end *end = supply_end(&it->workshop->supply, it->slot);

    *ret_is_filled = end != NULL && end->status == STATUS_OK;
    if (end == NULL || *ret_is_filled)
        return STATUS_OK;
    if (is_gone(end))
        return say(it->recomputed, RECOMPUTED_NOT, "the site lacks one of its files");
    if (end->status == STATUS_UNTRUSTED)
        return say(it->recomputed, RECOMPUTED_UNTRUSTED, "%s", end->why.text);
    it->workshop->profile->session->was_refused = end->was_refused;
    if (err != NULL)
        *err = end->why;
    return end->status;
}

enum status recomputing_start(struct recomputing *it, struct error *err)
{
    return workshop_start(it->workshop, it->slot, &it->prepared, err);
}

enum status recomputing_judge(struct recomputing *it, struct error *err)
{
    const struct run_outcome *outcome = &it->workshop->slots[it->slot].outcome;
    enum status status;

    it->recomputed->wall_ms = outcome->usage.wall_ms;
    if (!has_ended_well(outcome, it->recomputed))
        return STATUS_OK;
    status = compare(it, err);
    if (status != STATUS_OK)
        recomputed_clear(it->recomputed);
    return status;
}
