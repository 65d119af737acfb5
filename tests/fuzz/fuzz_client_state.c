/* Whatever lies in the client's small files is refused, or becomes a record that is written alike.
 */
#include <stdlib.h>
#include <string.h>

#include "client/state/records.h"
#include "tests/fuzz/fuzz.h"

static void try_task(const char *text, size_t length)
{
    struct task_record record = {.task = 0}, again = {.task = 0};
    char *written, *twice;

    if (task_record_decode(text, length, &record, NULL) != STATUS_OK)
        return;
    assert(record.task >= 1 && record.phase < PHASE_COUNT);
    assert(phase_is_unfinished(record.phase) == (record.outcome == 0));
    written = task_record_encode(&record);
    assert(task_record_decode(written, strlen(written), &again, NULL) == STATUS_OK);
    twice = task_record_encode(&again);
    assert(strcmp(written, twice) == 0);
    free(written);
    free(twice);
    task_record_clear(&record);
    task_record_clear(&again);
}

static void try_others(const char *text, size_t length)
{
    struct project_record project = {.attached_s = 0};
    struct visit_record visit = {.number = 0};
    struct host_record host;

    if (project_record_decode(text, length, &project, NULL) == STATUS_OK)
        project_record_clear(&project);
    if (visit_record_decode(text, length, &visit, NULL) == STATUS_OK) {
        assert(visit.number >= 1 && visit.body != NULL);
        visit_record_clear(&visit);
    }
    if (host_record_decode(text, length, &host, NULL) == STATUS_OK)
        assert(host.next_visit >= 1 && host.tally.credit >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    try_task((const char *)bytes, length);
    try_others((const char *)bytes, length);
    return 0;
}
