#include "server/policy/hailing.h"

#include "protocol/bulletin.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* No longer than clients heed. */
static int64_t within_s(const struct hailing_facts *facts)
{
    int64_t least_s = HAILING_WITHIN_LEAST_S, span_s = facts->idle_hosts / HAILING_VISITS_A_S;

    if (facts->up_s - facts->up_since_s < HAILING_KNOWN_AFTER_S)
        least_s = HAILING_UNKNOWN_S;
    span_s = larger(span_s, least_s);
    return span_s < BULLETIN_WITHIN_MOST_S ? span_s : BULLETIN_WITHIN_MOST_S;
}

static void take(struct hailing *hailing, int64_t mark, const struct hailing_facts *facts)
{
    hailing->mark = mark;
    hailing->within_s = within_s(facts);
    hailing->hailed_up_s = facts->up_s;
    hailing->has_news = false;
    hailing->quiet_until_up_s = facts->up_s + larger(HAILING_LEAST_S, hailing->within_s);
}

void hailing_news(struct hailing *hailing, int64_t up_s, bool by_others)
{
    int64_t due_up_s =
        larger(by_others ? up_s + HAILING_OTHERS_S : up_s, hailing->quiet_until_up_s);

    if (!hailing->has_news || due_up_s < hailing->due_up_s)
        hailing->due_up_s = due_up_s;
    hailing->has_news = true;
}

bool hailing_hear(struct hailing *hailing, int64_t mark, const struct hailing_facts *facts)
{
    if (mark <= hailing->mark)
        return false;
    take(hailing, mark, facts);
    return true;
}

bool hailing_look(struct hailing *hailing, const struct hailing_facts *facts)
{
    if (facts->may_issue && !hailing->could_issue)
        hailing_news(hailing, facts->up_s, false);
    hailing->could_issue = facts->may_issue;
    if (!hailing->has_news || !facts->may_issue || facts->up_s < hailing->due_up_s)
        return false;
    hailing->has_news = false;
    if (facts->waiting == 0)
        return false;
    take(hailing, hailing->mark + 1, facts);
    return true;
}
