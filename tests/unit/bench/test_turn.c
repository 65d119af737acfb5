#include "bench/turn.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/account.h"
#include "protocol/scheduler_reply.h"
#include "tests/support/messages.h"

static struct figures figures;
static struct kit kit;
static struct actor actor;
static struct turn turn;
static struct buffer request;

static void set_up(void)
{
    const struct shares honest = {0};
    struct digest secret = digest_of("secret", 6);

    kit = (struct kit){.authority = "a:1",
                       .platform = "x86_64-linux-gnu",
                       .tasks = 2,
                       .output_bytes = 64,
                       .now_s = 1800000000,
                       .figures = &figures};
    cr_assert(digest_parse(DIGEST_A, &kit.project));
    actor_init(&actor, &secret, 0, 7, &honest);
    buffer_init(&request, 4 * 1024 * 1024);
    turn_begin(&turn, &actor);
}

static void tear_down(void)
{
    turn_clear(&turn);
    actor_clear(&actor);
    kit_clear(&kit);
    buffer_clear(&request);
}

TestSuite(turn, .init = set_up, .fini = tear_down);

static const char *say(void)
{
    buffer_reset(&request);
    cr_assert(eq(int, turn_request(&turn, &kit, &request, NULL), STATUS_OK));
    return buffer_text(&request);
}

static enum status hear(int status, const char *body)
{
    struct response response = {.status = status, .body = body, .body_length = strlen(body)};

    return turn_answer(&turn, &kit, &response, NULL);
}

static void expect_said(const char *words)
{
    cr_expect(strstr(buffer_text(&request), words) != NULL, "%s is not in: %s", words,
              buffer_text(&request));
}

/* What a server answers to visit `number` that reported `acked` (0: nothing). */
static char *answer_of(int64_t number, int64_t acked, int64_t granted)
{
    CLEANUP(freep) char *unit = test_envelope_text("application/x", "{}", 1);
    struct scheduler_ack ack = {.task = acked, .state = ACK_STORED};
    struct scheduler_grant grant = {.task = granted, .unit = unit, .deadline_s = 1800001000};
    struct scheduler_reply reply = {.visit = number,
                                    .time_s = 1800000000,
                                    .ack_count = acked != 0,
                                    .acks = &ack,
                                    .grant_count = granted != 0,
                                    .grants = &grant};

    cr_assert(digest_parse(DIGEST_A, &grant.app_version));
    cr_assert(digest_parse(DIGEST_B, &grant.variant));
    return scheduler_reply_encode(&reply);
}

Test(turn, a_new_host_gets_an_account_a_challenge_and_a_token_before_it_visits)
{
    struct challenge_reply challenge = {.challenge = {.length = 4}, .expires_s = 1800000600};
    struct enrolment_reply enrolled = {.host = 3, .volunteer = 4, .next_visit = 1};
    struct token account = crew_token(&kit.project, 1);
    CLEANUP(freep) char *account_text = account_reply_encode(&account);
    CLEANUP(freep) char *challenge_text = challenge_reply_encode(&challenge);
    CLEANUP(freep) char *enrolled_text = NULL;

    enrolled.token = crew_token(&kit.project, 2);
    enrolled_text = enrolment_reply_encode(&enrolled);
    cr_expect(text_starts_with(say(), "POST /v1/accounts HTTP/1.1\r\nHost: a:1\r\n"));
    cr_assert(eq(int, hear(201, account_text), STATUS_OK));
    cr_expect(text_starts_with(say(), "POST /v1/challenges "));
    cr_assert(eq(int, hear(200, challenge_text), STATUS_OK));
    cr_expect(text_starts_with(say(), "POST /v1/hosts "));
    expect_said(account.text);
    cr_assert(eq(int, hear(200, enrolled_text), STATUS_OK));
    cr_expect(text_starts_with(say(), "POST /v1/scheduler "));
    expect_said(enrolled.token.text);
    cr_expect(eq(i64, figures.enrolled, 1));
    cr_expect(eq(i64, actor.next_visit, 8));
}

Test(turn, what_was_granted_is_reported_at_the_next_visit_and_then_forgotten)
{
    CLEANUP(freep) char *first = answer_of(7, 0, 16);
    CLEANUP(freep) char *second = answer_of(8, 16, 0);

    actor.token = crew_token(&kit.project, 2);
    turn_begin(&turn, &actor);
    (void)say();
    cr_assert(eq(int, hear(200, first), STATUS_OK));
    cr_expect(eq(int, turn.step, TURN_OVER));
    cr_expect(eq(sz, actor.held_count, 1));
    turn_begin(&turn, &actor);
    (void)say();
    expect_said("\"reports\":[{\"task\":16,");
    cr_assert(eq(int, hear(200, second), STATUS_OK));
    cr_expect(eq(sz, actor.held_count, 0));
    cr_expect(eq(i64, figures.granted, 1));
    cr_expect(eq(i64, figures.reported, 1));
    cr_expect(eq(i64, figures.visits, 2));
    cr_expect(eq(i64, figures.visits_without_work, 1));
}

Test(turn, an_answer_to_another_visit_is_refused)
{
    CLEANUP(freep) char *other = answer_of(6, 0, 16);

    actor.token = crew_token(&kit.project, 2);
    turn_begin(&turn, &actor);
    (void)say();
    cr_expect(eq(int, hear(200, other), STATUS_INVALID));
    cr_expect(eq(int, turn.step, TURN_OVER));
    cr_expect(eq(sz, actor.held_count, 0));
}

Test(turn, a_busy_server_is_asked_again_and_a_refusal_ends_the_turn)
{
    cr_expect(eq(int, hear(503, "{}"), STATUS_BUSY));
    cr_expect(eq(int, turn.step, TURN_ACCOUNT));
    cr_expect(eq(int, hear(429, "{}"), STATUS_LIMITED));
    cr_expect(eq(int, turn.step, TURN_OVER));
    cr_expect(eq(i64, figures.refused, 1));
}
