/* server/engine/packed_reply: an answer as it is stored. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/packed_reply.h"

static struct scheduler_ack acks[] = {
    {.task = 16, .state = ACK_STORED},
    {.task = INT64_MAX, .state = ACK_DROPPED, .why = "the task was withdrawn"}};
static struct scheduler_grant grants[] = {{.task = 33, .deadline_s = 1767225600}};
static struct scheduler_drop drops[] = {{.task = 48, .why = DROP_MOVED}};
static struct scheduler_verdict verdicts[] = {
    {.task = 64, .verdict = VERDICT_ACCEPTED, .credit = INT64_C(1) << 52}};
static struct scheduler_upload uploads[1];

static struct scheduler_reply sample(void)
{
    grants[0].app_version = digest_of("app", 3);
    grants[0].variant = digest_of("variant", 7);
    grants[0].digest = digest_of("unit", 4);
    uploads[0].task = 80;
    if (uploads[0].names.count == 0)
        texts_add(&uploads[0].names, "out.txt");
    return (struct scheduler_reply){.visit = 300,
                                    .time_s = 1767225600,
                                    .ack_count = 2,
                                    .acks = acks,
                                    .grant_count = 1,
                                    .grants = grants,
                                    .upload_count = 1,
                                    .uploads = uploads,
                                    .drop_count = 1,
                                    .drops = drops,
                                    .verdict_count = 1,
                                    .verdicts = verdicts,
                                    .keyring_version = 2,
                                    .freshness_sequence = 7,
                                    .asks_for_kept = true,
                                    .return_s = SCHEDULER_RETURN_MAX_S,
                                    .why = "no work now"};
}

/* With the same unit in both, which is not packed. */
static void expect_alike(struct scheduler_reply *a, struct scheduler_reply *b)
{
    CLEANUP(freep) char *first = NULL;
    CLEANUP(freep) char *second = NULL;

    cr_assert(eq(sz, b->grant_count, 1));
    a->grants[0].unit = text_copy("{}");
    b->grants[0].unit = text_copy("{}");
    first = scheduler_reply_encode(a);
    second = scheduler_reply_encode(b);
    cr_expect(eq(str, first, second));
    cr_expect(digest_equals(&a->grants[0].digest, &b->grants[0].digest), "for the receipt");
    free(a->grants[0].unit);
    a->grants[0].unit = NULL;
}

Test(packed_reply, is_read_as_it_was_made)
{
    struct scheduler_reply reply = sample();
    CLEANUP(scheduler_reply_clear) struct scheduler_reply again = {0};
    size_t length;
    CLEANUP(freep) char *bytes = packed_reply_make(&reply, &length);

    cr_assert(packed_reply_read((struct span){bytes, length}, &again));
    expect_alike(&reply, &again);
    cr_expect(length < 300, "%zu bytes", length);
}

Test(packed_reply, an_answer_with_nothing_to_say_is_small)
{
    struct scheduler_reply reply = {.visit = 1, .time_s = 1767225600, .return_s = 60};
    CLEANUP(scheduler_reply_clear) struct scheduler_reply again = {0};
    size_t length;
    CLEANUP(freep) char *bytes = packed_reply_make(&reply, &length);

    cr_expect(length < 20, "%zu bytes", length);
    cr_assert(packed_reply_read((struct span){bytes, length}, &again));
    cr_expect(eq(i64, again.return_s, 60));
}

Test(packed_reply, what_is_cut_or_longer_is_refused)
{
    struct scheduler_reply reply = sample(), none = {0};
    size_t length;
    CLEANUP(freep) char *bytes = packed_reply_make(&reply, &length);
    CLEANUP(freep) char *longer = must_alloc(length + 1, 1);

    memcpy(longer, bytes, length);
    for (size_t cut = 0; cut < length; cut++)
        cr_expect(not(packed_reply_read((struct span){bytes, cut}, &none)), "cut at %zu", cut);
    cr_expect(not(packed_reply_read((struct span){longer, length + 1}, &none)));
    cr_expect(eq(i64, none.visit, 0), "nothing is returned");
}

/* Whatever a byte becomes: refused, or an answer within the protocol's limits. */
Test(packed_reply, what_is_damaged_is_refused_or_harmless)
{
    struct scheduler_reply reply = sample();
    size_t length;
    CLEANUP(freep) char *bytes = packed_reply_make(&reply, &length);

    for (size_t i = 0; i < length; i++)
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            CLEANUP(scheduler_reply_clear) struct scheduler_reply again = {0};

            bytes[i] = (char)(bytes[i] ^ (int)flip);
            if (packed_reply_read((struct span){bytes, length}, &again)) {
                CLEANUP(freep) char *text = NULL;

                for (size_t j = 0; j < again.grant_count; j++)
                    again.grants[j].unit = text_copy("{}");
                text = scheduler_reply_encode(&again);
                cr_expect(lt(sz, 0, strlen(text)));
            }
            bytes[i] = (char)(bytes[i] ^ (int)flip);
        }
}
