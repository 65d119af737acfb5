/* work-units/trust: what a client stored of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"
#include "tests/support/trial.h"

TestSuite(trust, .init = trial_set_up, .fini = trial_tear_down);

/* ---- the stored state ---- */

Test(trust, its_state_comes_back_from_storage)
{
    CLEANUP(freep) char *text = NULL, *again = NULL;
    CLEANUP(trust_clear) struct trust read = {.has_freshness = false};
    struct error err = {.text = ""};

    trial_next_keyring();
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    text = trust_encode(&trial.trust);
    cr_assert(eq(int, trust_decode(text, strlen(text), &read, &err), STATUS_OK), "%s", err.text);
    again = trust_encode(&read);
    cr_expect(eq(str, again, text));
    cr_expect(eq(i64, read.keyring.version, 2));
    cr_expect(read.has_freshness);
    cr_expect(eq(i64, read.latest_signed_s, SAMPLE_NOW_S));
}

Test(trust, a_state_without_freshness_comes_back_too)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(trust_clear) struct trust first = {.has_freshness = false}, read = first;
    CLEANUP(envelope_clear) struct envelope keyring = sample_seal_keyring(&trial.sample);

    cr_assert(eq(int, trust_start(&first, &trial.sample.project, &keyring, NULL), REFUSAL_NONE));
    text = trust_encode(&first);
    cr_assert(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_OK));
    cr_expect(not(read.has_freshness));
}

/* The state says nothing that a signature does not: only the clock's mark could be changed. */
Test(trust, a_changed_state_is_refused, .timeout = 60)
{
    CLEANUP(freep) char *text = trust_encode(&trial.trust);
    size_t length = strlen(text);
    const char *mark = strstr(text, "latest_signed");

    for (size_t i = 0; text + i < mark; i++) {
        CLEANUP(trust_clear) struct trust read = {.has_freshness = false};

        text[i] ^= (char)(1 << i % 7);
        if (trust_decode(text, length, &read, NULL) == STATUS_OK) {
            cr_expect(
                digest_equals(&read.keyring_envelope.digest, &trial.trust.keyring_envelope.digest),
                "byte %zu", i);
            cr_expect(digest_equals(&read.freshness_envelope.digest,
                                    &trial.trust.freshness_envelope.digest),
                      "byte %zu", i);
            cr_expect(digest_equals(&read.project, &trial.trust.project));
        }
        text[i] ^= (char)(1 << i % 7);
    }
}

Test(trust, a_state_whose_keyring_the_root_did_not_sign_is_refused)
{
    CLEANUP(freep) char *text = NULL;
    struct trust read = {.has_freshness = false};

    trial_next_keyring();
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    trial.trust.keyring_envelope.signature_count = 1;
    text = trust_encode(&trial.trust);
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}

Test(trust, a_state_of_another_project_than_its_first_keyring_is_refused)
{
    CLEANUP(freep) char *text = NULL;
    struct trust read = {.has_freshness = false};

    trial.trust.project = digest_of("another", 7);
    trial.trust.has_freshness = false;
    text = trust_encode(&trial.trust);
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}

Test(trust, what_is_no_state_is_refused)
{
    static const char *const texts[] = {"", "{}", "[]", "{\"type\":\"dugnad-trust\"}"};
    CLEANUP(freep) char *text = trust_encode(&trial.trust);
    struct trust read = {.has_freshness = false};
    char *mark = strstr(text, "\"latest_signed\":1");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect(eq(int, trust_decode(texts[i], strlen(texts[i]), &read, NULL), STATUS_INVALID));
    mark[strlen("\"latest_signed\":")] = '0';
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_INVALID));
    mark[strlen("\"latest_signed\":")] = '1';
    mark[strlen("\"latest_signed\":1")] = '0'; /* earlier than what was signed */
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}
