/* The smaller replies: each decoder is given the same bytes. */
#include "protocol/apps.h"
#include "protocol/bulletin.h"
#include "protocol/enrolment.h"
#include "protocol/explain.h"
#include "protocol/listing.h"
#include "protocol/problem.h"
#include "protocol/project.h"
#include "protocol/published.h"
#include "protocol/result_line.h"
#include "protocol/unit_status.h"
#include "tests/fuzz/round_trip.h"

ROUND_TRIP(apps, apps, apps_decode, apps_encode, apps_clear)
ROUND_TRIP(bulletin, bulletin, bulletin_decode, bulletin_encode, bulletin_clear)
ROUND_TRIP(challenge, challenge_reply, challenge_reply_decode, challenge_reply_encode, OWNS_NOTHING)
ROUND_TRIP(enrolled, enrolment_reply, enrolment_reply_decode, enrolment_reply_encode, OWNS_NOTHING)
ROUND_TRIP(explanation, explanation, explanation_decode, explanation_encode, explanation_clear)
ROUND_TRIP(batches, batch_page, batch_page_decode, batch_page_encode, batch_page_clear)
ROUND_TRIP(batch, batch_status, batch_status_decode, batch_status_encode, OWNS_NOTHING)
ROUND_TRIP(units, unit_page, unit_page_decode, unit_page_encode, unit_page_clear)
ROUND_TRIP(tasks, task_page, task_page_decode, task_page_encode, task_page_clear)
ROUND_TRIP(hosts, host_page, host_page_decode, host_page_encode, host_page_clear)
ROUND_TRIP(project, project, project_decode, project_encode, project_clear)
ROUND_TRIP(received, units_received, units_received_decode, units_received_encode, OWNS_NOTHING)
ROUND_TRIP(result, result_line, result_line_decode, result_line_encode, result_line_clear)
ROUND_TRIP(unit, unit_status, unit_status_decode, unit_status_encode, unit_status_clear)

static void check_problem(const char *body, size_t length)
{
    struct problem problem = {0};

    if (problem_decode(body, length, &problem, NULL) != STATUS_OK)
        return;
    assert(problem.retry_after_s >= 0 && problem.retry_after_s <= PROBLEM_RETRY_MAX_S);
    assert(text_is_plain(problem.detail, strlen(problem.detail), true));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static bool (*const checks[])(const char *, size_t) = {
        check_apps,  check_bulletin, check_challenge, check_enrolled, check_explanation,
        check_batch, check_batches,  check_units,     check_tasks,    check_hosts,
        check_unit,  check_project,  check_received,  check_result,
    };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        (void)checks[i]((const char *)bytes, length);
    check_problem((const char *)bytes, length);
    return 0;
}
