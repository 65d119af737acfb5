/*
 * When hosts that have nothing to do are told that there is work: the bulletin carries a mark that
 * is changed then. They look at it now and then, and come within a span that the server can take
 * them in. The document is cached by others, so the mark says that something new waits, not how
 * much, and is changed seldom: at the first of many news at once, and at the rest together.
 */
#ifndef SERVER_POLICY_HAILING_H
#define SERVER_POLICY_HAILING_H

#include <stdbool.h>
#include <stdint.h>

#define HAILING_LEAST_S        10  /* between two changes of the mark */
#define HAILING_OTHERS_S       5   /* news that another server made: it hails, unless it died */
#define HAILING_VISITS_A_S     100 /* that one server takes besides; see docs/PERFORMANCE.md */
#define HAILING_WITHIN_LEAST_S 2
#define HAILING_UNKNOWN_S      15   /* likewise, while hosts have not come since the start */
#define HAILING_KNOWN_AFTER_S  3600 /* all that want work come so often: RETURNING_MOST_S */

struct hailing_facts {
    int64_t up_s;       /* of the up-time clock */
    int64_t up_since_s; /* this server's start, by it */
    int64_t waiting;    /* copies that wait */
    int64_t idle_hosts; /* that came since then in vain, and are expected again */
    bool may_issue;     /* the site sends tasks at all */
};

/* Zeroed, but for what was the mark: at the start. */
struct hailing {
    int64_t mark;
    int64_t within_s;    /* in which those who see it changed are to come */
    int64_t hailed_up_s; /* when it was changed */
    bool has_news;
    bool could_issue;         /* when it was looked at last */
    int64_t due_up_s;         /* with news: not before */
    int64_t quiet_until_up_s; /* the mark stays until then */
};

/* Something waits for which nobody had to be told before. `by_others`: at another server. */
void hailing_news(struct hailing *hailing, int64_t up_s, bool by_others);

/* The mark of another server of the site: a higher one is this one's, too, and speaks for all news
 * so far. True: it was changed. */
bool hailing_hear(struct hailing *hailing, int64_t mark, const struct hailing_facts *facts);

/* To be asked every second. True: the mark was changed, with the span. News of what was handed out
 * meanwhile is no news; while the site sends nothing they wait. */
bool hailing_look(struct hailing *hailing, const struct hailing_facts *facts);

#endif
