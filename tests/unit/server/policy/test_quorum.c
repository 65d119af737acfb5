/* server/policy/quorum: who agrees, and who only seems to. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "server/policy/quorum.h"

#include "server/policy/credit.h"

enum { HOST = INDEPENDENCE_HOST, VOLUNTEER, ORGANISATION };
enum { OPEN = UNIT_OPEN, AGREED = UNIT_AGREED, FAILED = UNIT_FAILED };
enum { NONE = FAILURE_NONE, ERRORS, DISSENT, SPLIT };

/*
 * A task is one word: its result (or s sent, e error, o overdue, w withdrawn, h handed back, n the
 * same and never started), then in three digits who has it (host, volunteer, organisation) and,
 * after a >, who that is now. What becomes of it is one letter: Sent, Reported, Agreed, oUtvoted,
 * Inconclusive, Error, Overdue, Handed back. The rule everywhere: quorum 2, one failure forgiven,
 * four tasks at most.
 */
static const struct {
    const char *it;
    int independence;
    const char *tasks;
    const char *become;
    int state, failure;
    uint32_t copies_wanted;
} cases[] = {
    {"wants a quorum of copies at first", VOLUNTEER, "", "", OPEN, NONE, 2},
    {"waits for what is out", VOLUNTEER, "a111 s222", "RS", OPEN, NONE, 0},
    {"agrees on equal outputs", VOLUNTEER, "a111 a222", "AA", AGREED, NONE, 0},
    {"wants a third on dissent", VOLUNTEER, "a111 b222", "RR", OPEN, NONE, 1},
    {"outvotes the dissenter", VOLUNTEER, "a111 b222 a333", "AUA", AGREED, NONE, 0},
    {"replaces an error", VOLUNTEER, "a111 e222", "RE", OPEN, NONE, 1},
    {"two errors are one too many", VOLUNTEER, "e111 a222 e333", "EIE", FAILED, ERRORS, 0},
    {"no copy may be added", VOLUNTEER, "a111 b222 c333 d444", "IIII", FAILED, DISSENT, 0},
    {"two outputs have a quorum", VOLUNTEER, "a111 b222 a333 b444", "IIII", FAILED, SPLIT, 0},

    {"what is handed back is no failure", VOLUNTEER, "h111 h222 h333", "HHH", OPEN, NONE, 2},
    {"and uses up nothing", VOLUNTEER, "h111 a222 h333 b444 h555", "HRHRH", OPEN, NONE, 1},
    {"replaces an overdue one", VOLUNTEER, "a111 o222", "RO", OPEN, NONE, 1},
    {"which still counts when it comes", VOLUNTEER, "a111 a222 s333", "AAS", AGREED, NONE, 0},

    {"two hosts of one volunteer do not agree", VOLUNTEER, "a111 a211", "RR", OPEN, NONE, 1},
    {"unless hosts are enough", HOST, "a111 a211", "AA", AGREED, NONE, 0},
    {"one host never agrees with itself", HOST, "a111 a111", "RR", OPEN, NONE, 1},
    {"nor one organisation", ORGANISATION, "a111 a221", "RR", OPEN, NONE, 1},
    {"a volunteer counts once", VOLUNTEER, "a111 a211 a322", "AIA", AGREED, NONE, 0},
    {"accounts apart then, one now", VOLUNTEER, "a111 a222>211", "RR", OPEN, NONE, 1},
    {"accounts apart now, one then", VOLUNTEER, "a111 a211>222", "RR", OPEN, NONE, 1},
    {"an account handed on", VOLUNTEER, "a111>122 a222>233", "RR", OPEN, NONE, 1},
    {"not whoever comes first", VOLUNTEER, "a111>122 a211 a322", "IAA", AGREED, NONE, 0},
};

static struct identity identity_of(int digits)
{
    return (struct identity){
        .host = digits / 100, .volunteer = digits / 10 % 10, .organisation = digits % 10};
}

static struct task task_of(const char *word)
{
    struct task task = {.state = TASK_REPORTED};
    int then, now;

    if (sscanf(word + 1, "%d>%d", &then, &now) == 1)
        now = then;
    task.at_dispatch = identity_of(then);
    task.now = identity_of(now);
    if (word[0] == 's')
        task.state = TASK_SENT;
    else if (word[0] == 'e')
        task.state = TASK_ERROR;
    else if (word[0] == 'o')
        task.state = TASK_OVERDUE;
    else if (word[0] == 'w')
        task.state = TASK_DROPPED;
    else if (word[0] == 'h' || word[0] == 'n')
        task.state = TASK_ABANDONED;
    else
        task.result.bytes[0] = (uint8_t)word[0];
    if (word[0] == 'n')
        task.cause = CAUSE_UNSTARTED;
    return task;
}

