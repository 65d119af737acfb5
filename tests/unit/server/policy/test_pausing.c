/* server/policy/pausing: most of many tasks on several hosts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/pausing.h"

static bool is_due(int64_t ended, int64_t failed, int64_t hosts)
{
    return pausing_is_due(&(struct pausing_facts){ended, failed, hosts});
}

Test(pausing, only_when_most_of_enough_tasks_on_enough_hosts_failed)
{
    cr_expect(is_due(20, 11, 5));
    cr_expect(not(is_due(20, 10, 5)));
    cr_expect(not(is_due(19, 19, 5)));
    cr_expect(not(is_due(200, 200, 4)), "one broken machine stops nobody");
}
