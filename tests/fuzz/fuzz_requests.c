/* The smaller requests: each decoder is given the same bytes, and one takes them at most. */
#include "protocol/account.h"
#include "protocol/batch.h"
#include "protocol/enrolment.h"
#include "protocol/files_missing.h"
#include "tests/fuzz/round_trip.h"

static char *encode_files(const struct digests *files)
{
    return files_missing_request_encode(files->digests, files->count);
}

ROUND_TRIP(account, account_request, account_request_decode, account_request_encode, OWNS_NOTHING)
ROUND_TRIP(batch, batch_request, batch_request_decode, batch_request_encode, OWNS_NOTHING)
ROUND_TRIP(action, batch_action_request, batch_action_decode, batch_action_encode, OWNS_NOTHING)
ROUND_TRIP(statement, enrolment, enrolment_decode, enrolment_encode, OWNS_NOTHING)
ROUND_TRIP(enrolment, enrolment_request, enrolment_request_decode, enrolment_request_encode,
           enrolment_request_clear)
ROUND_TRIP(files, digests, files_missing_request_decode, encode_files, digests_clear)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *body = (const char *)bytes;
    int taken = 0;

    taken += check_account(body, length);
    taken += check_batch(body, length);
    taken += check_action(body, length);
    taken += check_statement(body, length);
    taken += check_enrolment(body, length);
    taken += check_files(body, length);
    assert(taken <= 1);
    return 0;
}