static struct unit unit_of(int independence, uint32_t copies, const char *tasks)
{
    struct unit unit = {.state = UNIT_OPEN,
                        .rule = {.quorum = 2,
                                 .copies = copies,
                                 .max_failures = 1,
                                 .max_tasks = 4,
                                 .independence = (enum independence)independence}};

    for (const char *word = tasks; *word != '\0'; word += strspn(word, " ")) {
        unit.tasks[unit.task_count++] = task_of(word);
        word += strcspn(word, " ");
    }
    return unit;
}

Test(quorum, every_case_of_the_table)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit unit = unit_of(cases[i].independence, 2, cases[i].tasks);
        struct quorum_decision decision;
        char become[UNIT_TASKS_MAX + 1] = "";

        decision = quorum_decide(&unit);
        for (size_t t = 0; t < unit.task_count; t++)
            become[t] = " SRAUIEO H"[decision.tasks[t]];

        cr_expect(eq(str, become, (char *)cases[i].become), "%s", cases[i].it);
        cr_expect(eq(int, decision.state, cases[i].state), "%s", cases[i].it);
        cr_expect(eq(int, decision.failure, cases[i].failure), "%s", cases[i].it);
        cr_expect(eq(u32, decision.copies_wanted, cases[i].copies_wanted), "%s", cases[i].it);
    }
}

/* Nor may a unit live for ever on hosts that come and go. */
Test(quorum, the_places_of_a_unit_bound_what_may_be_handed_back)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "");

    while (unit.task_count < UNIT_TASKS_MAX - 2)
        unit.tasks[unit.task_count++] = task_of("h111");
    cr_expect(eq(u32, unit_room(&unit), 2));
    cr_expect(eq(u32, quorum_decide(&unit).copies_wanted, 2));
    unit.tasks[unit.task_count++] = task_of("h111");
    cr_expect(eq(int, quorum_decide(&unit).failure, DISSENT));
}

Test(quorum, more_copies_than_the_quorum_are_made_if_signed_so)
{
    struct unit unit = unit_of(VOLUNTEER, 3, "");

    cr_expect(eq(u32, quorum_decide(&unit).copies_wanted, 3));
    unit = unit_of(VOLUNTEER, 3, "s111 s222");
    cr_expect(eq(u32, quorum_decide(&unit).copies_wanted, 1));
}

Test(quorum, extra_copies_are_made_as_far_as_there_is_room_and_fail_nothing)
{
    static const struct {
        const char *tasks;
        uint32_t extra, copies_wanted;
        int state;
    } extras[] = {
        {"s111 s222", 1, 1, OPEN},           /* all are out: one more */
        {"a111 e222", 1, 2, OPEN},           /* besides the one that replaces the error */
        {"a111 b222", 3, 2, OPEN},           /* four at most: one is needed */
        {"a111 b222 s333 s444", 2, 0, OPEN}, /* no room is no failure */
        {"a111 a222", 2, 0, AGREED},
    };

    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        struct unit unit = unit_of(VOLUNTEER, 2, extras[i].tasks);
        struct quorum_decision decision;

        unit.extra = extras[i].extra;
        decision = quorum_decide(&unit);
        cr_expect(eq(u32, decision.copies_wanted, extras[i].copies_wanted), "%s", extras[i].tasks);
        cr_expect(eq(int, decision.state, extras[i].state), "%s", extras[i].tasks);
    }
}

Test(quorum, a_host_that_changed_hands_does_not_agree_with_itself)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "a111 a122");

    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_OPEN));
}

Test(quorum, a_candidate_shares_with_no_task_whatever_became_of_it)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "e111 a222>233");
    struct identity same_volunteer = identity_of(911), same_now = identity_of(939),
                    same_then = identity_of(929), fresh = identity_of(949);

    cr_expect(not(quorum_is_independent(&unit, &same_volunteer, "")));
    cr_expect(not(quorum_is_independent(&unit, &same_now, "")));
    cr_expect(not(quorum_is_independent(&unit, &same_then, "")));
    cr_expect(quorum_is_independent(&unit, &fresh, ""));
}

/* The prefixes of a unit's tasks, one letter each; "-": with an account. */
static struct unit unit_behind(int independence, const char *tasks, const char *prefixes)
{
    static char texts[UNIT_TASKS_MAX][2];
    struct unit unit = unit_of(independence, 2, tasks);

    for (size_t i = 0; i < unit.task_count; i++) {
        texts[i][0] = prefixes[i] == '-' ? '\0' : prefixes[i];
        unit.tasks[i].prefix = texts[i];
    }
    return unit;
}

