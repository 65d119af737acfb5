/* Whatever a host sends is refused, or its reports belong to its statement one by one. */
#include "protocol/scheduler_request.h"
#include "tests/fuzz/round_trip.h"

ROUND_TRIP(request, scheduler_request, scheduler_request_decode, scheduler_request_encode,
           scheduler_request_clear)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scheduler_request request = {0};

    (void)check_request((const char *)bytes, length);
    if (scheduler_request_decode((const char *)bytes, length, &request, NULL) != STATUS_OK)
        return 0;
    assert(length <= SCHEDULER_REQUEST_MAX && request.held_count <= SCHEDULER_HELD_MAX);
    assert(request.want_tasks >= 0 && request.want_tasks <= SCHEDULER_WANT_MAX);
    for (size_t i = 0; i < request.visit.finished_count; i++) {
        const struct scheduler_report *report = &request.reports[i];

        assert(report->task == request.visit.finished[i].task);
        assert(report->stderr_tail.length <= SCHEDULER_STDERR_MAX);
        assert(report->body_count <= request.visit.finished[i].outputs.count);
    }
    scheduler_request_clear(&request);
    return 0;
}
