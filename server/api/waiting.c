#include "server/api/waiting.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "server/policy/quorum.h"

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

/* Nobody can be given the app at all. One that was itself revoked ends with its units. */
static bool is_app_refused(const struct signatures *signatures)
{
    return signatures->app != REFUSAL_NONE ||
           (signatures->builds > 0 && signatures->unsigned_builds == signatures->builds);
}

static void say_app_signatures(const struct signatures *signatures, struct texts *sentences)
{
    static const char remedy[] = "dugnad app add, with the program and options it had, signs "
                                 "it anew, and what waits goes on";

    if (signatures->app == REFUSAL_REVOKED_APP_VERSION)
        return;
    if (signatures->app != REFUSAL_NONE)
        say(sentences, "clients refuse its app: %s; %s", refusal_words(signatures->app), remedy);
    else if (signatures->unsigned_builds > 0)
        say(sentences,
            "clients refuse %" PRId64 " of the %" PRId64 " builds of its app, for the key that "
            "signed them was revoked or has run out; %s",
            signatures->unsigned_builds, signatures->builds, remedy);
}

/* Any host may lie; several that say the same are worth a look. */
static void say_refused(const struct waiting_facts *facts, struct texts *sentences)
{
    for (size_t i = 0; i < facts->refused_count; i++) {
        const struct refused_group *group = &facts->refused[i];

        say(sentences,
            "%" PRId64 " %s in the last day that %s refused the %s %s of this site: %s; see dugnad "
            "hosts",
            group->hosts, many(group->hosts, "host said", "hosts said"),
            many(group->hosts, "it", "they"), refused_kind_name(group->thing.what),
            digest_format(&group->thing.digest).text, refusal_words(group->thing.refusal));
    }
}

#define SUBMIT_AGAIN                                                                               \
    "another key signs them when they are submitted again, under another name; then cancel these"

static void say_units_signature(const struct signatures *signatures, struct texts *sentences)
{
    if (signatures->unsigned_units > 0)
        say(sentences, "%" PRId64 " %s no client takes: %s; " SUBMIT_AGAIN,
            signatures->unsigned_units,
            many(signatures->unsigned_units, "unit waits that", "units wait that"),
            refusal_words(signatures->units));
}

static void say_outputs(const struct waiting_facts *facts, struct texts *sentences)
{
    if (facts->output.text[0] != '\0')
        say(sentences,
            "its app's output %.64s may have up to %" PRId64 " bytes, and this site takes up to "
            "%" PRId64 " (upload_max): no copy is sent, and no larger output taken, until the site "
            "takes more; or submit again with an app of a lower maximum",
            facts->output.text, facts->output_bytes, facts->upload_max_bytes);
}

#define MIB (INT64_C(1) << 20)

static int64_t mib_needed(int64_t bytes)
{
    return bytes / MIB + (bytes % MIB != 0);
}

static bool is_too_much_for_all(const struct offers *offers)
{
    return offers->hosts > 0 && offers->fitting == 0;
}

/* Of hosts that a build would fit. Where none is left the numbers are of the best of them. */
static void say_offers(const struct offers *offers, struct texts *sentences)
{
    bool lacks_memory = offers->needs_memory_bytes > offers->memory_bytes;
    bool lacks_disk = offers->needs_disk_bytes > offers->disk_bytes;

    if (offers->hosts > 0 && offers->needs_cores > offers->cores)
        say(sentences,
            "its app may use %" PRId64 " cores, and the most that any host of the last day offers "
            "is %" PRId64 ": there a copy runs on fewer, and takes longer",
            offers->needs_cores, offers->cores);
    if (!is_too_much_for_all(offers))
        return;
    if (offers->layer.text[0] != '\0')
        say(sentences,
            "its app requires the isolation layer %s, which none of the %" PRId64 " hosts of the "
            "last day has that are of a platform of it",
            offers->layer.text, offers->hosts);
    if (lacks_memory)
        say(sentences,
            "a copy needs %" PRId64 " MiB of memory, and the most that any host of the last day "
            "offers is %" PRId64 " MiB",
            mib_needed(offers->needs_memory_bytes), offers->memory_bytes / MIB);
    if (lacks_disk)
        say(sentences,
            "a copy needs %" PRId64 " MiB of disk, and the most that any host of the last day "
            "offers is %" PRId64 " MiB",
            mib_needed(offers->needs_disk_bytes), offers->disk_bytes / MIB);
    if (offers->layer.text[0] == '\0' && !lacks_memory && !lacks_disk)
        say(sentences,
            "none of the %" PRId64 " hosts of the last day offers at once the %" PRId64
            " MiB of memory, the %" PRId64 " MiB of disk and the isolation layers that a copy "
            "needs",
            offers->hosts, mib_needed(offers->needs_memory_bytes),
            mib_needed(offers->needs_disk_bytes));
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
    else if (facts->signatures.start != REFUSAL_NONE)
        say(sentences, "clients start nothing, for %s: dugnad key publish renews it",
            refusal_words(facts->signatures.start));
    say_app_signatures(&facts->signatures, sentences);
    say_outputs(facts, sentences);
    say_refused(facts, sentences);
    if (facts->supply.hosts == 0)
        say(sentences, "no host that can run this app was here in the last day: none is of a "
                       "platform that it has files for");
    say_offers(&facts->offers, sentences);
    if (facts->supply.spent > 0)
        say(sentences,
            "%" PRId64 " of %" PRId64 " hosts may have no more copies of this app today, for "
            "copies of theirs failed or were late before: what they may have doubles with each "
            "copy that agrees, and begins anew at midnight UTC",
            facts->supply.spent, facts->supply.hosts);
}