Test(quorum, hosts_without_accounts_behind_one_prefix_at_dispatch_are_one_volunteer)
{
    struct unit unit = unit_behind(VOLUNTEER, "a111 a222", "pp");

    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_OPEN));
    unit = unit_behind(ORGANISATION, "a111 a222", "pp");
    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_OPEN));
    unit = unit_behind(VOLUNTEER, "a111 a222", "pq");
    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_AGREED));
    unit = unit_behind(VOLUNTEER, "a111 a222", "p-");
    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_AGREED), "an account stands apart");
    unit = unit_behind(VOLUNTEER, "a111 a222", "--");
    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_AGREED));
    unit = unit_behind(HOST, "a111 a222", "pp");
    cr_expect(eq(int, quorum_decide(&unit).state, UNIT_AGREED), "hosts are enough");
}

Test(quorum, a_candidate_behind_the_prefix_of_a_task_is_not_independent)
{
    struct unit unit = unit_behind(VOLUNTEER, "e111", "p");
    struct identity who = identity_of(949);

    cr_expect(not(quorum_is_independent(&unit, &who, "p")));
    cr_expect(quorum_is_independent(&unit, &who, "q"));
    cr_expect(quorum_is_independent(&unit, &who, ""));
}

static bool may_have_one(const char *tasks, int who)
{
    struct unit unit = unit_of(VOLUNTEER, 2, tasks);
    struct identity identity = identity_of(who);

    unit.copies_wanted = 1;
    return quorum_is_independent(&unit, &identity, "");
}

Test(quorum, what_was_handed_back_unstarted_comes_to_its_volunteer_once_more)
{
    cr_expect(may_have_one("n111 a222", 111), "the host itself");
    cr_expect(may_have_one("n111 a222", 911), "another one of the volunteer");
    cr_expect(not(may_have_one("n111 n111 a222", 111)), "once");
    cr_expect(not(may_have_one("n111 n211 a222", 311)), "whichever of its hosts it was");
    cr_expect(not(may_have_one("n111 h111", 111)), "of the other it has begun");
    cr_expect(not(may_have_one("n111 s111", 111)), "it has one");
    cr_expect(not(may_have_one("h111 a222", 111)), "it was begun");
    cr_expect(not(may_have_one("w111 a222", 111)), "which may be reported yet");
    cr_expect(not(may_have_one("n111 a222", 222)));
}

/* Places are as many as there are: those of others stay theirs. */
Test(quorum, what_was_handed_back_unstarted_comes_again_only_while_there_is_room)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "n111");
    struct identity who = identity_of(111);

    unit.copies_wanted = 2;
    unit.rule.max_tasks = 10;
    while (unit.task_count < UNIT_TASKS_MAX - 3)
        unit.tasks[unit.task_count++] = task_of("h222");
    cr_expect(quorum_is_independent(&unit, &who, ""));
    unit.tasks[unit.task_count++] = task_of("h222");
    cr_expect(not(quorum_is_independent(&unit, &who, "")));
}

Test(quorum, a_late_report_is_judged_by_what_was_agreed)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "a111 a222 a333 b444");

    unit.state = UNIT_ACCEPTED;
    unit.tasks[0].state = unit.tasks[1].state = TASK_AGREED;
    cr_expect(eq(int, quorum_judge_late(&unit, 2), TASK_INCONCLUSIVE));
    cr_expect(eq(int, quorum_judge_late(&unit, 3), TASK_OUTVOTED));
}

Test(quorum, credit_is_owed_once_to_whoever_was_right_and_only_when_accepted)
{
    struct unit unit = unit_of(VOLUNTEER, 2, "a111 a222 a333 b444");
    static const enum task_state states[] = {TASK_AGREED, TASK_AGREED, TASK_INCONCLUSIVE,
                                             TASK_OUTVOTED};

    unit.declared_ops = 50;
    for (size_t i = 0; i < 4; i++)
        unit.tasks[i].state = states[i];
    unit.state = UNIT_AGREED;
    cr_expect(eq(i64, credit_owed(&unit, 0), 0));
    unit.state = UNIT_ACCEPTED;
    cr_expect(eq(i64, credit_owed(&unit, 0), 50));
    cr_expect(eq(i64, credit_owed(&unit, 2), 50));
    cr_expect(eq(i64, credit_owed(&unit, 3), 0));
    unit.tasks[0].credit = 50;
    cr_expect(eq(i64, credit_owed(&unit, 0), 0));
    unit.tasks[2].result.bytes[0] = 'z';
    cr_expect(eq(i64, credit_owed(&unit, 2), 0), "inconclusive and wrong earns nothing");
}
