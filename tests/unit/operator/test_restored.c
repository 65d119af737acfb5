/* A site that came back from an older copy: what is published next mends it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/desk.h"

TestSuite(restored, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

static int64_t sequence_there(void)
{
    struct trust trust = desk_follow();
    int64_t sequence = trust.freshness.sequence;

    trust_clear(&trust);
    return sequence;
}

/* Every submit renews the freshness: after a restore nobody could publish anything. */
Test(restored, a_site_restored_from_an_older_copy_takes_what_is_published_next)
{
    static const char *const commands[][6] = {
        {"dugnad", "key", "publish"},
        {"dugnad", "key", "rotate", "work"},
        {"dugnad", "submit", "app", "--range", "0..3"},
    };

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        CLEANUP(freep) char *copy = text_copy(desk_site.freshness);
        int64_t newest;

        desk_site.has_batch = false;
        texts_clear(&desk_site.units);
        cr_assert(eq(int, RUN("submit", "app", "--range", "0..3"), EXIT_DONE), "%s", desk_said);
        newest = sequence_there();
        free(desk_site.freshness);
        desk_site.freshness = TAKE(copy);
        desk_site.has_batch = false;
        texts_clear(&desk_site.units);
        cr_expect(eq(int, run_words(commands[i]), EXIT_DONE), "%s: %s", commands[i][1], desk_said);
        cr_expect(strstr(desk_said, "restored from an older copy") != NULL, "%s", desk_said);
        cr_expect(lt(i64, newest, sequence_there()));
        cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE));
        cr_expect(strstr(desk_said, "older copy") == NULL, "it is mended: %s", desk_said);
    }
}

/* The root changed meanwhile: only with each link of the chain does anybody follow it. */
Test(restored, keyrings_that_a_restored_site_lacks_are_published_again)
{
    for (size_t kept = 0; kept < 4; kept++) {
        CLEANUP(freep) char *first = text_copy(desk_site.keyrings.texts[0]);

        cr_assert(eq(int, RUN("key", "rotate", "root-spare"), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(int, RUN("key", "rotate", "root-use"), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(int, RUN("key", "rotate", "work"), EXIT_DONE), "%s", desk_said);
        texts_clear(&desk_site.keyrings);
        if (kept % 2 == 0) {
            texts_add(&desk_site.keyrings, first);
        } else { /* a copy from before the project was published */
            desk_site.project = (struct digest){0};
            free(TAKE(desk_site.freshness));
        }
        desk_site.has_batch = false;
        texts_clear(&desk_site.units);
        cr_expect(eq(int,
                     kept < 2 ? RUN("key", "publish")
                              : RUN("submit", "app", "--range", "0..3", "--name", "b"),
                     EXIT_DONE),
                  "%s", desk_said);
        cr_assert(lt(sz, 0, desk_site.keyrings.count), "%s", desk_said);
        cr_expect(eq(str, desk_site.keyrings.texts[0], first));
        cr_expect(eq(sz, desk_site.keyrings.count, 1 + 3 * (kept + 1)));
        (void)sequence_there(); /* everybody can follow */
    }
}

/* Words and the words that stand for them were often the same. */
Test(restored, what_does_not_hold_is_said_once)
{
    static const char words[] = "it needs a newer keyring than the one known";
    CLEANUP(freep) char *first = text_copy(desk_site.keyrings.texts[0]);
    CLEANUP(freep) char *link = NULL;
    const char *at;

    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    link = text_copy(desk_out);
    link[strcspn(link, "\n")] = '\0';
    cr_assert(eq(int, RUN("key", "rotate", "work"), EXIT_DONE), "%s", desk_said);
    texts_clear(&desk_site.keyrings);
    texts_add(&desk_site.keyrings, first); /* and a freshness of the second */
    cr_expect(eq(int, RUN("connect", link, "--profile", "other"), EXIT_UNTRUSTED), "%s", desk_said);
    at = strstr(desk_said, words);
    cr_expect(at != NULL && strstr(at + 1, words) == NULL, "%s", desk_said);
}

/* It said that the batch is "now finished", whatever it did. */
Test(restored, a_retry_says_what_it_did_and_what_stays_failed)
{
    static const struct retry_status nothing = {0}, all = {.is_there = true, .reopened = 30},
                                     some = {.is_there = true,
                                             .reopened = 5,
                                             .expired = 7,
                                             .revoked = 11,
                                             .spent = 13};

    submit_three();
    desk_site.retry = nothing;
    cr_expect(eq(int, RUN("retry", "b"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "nothing is tried again") != NULL, "%s", desk_out);
    desk_site.retry = all;
    cr_expect(eq(int, RUN("retry", "b"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "30 units that failed are tried again") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "stay failed") == NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "not through") == NULL, "it waits: %s", desk_out);
    desk_site.retry = some;
    cr_expect(eq(int, RUN("retry", "b"), EXIT_NOT_ALL), "%s", desk_said);
    cr_expect(strstr(desk_out, "5 units") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "7 stay failed: their signed validity") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "11 stay failed: they") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "13 stay failed: no task") != NULL, "%s", desk_out);
}

static int append_to(const char *name, const char *range)
{
    return RUN("submit", "app", "--range", range, "--name", name, "--append");
}

static int append(const char *range)
{
    return append_to("b", range);
}

static void restore_units(const struct texts *sent, size_t kept)
{
    desk_site.cut = CUT_NEVER;
    texts_clear(&desk_site.units);
    for (size_t i = 0; i < kept; i++)
        texts_add(&desk_site.units, sent->texts[i]);
    desk_site.has_batch = kept > 0;
}

