#include "operator/show_batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define BAR_MOST  30 /* columns between its brackets */
#define BAR_LEAST 10
#define BAR_FRAME 3 /* the brackets and a space */

static int share(int64_t part, int64_t whole, int columns)
{
    return whole > 0 ? (int)((double)part / (double)whole * columns) : 0;
}

void show_counts(FILE *out, const struct batch_status *status)
{
    (void)fprintf(out, "%s: %" PRId64 " of %" PRId64 " accepted, %" PRId64 " running", status->name,
                  status->accepted, status->units, status->running);
    if (status->judging + status->agreed > 0)
        (void)fprintf(out, ", %" PRId64 " being judged or fetched",
                      status->judging + status->agreed);
    if (status->failed > 0)
        (void)fprintf(out, ", %" PRId64 " failed", status->failed);
    if (status->cancelled > 0)
        (void)fprintf(out, ", %" PRId64 " cancelled", status->cancelled);
    if (status->phase != PHASE_CLOSED)
        (void)fprintf(out, " (%s)", batch_phase_name(status->phase));
}

static void draw_bar(FILE *out, const struct batch_status *status, int columns)
{
    int done = share(status->accepted, status->units, columns);
    int failed = done + share(status->failed, status->units, columns);
    int cancelled = failed + share(status->cancelled, status->units, columns);

    (void)fputc('[', out);
    for (int i = 0; i < columns; i++)
        (void)fputc(i < done ? '#' : i < failed ? '!' : i < cancelled ? 'x' : '.', out);
    (void)fputs("] ", out);
}

/* So many bytes of it at most, and no part of a character. */
static int cut(const char *text, int most)
{
    int length = (int)strlen(text);

    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most > 0 ? most : 0;
}

static char *counts_of(const struct batch_status *status)
{
    char *words = NULL;
    size_t length;
    FILE *out = open_memstream(&words, &length);

    if (out == NULL)
        abort();
    show_counts(out, status);
    (void)fclose(out);
    return words;
}

void show_bar(FILE *out, const struct batch_status *status, int columns)
{
    CLEANUP(freep) char *words = counts_of(status);
    int room = columns - 1 - BAR_FRAME;
    int bar = room - (int)strlen(words);

    if (bar < BAR_LEAST)
        bar = BAR_LEAST;
    if (bar > BAR_MOST)
        bar = BAR_MOST;
    draw_bar(out, status, bar);
    (void)fprintf(out, "%.*s", cut(words, room - bar), words);
}

static void line(struct session *session, const char *title, int64_t number)
{
    (void)fprintf(session->out, "  %-14s %" PRId64 "\n", title, number);
}

static void show_units(struct session *session, const struct batch_status *status)
{
    line(session, "units", status->units);
    line(session, "waiting", status->waiting);
    line(session, "running", status->running);
    line(session, "judging", status->judging);
    line(session, "agreed", status->agreed);
    line(session, "accepted", status->accepted);
    line(session, "failed", status->failed);
    line(session, "cancelled", status->cancelled);
}

static void show_tasks(struct session *session, const struct batch_status *status)
{
    const struct task_outcomes *outcomes = &status->outcomes;

    (void)fprintf(
        session->out,
        "  %-14s %" PRId64 " (agreed %" PRId64 ", outvoted %" PRId64 ", inconclusive %" PRId64
        ", errors %" PRId64 ", overdue %" PRId64 ", dropped %" PRId64 ", abandoned %" PRId64 ")\n",
        "copies made", status->tasks, outcomes->agreed, outcomes->outvoted, outcomes->inconclusive,
        outcomes->error, outcomes->overdue, outcomes->dropped, outcomes->abandoned);
}

void show_batch(struct session *session, const struct batch_status *status)
{
    (void)fprintf(session->out, "%s  (%s)\n", status->name, batch_format(&status->batch).text);
    (void)fprintf(session->out, "  %-14s %s\n  %-14s %s%s%s\n", "app", status->app.text, "state",
                  batch_phase_name(status->phase), status->why[0] != '\0' ? ": " : "", status->why);
    (void)fprintf(session->out, "  %-14s %s\n", "created", shown_time(status->created_s).text);
    if (status->needed_by_s != 0)
        (void)fprintf(session->out, "  %-14s %s\n", "needed by",
                      shown_time(status->needed_by_s).text);
    if (status->finish_estimate_s != 0)
        (void)fprintf(session->out, "  %-14s %s\n", "done about",
                      shown_time(status->finish_estimate_s).text);
    line(session, "priority", status->priority);
    show_units(session, status);
    show_tasks(session, status);
}

void show_ending(struct session *session, const struct batch_status *status)
{
    if (status->phase == PHASE_CANCELLED)
        (void)fprintf(session->out, "%s was cancelled: %" PRId64 " of %" PRId64 " accepted.\n",
                      status->name, status->accepted, status->units);
    else if (status->accepted == status->units)
        (void)fprintf(session->out, "%s is finished: all %" PRId64 " units accepted.\n",
                      status->name, status->units);
    else
        (void)fprintf(session->out,
                      "%s is finished: %" PRId64 " of %" PRId64
                      " units accepted. Why not all: dugnad explain %s\n",
                      status->name, status->accepted, status->units, status->name);
}
