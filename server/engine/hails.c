#include "server/engine/hails.h"

#include "common/base/log.h"
#include "server/engine/cycle.h"
#include "server/engine/publishing.h"
#include "server/engine/visit.h"

static void show(struct engine *engine)
{
    const struct bulletin_work work = {.mark = engine->hailing.mark,
                                       .look_s = engine->config.look_s,
                                       .within_s = engine->hailing.within_s};

    published_put_work(engine->published, &work);
}

static struct hailing_facts facts_of(struct engine *engine)
{
    struct engine_clock clock = clock_read(&engine->clock);

    (void)host_hints_grid(&engine->hosts, clock.up_s); /* those that left are counted out */
    return (struct hailing_facts){
        .up_s = clock.up_s,
        .up_since_s = engine->up_since_s,
        .waiting = queue_copies(engine->queue),
        .idle_hosts = engine->hosts.idle_hosts,
        .may_issue = visit_stop_of_site(engine, &clock) == VISIT_FREE,
    };
}

void hails_start(struct engine *engine)
{
    engine->up_since_s = clock_read(&engine->clock).up_s;
    engine->hailing =
        (struct hailing){.mark = engine->site.work_mark, .within_s = HAILING_UNKNOWN_S};
    show(engine);
}

static void note_news(struct engine *engine, bool by_others)
{
    uint64_t news = queue_news(engine->queue);

    if (news != engine->seen_news)
        hailing_news(&engine->hailing, clock_read(&engine->clock).up_s, by_others);
    engine->seen_news = news;
}

void hails_note_others(struct engine *engine)
{
    note_news(engine, true);
}

void hails_hear(struct engine *engine, int64_t mark)
{
    const struct hailing_facts facts = facts_of(engine);

    if (!hailing_hear(&engine->hailing, mark, &facts))
        return;
    engine->site.work_mark = engine->hailing.mark; /* stored with the next commit */
    show(engine);
}

/* They look at it about every look_s, and then come within the span. */
struct slots_call hails_call(const struct engine *engine)
{
    const struct hailing *hailing = &engine->hailing;

    return (struct slots_call){.called_up_s = hailing->hailed_up_s,
                               .come_up_s = hailing->hailed_up_s + engine->config.look_s +
                                            engine->config.look_s / 4 + hailing->within_s};
}

/* Every commit stores the mark. */
static enum status save_nothing(struct cycle *cycle, void *context, struct error *err)
{
    (void)cycle;
    (void)context;
    (void)err;
    return STATUS_OK;
}

enum status hails_make(struct engine *engine, struct error *err)
{
    const struct cycle_work work = {.run = save_nothing};
    const struct hailing_facts facts = facts_of(engine);
    struct hailing before;
    enum status status;

    note_news(engine, false);
    before = engine->hailing;
    if (!hailing_look(&engine->hailing, &facts))
        return STATUS_OK;
    engine->site.work_mark = engine->hailing.mark;
    status = cycle_do(engine, &work, NULL, err);
    if (status != STATUS_OK) {
        engine->hailing = before;
        engine->site.work_mark = before.mark;
        return status;
    }
    LOG(LOG_DEBUG, "work.hailed", LOG_N("mark", engine->hailing.mark),
        LOG_N("within_s", engine->hailing.within_s));
    show(engine);
    return STATUS_OK;
}