/* Each round by its own command line, in the order in which they were sent; then it goes on. */
Test(restored, several_rounds_that_the_site_lost_are_sent_again_as_they_were)
{
    static const char *const ranges[] = {"0..2", "2..4", "4..6"};
    CLEANUP(texts_clear) struct texts sent = {0};

    for (size_t i = 0; i < 3; i++)
        cr_assert(eq(int, append(ranges[i]), EXIT_DONE), "%s", desk_said);
    for (size_t i = 0; i < desk_site.units.count; i++)
        texts_add(&sent, desk_site.units.texts[i]);
    for (size_t kept = 0; kept < 6; kept++) {
        fake_env_pass(&desk_env, 3600 * 1000);
        restore_units(&sent, kept);
        if (kept < 4) {
            cr_expect(eq(int, append(ranges[2]), EXIT_FAILED), "%zu units are there", kept);
            cr_expect(strstr(desk_said, kept < 2 ? "began with unit 0," : "began with unit 2,") !=
                          NULL,
                      "%s", desk_said);
        }
        cr_expect(eq(int, append("6..8"), EXIT_FAILED), "no new one before what is lost");
        for (size_t i = kept / 2; i < 3; i++)
            cr_expect(eq(int, append(ranges[i]), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(sz, desk_site.units.count, 6), "%zu were there", kept);
        for (size_t i = 0; i < 6; i++)
            cr_expect(eq(str, desk_site.units.texts[i], sent.texts[i]));
    }
    cr_expect(eq(int, append("6..8"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 8));
}

/* Is it cut there? Else the round is through. `sent` gets the units of two rounds. */
static bool cut_third_round(const char *name, int64_t after, struct texts *sent)
{
    desk_site.has_batch = false;
    texts_clear(&desk_site.units);
    cr_assert(eq(int, append_to(name, "0..2"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, append_to(name, "2..4"), EXIT_DONE), "%s", desk_said);
    for (size_t i = 0; i < desk_site.units.count; i++)
        texts_add(sent, desk_site.units.texts[i]);
    desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
    desk_site.cut_after = desk_site.requests + after / 2;
    return append_to(name, "4..6") != EXIT_DONE;
}

/* The site fell over while it got the third one: that was sent over the hole before it. */
Test(restored, several_rounds_are_sent_again_if_the_last_one_was_cut)
{
    static const char *const ranges[] = {"0..2", "2..4", "4..6"};
    bool was_cut = true;

    for (int64_t after = 0; was_cut; after++) {
        CLEANUP(freep) char *name = text_format("b-%d", (int)after);
        CLEANUP(texts_clear) struct texts sent = {0};
        size_t kept = (size_t)after % 3;

        was_cut = cut_third_round(name, after, &sent);
        restore_units(&sent, kept);
        cr_expect(eq(int, append_to(name, ranges[2]), EXIT_FAILED), "%s", name);
        cr_expect(strstr(desk_said, kept < 2 ? "began with unit 0," : "began with unit 2,") != NULL,
                  "%s: %s", name, desk_said);
        cr_expect(eq(int, append_to(name, "6..8"), EXIT_FAILED), "%s", name);
        cr_assert(eq(sz, desk_site.units.count, kept), "%s", name);
        for (size_t i = kept / 2; i < 3; i++)
            cr_expect(eq(int, append_to(name, ranges[i]), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(sz, desk_site.units.count, 6), "%s", name);
        for (size_t i = 0; i < 4; i++)
            cr_expect(eq(str, desk_site.units.texts[i], sent.texts[i]));
        cr_expect(eq(int, append_to(name, "6..8"), EXIT_DONE), "%s", desk_said);
        cr_expect(eq(sz, desk_site.units.count, 8));
    }
}

/* It was told to repeat a 'submit' that no command line could be. */
Test(restored, rounds_of_which_a_profile_knows_nothing_need_another_name)
{
    static const char *const ranges[] = {"0..2", "2..4", "4..6"};

    for (size_t since = 0; since < 2; since++) { /* rounds since rounds are listed */
        CLEANUP(freep) char *name = text_format("b-%zu", since);
        CLEANUP(freep) char *list = text_format(".config/dugnad/default/batches/%s/rounds", name);
        CLEANUP(texts_clear) struct texts sent = {0};
        size_t last = 1 + since;

        restore_units(&sent, 0);
        cr_assert(eq(int, append_to(name, ranges[0]), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(int, append_to(name, ranges[1]), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(int, desk_env.base.disk->remove(desk_env.base.disk, at_home(list), NULL),
                     STATUS_OK));
        if (since > 0)
            cr_assert(eq(int, append_to(name, ranges[2]), EXIT_DONE), "%s", desk_said);
        for (size_t i = 0; i < desk_site.units.count; i++)
            texts_add(&sent, desk_site.units.texts[i]);
        for (size_t kept = 0; kept < 2 * last; kept++) {
            restore_units(&sent, kept);
            for (size_t i = 0; i < 3; i++) {
                cr_expect(eq(int, append_to(name, ranges[i]), EXIT_FAILED));
                cr_expect(strstr(desk_said, "use another --name") != NULL, "%s", desk_said);
            }
        }
        restore_units(&sent, 2 * last);
        cr_expect(eq(int, append_to(name, ranges[last]), EXIT_DONE), "%s", desk_said);
        cr_assert(eq(sz, desk_site.units.count, 2 * last + 2));
    }
}