static const char *const who[] = {
    [INDEPENDENCE_HOST] = "hosts",
    [INDEPENDENCE_VOLUNTEER] = "volunteers",
    [INDEPENDENCE_ORGANISATION] = "organisations",
};

/* Of whom the unit's copies may not share one. */
static int64_t enrolled_of(const struct unit_rule *rule, const struct supply *supply)
{
    switch (rule->independence) {
    case INDEPENDENCE_HOST:
        return supply->hosts;
    case INDEPENDENCE_ORGANISATION:
        return supply->organisations;
    case INDEPENDENCE_VOLUNTEER:
    default:
        return supply->volunteers;
    }
}

/* A quorum of tasks that share nothing needs as many of whom they may not share. */
static void say_independence(const struct unit_rule *rule, const struct supply *supply,
                             struct texts *sentences)
{
    int64_t enrolled = enrolled_of(rule, supply);

    if (enrolled < rule->quorum)
        say(sentences, "needs %" PRIu32 " independent %s; %" PRId64 " enrolled", rule->quorum,
            who[rule->independence], enrolled);
}

static bool has_holder_before(const struct unit *unit, size_t place)
{
    enum independence independence = unit->rule.independence;
    int64_t holder = identity_named(&unit->tasks[place].at_dispatch, independence);

    for (size_t i = 0; i < place; i++)
        if (!quorum_is_unstarted(unit, i) &&
            identity_named(&unit->tasks[i].at_dispatch, independence) == holder)
            return true;
    return false;
}

/* Whoever had a copy is not given another, unless it was handed back unstarted: all who were here
 * had one. */
static bool is_tried_by_all(const struct unit *unit, const struct supply *supply)
{
    int64_t holders = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        holders += !quorum_is_unstarted(unit, i) && !has_holder_before(unit, i);
    return unit->copies_wanted > 0 && holders > 0 && holders >= enrolled_of(&unit->rule, supply);
}

/* How many copies reported, if no two of them are alike; else 0. */
static int64_t differing_copies(const struct unit *unit)
{
    int64_t reported = 0;

    for (size_t i = 0; i < unit->task_count; i++) {
        if (digest_is_none(&unit->tasks[i].result))
            continue;
        reported++;
        for (size_t j = 0; j < i; j++)
            if (digest_equals(&unit->tasks[i].result, &unit->tasks[j].result))
                return 0;
    }
    return reported > 2 ? reported : 0;
}

