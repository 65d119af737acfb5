/* Whatever a server answers is refused, or lies within what a client can bear. */
#include "protocol/scheduler_reply.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct visit_task finished = {.task = 12};
    struct visit visit = {.number = 7, .finished_count = 1, .finished = &finished};
    struct scheduler_reply reply = {0}, again = {0};
    char *text;

    if (scheduler_reply_decode((const char *)bytes, length, &visit, &reply, NULL) != STATUS_OK)
        return 0;
    assert(length <= SCHEDULER_REPLY_MAX && reply.visit == 7);
    assert(reply.ack_count == 1 && reply.acks[0].task == 12);
    assert(reply.grant_count <= SCHEDULER_WANT_MAX);
    assert(reply.return_s >= 0 && reply.return_s <= SCHEDULER_RETURN_MAX_S);
    text = scheduler_reply_encode(&reply);
    assert(scheduler_reply_decode(text, strlen(text), &visit, &again, NULL) == STATUS_OK);
    free(text);
    scheduler_reply_clear(&reply);
    scheduler_reply_clear(&again);
    return 0;
}
