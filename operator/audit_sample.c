#include "operator/audit_sample.h"

#include <inttypes.h>
#include <string.h>

#include "operator/result_pages.h"

struct drawing {
    struct audit_sample *sample;
    const struct batch_record *record;
    const struct result_ground *ground;
};

static void pick_clear(struct audit_pick *pick)
{
    result_line_clear(&pick->line);
}

void audit_sample_clear(struct audit_sample *sample)
{
    for (size_t i = 0; i < sample->count; i++)
        pick_clear(&sample->picks[i]);
    free(sample->picks);
    sample->picks = NULL;
    sample->count = 0;
}

static struct digest rank_of(const struct audit_sample *sample, const struct digest *unit)
{
    unsigned char bytes[AUDIT_SEED_BYTES + DIGEST_BYTES];

    memcpy(bytes, sample->seed, AUDIT_SEED_BYTES);
    memcpy(bytes + AUDIT_SEED_BYTES, unit->bytes, DIGEST_BYTES);
    return digest_of(bytes, sizeof bytes);
}

static void drop(struct audit_sample *sample, size_t at)
{
    pick_clear(&sample->picks[at]);
    sample->count--;
    memmove(&sample->picks[at], &sample->picks[at + 1],
            (sample->count - at) * sizeof *sample->picks);
}

/* Of a unit named twice the last line counts. */
static void forget(struct audit_sample *sample, const struct digest *unit)
{
    for (size_t i = 0; i < sample->count; i++) {
        if (digest_equals(&sample->picks[i].line.unit, unit)) {
            drop(sample, i);
            sample->accepted--;
            return;
        }
    }
}

/* Where it belongs by its rank; `most`: it does not. */
static size_t place_of(const struct audit_sample *sample, const struct digest *rank)
{
    size_t at = sample->count;

    while (at > 0 && memcmp(sample->picks[at - 1].rank.bytes, rank->bytes, DIGEST_BYTES) > 0)
        at--;
    return at;
}

/* What was checked is not kept: there may be many megabytes of it. */
static void lighten(struct result_line *line)
{
    for (size_t i = 0; i < line->output_count; i++)
        bytes_clear(&line->outputs[i].body);
    for (size_t i = 0; i < line->task_count; i++) {
        free(line->tasks[i].statement);
        line->tasks[i].statement = NULL;
    }
}

static enum status check(const struct drawing *drawing, struct audit_pick *pick, struct error *err)
{
    struct digest listed = {0};
    enum status status = batch_record_unit(drawing->record, pick->line.index, &listed, err);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (result_check(&pick->line, drawing->ground, &listed, &pick->refusal) == STATUS_OK)
        pick->refusal = (struct error){0};
    return STATUS_OK;
}

static enum status take(void *context, struct result_line *line, struct error *err)
{
    const struct drawing *drawing = context;
    struct audit_sample *sample = drawing->sample;
    struct audit_pick pick = {.rank = rank_of(sample, &line->unit)};
    enum status status;
    size_t at;

    forget(sample, &line->unit);
    if (line->state != RESULT_ACCEPTED)
        return STATUS_OK;
    sample->accepted++;
    at = place_of(sample, &pick.rank);
    if (at == sample->most)
        return STATUS_OK;
    pick.line = *line;
    *line = (struct result_line){0};
    status = check(drawing, &pick, err);
    if (status != STATUS_OK) {
        pick_clear(&pick);
        return status;
    }
    lighten(&pick.line);
    if (sample->count == sample->most)
        drop(sample, sample->count - 1);
    memmove(&sample->picks[at + 1], &sample->picks[at],
            (sample->count - at) * sizeof *sample->picks);
    sample->picks[at] = pick;
    sample->count++;
    return STATUS_OK;
}

static void show_progress(const struct audit_sample *sample, struct session *session, int64_t lines)
{
    if (!sample->is_shown)
        return;
    session_redraw(session);
    (void)fprintf(session->err, "%" PRId64 " results listed", lines);
    (void)fflush(session->err);
}

enum status audit_sample_draw(struct audit_sample *sample, struct profile *profile,
                              const struct batch_record *record, const struct result_ground *ground,
                              struct error *err)
{
    static const struct cursor beginning = {{0}};
    struct drawing drawing = {.sample = sample, .record = record, .ground = ground};
    const struct result_taker taker = {.take = take, .context = &drawing};
    struct result_pages pages;
    int64_t lines = 0;
    size_t count;

    sample->picks = must_alloc(sample->most, sizeof *sample->picks);
    result_pages_begin(&pages, profile, record, &beginning);
    do {
        TRY(result_pages_next(&pages, &taker, &count, err));
        lines += (int64_t)count;
        show_progress(sample, profile->session, lines);
    } while (count > 0 && !session_is_interrupted(profile->session));
    return STATUS_OK;
}
