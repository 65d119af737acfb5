/*
 * One volunteer's daemon in a world under the test's control: a folder of its own on a disk that
 * can be made to fail, a fake clock, network and sandbox. Everything asserts.
 */
#ifndef TESTS_SUPPORT_VOLUNTEER_H
#define TESTS_SUPPORT_VOLUNTEER_H

#include "client/daemon/daemon.h"
#include "tests/support/failing_disk.h"
#include "tests/support/fake_env.h"
#include "tests/support/fake_launcher.h"
#include "tests/support/fake_site.h"

/* Spans in ms. */
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct volunteer {
    char path[64];
    struct fake_env env;
    struct failing_disk disk;
    struct fake_launcher launcher;
    struct fake_site site;
    struct config config;
    struct data_folder folder;
    struct daemon *daemon; /* NULL: it does not run */
};

/* A site with so many units, and a daemon attached to it, not yet stepped; the log says errors
 * alone. */
void volunteer_init(struct volunteer *it, size_t units);
void volunteer_clear(struct volunteer *it);

/* The same, and nothing of it may be left, nor have broken the protocol. */
void volunteer_end(struct volunteer *it);

void volunteer_attach(struct volunteer *it);

/* Start the daemon; false: it could not (the disk fails). Stop it as SIGKILL would. */
bool volunteer_start(struct volunteer *it);
void volunteer_stop(struct volunteer *it);
void volunteer_restart(struct volunteer *it); /* one after the other */

/* Step, letting the time pass to each next wake-up, until `ms` are over. */
void volunteer_live(struct volunteer *it, int64_t ms);

/* The answer to a verb; json_decref() it. */
json_t *volunteer_ask(struct volunteer *it, const char *verb);

/* A member of the first project of `status`: text, or number. */
const char *volunteer_text(struct volunteer *it, const char *member); /* static */
int64_t volunteer_number(struct volunteer *it, const char *member);
int64_t volunteer_tally(struct volunteer *it, const char *member);

/* How many tasks of the first project are in this phase. */
size_t volunteer_phase(struct volunteer *it, const char *phase);

#endif
