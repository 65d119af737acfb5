#include "server/policy/company.h"

#include <stdbool.h>

int64_t company_wait_ms(const struct company_facts *facts)
{
    int64_t left_ms = facts->most_ms - facts->waited_ms;
    int64_t step_ms = (facts->most_ms + COMPANY_LOOKS - 1) / COMPANY_LOOKS;
    bool is_expected =
        facts->waited_ms > 0 ? facts->came > 0 : facts->waiting > 1 || facts->before > 1;

    if (facts->waiting == 0 || facts->waiting >= COMPANY_ENOUGH || left_ms <= 0 || !is_expected)
        return 0;
    return step_ms < left_ms ? step_ms : left_ms;
}
