/* Whatever a host signs is refused, or becomes a statement within its limits. */
#include "protocol/visit.h"
#include "tests/fuzz/round_trip.h"

ROUND_TRIP(visit, visit, visit_decode, visit_encode, visit_clear)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct visit visit = {0};

    (void)check_visit((const char *)bytes, length);
    if (visit_decode((const char *)bytes, length, &visit, NULL) != STATUS_OK)
        return 0;
    assert(length <= VISIT_PAYLOAD_MAX && visit.finished_count <= VISIT_FINISHED_MAX);
    assert(visit.number >= 1 && visit.number <= ID_MAX);
    for (size_t i = 0; i < visit.finished_count; i++) {
        const struct visit_task *task = &visit.finished[i];

        assert(visit_find_task(&visit, task->task) == task);
        assert((task->outcome == VISIT_DONE) == (task->outputs.count > 0));
        assert(task->outputs.count <= VISIT_OUTPUTS_MAX && !digest_is_none(&task->unit));
    }
    visit_clear(&visit);
    return 0;
}
