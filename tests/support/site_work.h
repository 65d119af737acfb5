/* What an engine would do to the units of a test site, without one: each in a transaction. */
#ifndef TESTS_SUPPORT_SITE_WORK_H
#define TESTS_SUPPORT_SITE_WORK_H

#include "tests/support/site.h"

/* Units and hosts are named by their index in struct test_site. A host has one task of a unit. */
void site_send(struct test_site *site, size_t unit, size_t host);

/* The unit wants so many more copies. */
void site_want(struct test_site *site, size_t unit, uint32_t copies);

/* A good report of one inline output, "out.txt", of this text. */
void site_report(struct test_site *site, size_t unit, size_t host, const char *text);

/* An error: exit status 1 and this on stderr. */
void site_fail(struct test_site *site, size_t unit, size_t host, const char *stderr_tail);

/* All that was reported agrees; the unit is accepted, credit is given, everyone was told. */
void site_accept(struct test_site *site, size_t unit);

/* The unit is failed for that reason; what was out is dropped. */
void site_give_up(struct test_site *site, size_t unit, enum unit_failure failure);

/* Accepted no longer: open, and one more copy wanted. */
void site_reopen(struct test_site *site, size_t unit);

/* All of the above, as far as the fixture's default plan goes: unit 0 accepted from hosts 0 and 1
 * with "42\n", host 2 failed unit 1. */
void site_play(struct test_site *site);

#endif
