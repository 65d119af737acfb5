#include "server/api/waiting.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define SENTENCE_MAX 300

static void say(struct texts *sentences, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct texts *sentences, const char *fmt, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    texts_add(sentences, sentence);
}

static const char *many(int64_t count, const char *one, const char *several)
{
    return count == 1 ? one : several;
}

static void say_surroundings(const struct waiting_facts *facts, struct texts *sentences)
{
    if (*facts->why_stopped != '\0')
        say(sentences, "nothing is sent: %.200s", facts->why_stopped);
    if (*facts->clock_doubt != '\0')
        say(sentences, "nothing expires: %.160s; dugnad clock confirm says that it is right",
            facts->clock_doubt);
    if (!facts->has_freshness)
        say(sentences, "clients start nothing before a freshness is published: "
                       "dugnad key publish does it");
    if (facts->supply.hosts == 0)
        say(sentences, "no host that can run this app was here in the last day");
}

/*
 * A quorum of tasks that share nothing needs as many of whom they may not share; and whoever had a
 * copy, whatever became of it, is not given another.
 */
static void say_independence(const struct unit *unit, const struct supply *supply,
                             struct texts *sentences)
{
    const struct unit_rule *rule = &unit->rule;
    static const char *const who[] = {
        [INDEPENDENCE_HOST] = "hosts",
        [INDEPENDENCE_VOLUNTEER] = "volunteers",
        [INDEPENDENCE_ORGANISATION] = "organisations",
    };
    int64_t enrolled = rule->independence == INDEPENDENCE_HOST        ? supply->hosts
                       : rule->independence == INDEPENDENCE_VOLUNTEER ? supply->volunteers
                                                                      : supply->organisations;

    if (enrolled < rule->quorum)
        say(sentences, "needs %" PRIu32 " independent %s; %" PRId64 " enrolled", rule->quorum,
            who[rule->independence], enrolled);
    else if (unit->copies_wanted > 0 && (int64_t)unit->task_count >= enrolled)
        say(sentences,
            "all %" PRId64 " %s seen in the last day had a copy of a unit that waits; "
            "it needs %" PRIu32 " more",
            enrolled, who[rule->independence], unit->copies_wanted);
}

static void say_validity(const struct unit *unit, int64_t now_s, struct texts *sentences)
{
    time_t time = (time_t)unit->not_before_s;
    struct tm parts;
    char text[32] = "";

    if (unit->not_before_s <= now_s || gmtime_r(&time, &parts) == NULL)
        return;
    (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
    say(sentences, "it is signed to begin at %s", text);
}

static void say_counts(const struct batch_view *batch, struct texts *sentences)
{
    if (batch->row.units == 0)
        say(sentences, "it has no units yet");
    else if (!batch->row.is_closed && batch->accepted + batch->failed == batch->row.units)
        say(sentences, "all its units ended, but it is not closed: more may come");
    if (batch->waiting > 0)
        say(sentences, "%" PRId64 " %s for a host to ask", batch->waiting,
            many(batch->waiting, "unit waits", "units wait"));
    if (batch->running > 0)
        say(sentences, "%" PRId64 " %s being computed", batch->running,
            many(batch->running, "unit is", "units are"));
    if (batch->judging > 0)
        say(sentences, "%" PRId64 " %s being compared", batch->judging,
            many(batch->judging, "unit is", "units are"));
    if (batch->agreed > 0)
        say(sentences, "%" PRId64 " agreed %s for the output to be delivered", batch->agreed,
            many(batch->agreed, "unit waits", "units wait"));
}

void waiting_of_batch(const struct batch_view *batch, const struct unit *unit,
                      const struct waiting_facts *facts, struct texts *sentences)
{
    if (batch->row.state == BATCH_CANCELLED || batch->row.state == BATCH_FINISHED)
        return;
    if (batch->row.state == BATCH_HELD)
        say(sentences, "it is held: dugnad release lets it go on");
    if (batch->row.state == BATCH_PAUSED)
        say(sentences, "it %.200s", batch->row.why != NULL ? batch->row.why : "");
    if (unit != NULL) {
        say_surroundings(facts, sentences);
        say_independence(unit, &facts->supply, sentences);
        say_validity(unit, facts->now_s, sentences);
    }
    say_counts(batch, sentences);
}

static int64_t count_tasks(const struct unit *unit, enum task_state state)
{
    int64_t count = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        count += unit->tasks[i].state == state;
    return count;
}

void waiting_of_unit(const struct unit *unit, const struct waiting_facts *facts,
                     struct texts *sentences)
{
    int64_t sent = count_tasks(unit, TASK_SENT);
    int64_t reported = count_tasks(unit, TASK_REPORTED);

    if (unit->state == UNIT_ACCEPTED || unit->state == UNIT_FAILED)
        return;
    if (unit->state == UNIT_AGREED) {
        say(sentences, "its tasks agree; it waits for one of their hosts to deliver the output");
        return;
    }
    say_surroundings(facts, sentences);
    say_independence(unit, &facts->supply, sentences);
    say_validity(unit, facts->now_s, sentences);
    if (unit->copies_wanted > 0)
        say(sentences, "%" PRIu32 " more %s for a host to ask", unit->copies_wanted,
            many(unit->copies_wanted, "copy waits", "copies wait"));
    if (sent > 0)
        say(sentences, "%" PRId64 " %s being computed", sent, many(sent, "task is", "tasks are"));
    if (reported > 0)
        say(sentences, "%" PRId64 " of %" PRIu32 " agreeing tasks reported at most", reported,
            unit->rule.quorum);
}
