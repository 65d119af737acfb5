/* client/daemon: which app versions and variants are kept; and that no step is taken unasked. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/daemon/tasks.h"
#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
}

static void tear_down(void)
{
    volunteer_clear(&it);
}

TestSuite(envelopes, .init = set_up, .fini = tear_down, .timeout = 60);

static struct attached *project(void)
{
    return daemon_find(it.daemon, &it.site.sample.project);
}

/* As many as are kept, none of them used. */
static void fill(void)
{
    for (int i = 0; project()->envelope_count < SCHEDULER_HAVE_MAX; i++) {
        struct envelope envelope = {0};
        char payload[32];

        (void)snprintf(payload, sizeof payload, "{\"n\":%d}", i);
        envelope_init(&envelope, VARIANT_TYPE, payload, strlen(payload));
        cr_assert(eq(int, save_envelope(&project()->files, &envelope, NULL), STATUS_OK));
        attached_keep_envelope(project(), &envelope, NULL);
    }
}

/* Two units done; two more need the same app version, which is sent no more, and a new variant. */
static void offer_a_new_variant(void)
{
    it.site.task_count = 2;
    volunteer_live(&it, HOUR);
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_STORED), 2));
    fill();
    texts_add(&it.site.sample.variant.arguments, "-v");
    envelope_clear(&it.site.variant);
    it.site.variant = sample_seal_variant(&it.site.sample);
    it.site.task_count = 4;
}

/* It made room by the app version that a grant of the same answer counted on. */
Test(envelopes, a_new_one_takes_the_place_of_none_that_its_own_answer_needs)
{
    offer_a_new_variant();
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(sz, project()->envelope_count, SCHEDULER_HAVE_MAX));
}

/* Tasks were loaded after envelopes, when one too many had made room by whatever came first. */
Test(envelopes, what_a_task_needs_survives_a_restart_among_too_many)
{
    struct envelope one_more = {0};
    static const char *const payloads[] = {"{\"m\":1}", "{\"m\":2}", "{\"m\":3}"};

    it.launcher.duration_ms = 10 * MINUTE;
    volunteer_live(&it, MINUTE);
    fill();
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        envelope_init(&one_more, VARIANT_TYPE, payloads[i], strlen(payloads[i]));
        cr_assert(eq(int, save_envelope(&project()->files, &one_more, NULL), STATUS_OK));
        envelope_clear(&one_more);
    }
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
    cr_expect(attached_envelope(project(), &it.site.app_version.digest) != NULL);
    cr_expect(attached_envelope(project(), &it.site.variant.digest) != NULL);
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
}

/* Phases were assigned in a dozen places, and the table asked in one. */
Test(phases, a_step_that_the_table_does_not_have_is_a_bug, .signal = SIGABRT)
{
    struct client_task task = {.record = {.phase = PHASE_OFFERED}};

    task_enter(&task, PHASE_FETCHING);
    task_enter(&task, PHASE_RUNNING);
}
