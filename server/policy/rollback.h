/*
 * Has the site gone back in time: was it put back from an older copy (or failed over to a standby
 * that lagged) without `dugnad-server restore`? Its own rows cannot tell, but hosts know what it
 * said since. PURE; what it keeps is a hint.
 *
 * Any host may lie, so one is never enough, and nothing comes of it but words for the operator.
 */
#ifndef SERVER_POLICY_ROLLBACK_H
#define SERVER_POLICY_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A visit's number may honestly be above the one before: what is refused on the way, by a proxy
 * say, a client gives up with its number. It tries again some eight times within an hour or two,
 * then about twice an hour; so this much, and one more for each of these spans, is no sign.
 */
#define ROLLBACK_VISITS_MOST   16
#define ROLLBACK_VISITS_SPAN_S 900

/* Nor is a gap of more than so many, two years of a visit a minute: no copy is as old. Such numbers
 * count no visits; dugnad-bench takes its hosts' from the clock. */
#define ROLLBACK_VISITS_BELIEVED 1000000

#define ROLLBACK_TOLD_S     (7 * INT64_C(86400)) /* after a restore that it was told hosts catch up */
#define ROLLBACK_VOLUNTEERS 3                    /* of which a host has shown a sign ... */
#define ROLLBACK_WITHIN_S   86400                /* ... within so long: it is likely */
#define ROLLBACK_SAY_S      3600
#define ROLLBACK_HINTS_MAX  32

enum rollback_sign {
    ROLLBACK_NONE = 0,
    ROLLBACK_VISITS, /* visits that this site does not know are missing between two of the host */
    ROLLBACK_TASK,   /* it names a task that this site never gave out */
    ROLLBACK_SIGNED, /* it knows a newer keyring or freshness than the newest that is here */
};

/* For the log: "visits-skipped"; "" for none. */
const char *rollback_sign_name(enum rollback_sign sign);

/* Of a visit that was not there before. Times in Unix seconds. */
struct rollback_facts {
    int64_t now_s;
    int64_t restored_s; /* when the site was last said to be restored; 0: never */
    int64_t visit;      /* its number */
    int64_t last_visit; /* the number of the host's last one as stored; 0: none */
    int64_t last_s;     /* and when that was */
    bool names_unknown_task;
    bool refuses_newest; /* as older than one that it knows */
};

/*
 * None of a host that the site has not heard from since a restore it was told of, nor of any for
 * ROLLBACK_TOLD_S after one: they know more than it, rightly. Neither is a number that comes again
 * because an answer was lost one, nor one of a host that is new (it may have a new key for an old
 * installation); a lower one is a clone's.
 */
enum rollback_sign rollback_sign_of(const struct rollback_facts *facts);

/* Zeroed: nothing was seen. By volunteer, the newest sign of each; times of the up-time clock. */
struct rollback {
    struct rollback_hint {
        int64_t volunteer; /* that of its address prefix, of a host without an account */
        int64_t up_s;
    } hints[ROLLBACK_HINTS_MAX];
    size_t count;
    bool was_said;
    int64_t said_up_s;
};

void rollback_note(struct rollback *rollback, int64_t volunteer, int64_t up_s);

/* Have hosts of ROLLBACK_VOLUNTEERS shown a sign within ROLLBACK_WITHIN_S? */
bool rollback_is_likely(const struct rollback *rollback, int64_t up_s);

/* To be asked every second. True: it is likely, or was before (`is_kept`), and is to be said; once
 * in ROLLBACK_SAY_S. */
bool rollback_say(struct rollback *rollback, bool is_kept, int64_t up_s);

#endif