static void say_differing(int64_t units, int64_t copies, struct texts *sentences)
{
    if (units > 0)
        say(sentences,
            "%" PRId64 " %s copies that all differ, one of them %" PRId64 " of %" PRId64
            ": is the program the same each time it runs? Usual causes are the time, random "
            "numbers not from DUGNAD_SEED, the order of threads, and floating point",
            units, many(units, "unit has", "units have"), copies, copies);
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

/* Units that everybody tried wait for other people, not for a host to ask. */
static void say_standing(const struct standing *standing, const struct unit_rule *rule,
                         const struct supply *supply, struct texts *sentences)
{
    if (standing->tried > 0)
        say(sentences,
            "%" PRId64 " of the %" PRId64 " open units looked at were tried by all %" PRId64
            " %s of the last day, and nobody gets a unit twice: they wait for others to join",
            standing->tried, standing->looked_at, enrolled_of(rule, supply),
            who[rule->independence]);
    say_differing(standing->differing, standing->most_copies, sentences);
}

static const char *awaited(const struct waiting_facts *facts)
{
    if (is_app_refused(&facts->signatures))
        return "that signature";
    if (facts->output.text[0] != '\0')
        return "a larger upload_max";
    return facts->supply.hosts == 0 || is_too_much_for_all(&facts->offers)
               ? "a host that can run the app"
               : "a host to ask";
}

static void say_counts(const struct batch_view *batch, const struct standing *standing,
                       const struct waiting_facts *facts, struct texts *sentences)
{
    const char *why_no_uploads = facts->why_no_uploads;
    int64_t waiting = batch->waiting - standing->tried - facts->signatures.unsigned_units;

    if (batch->row.units == 0)
        say(sentences, "it has no units yet");
    else if (!batch->row.is_closed && batch->accepted + batch->failed == batch->row.units)
        say(sentences, "all its units ended, but it is not closed: more may come");
    if (waiting > 0)
        say(sentences, "%" PRId64 " %s for %s", waiting, many(waiting, "unit waits", "units wait"),
            awaited(facts));
    if (batch->running > 0)
        say(sentences, "%" PRId64 " %s being computed", batch->running,
            many(batch->running, "unit is", "units are"));
    if (batch->judging > 0)
        say(sentences, "%" PRId64 " %s being compared", batch->judging,
            many(batch->judging, "unit is", "units are"));
    if (batch->agreed > 0)
        say(sentences, "%" PRId64 " agreed %s for the output to be delivered%s%.160s",
            batch->agreed, many(batch->agreed, "unit waits", "units wait"),
            *why_no_uploads != '\0' ? ", and no output is taken: " : "", why_no_uploads);
}

void waiting_of_batch(const struct batch_view *batch, const struct unit *unit,
                      const struct standing *standing, const struct waiting_facts *facts,
                      struct texts *sentences)
{
    if (batch->row.state == BATCH_CANCELLED || batch->row.state == BATCH_FINISHED)
        return;
    if (batch->row.state == BATCH_HELD)
        say(sentences, "it is held: dugnad release lets it go on");
    if (batch->row.state == BATCH_PAUSED)
        say(sentences, "it %.200s", batch->row.why != NULL ? batch->row.why : "");
    if (unit != NULL) {
        say_surroundings(facts, sentences);
        say_independence(&unit->rule, &facts->supply, sentences);
        say_standing(standing, &unit->rule, &facts->supply, sentences);
        say_validity(unit, facts->now_s, sentences);
        say_units_signature(&facts->signatures, sentences);
    } else if (batch->agreed > 0) {
        say_outputs(facts, sentences);
    }
    say_counts(batch, standing, facts, sentences);
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
        say(sentences,
            "its tasks agree; it waits for one of their hosts to deliver the output%s%.160s",
            *facts->why_no_uploads != '\0' ? ", and none is taken: " : "", facts->why_no_uploads);
        say_outputs(facts, sentences);
        return;
    }
    say_surroundings(facts, sentences);
    say_independence(&unit->rule, &facts->supply, sentences);
    say_validity(unit, facts->now_s, sentences);
    say_differing(differing_copies(unit) > 0, differing_copies(unit), sentences);
    if (facts->signatures.unsigned_units > 0)
        say(sentences,
            "no client takes it: %s; another key signs it when it is submitted again, in a batch "
            "of "
            "another name",
            refusal_words(facts->signatures.units));
    else if (is_tried_by_all(unit, &facts->supply))
        say(sentences,
            "all %" PRId64 " %s of the last day had a copy of it, and nobody gets a unit twice: "
            "the %" PRIu32 " more that it needs wait for others to join",
            enrolled_of(&unit->rule, &facts->supply), who[unit->rule.independence],
            unit->copies_wanted);
    else if (unit->copies_wanted > 0)
        say(sentences, "%" PRIu32 " more %s for %s", unit->copies_wanted,
            many(unit->copies_wanted, "copy waits", "copies wait"), awaited(facts));
    if (sent > 0)
        say(sentences, "%" PRId64 " %s being computed", sent, many(sent, "task is", "tasks are"));
    if (reported > 0)
        say(sentences, "%" PRId64 " of %" PRIu32 " agreeing tasks reported at most", reported,
            unit->rule.quorum);
}
