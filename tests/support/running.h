/*
 * Tasks for the tests of sandbox/: a launcher and an empty slot per test, shell scripts as apps.
 * Everything asserts; nothing waits longer than said.
 */
#ifndef TESTS_SUPPORT_RUNNING_H
#define TESTS_SUPPORT_RUNNING_H

#include "common/base/disk.h"
#include "common/base/env.h"
#include "sandbox/launcher.h"

#define NAMESPACES                                                                                 \
    (LAYER_BIT(LAYER_USER_NAMESPACE) | LAYER_BIT(LAYER_PID_NAMESPACE) |                            \
     LAYER_BIT(LAYER_NETWORK_NAMESPACE))

extern char slot[64];
extern struct env *env;
extern struct launcher *launcher;
extern struct run_outcome outcome; /* of the task that ended last */

/* What a guarantee is tested under: with namespaces, and without. For open_without(). Never with
   idle priority: on a busy machine a test would wait for long. */
extern const uint32_t layers_left_out[2];

/* For TestSuite(.init = , .fini = ). Opens without idle priority. */
void running_set_up(void);
void running_tear_down(void);

void open_without(uint32_t left_out);

/* `script` for /bin/sh, unless the spec has an executable and arguments of its own. */
struct running_task *start_with(const char *script, struct run_spec spec);
bool ends_within(struct running_task *task, int64_t ms);
void run_with(const char *script, struct run_spec spec);
void run(const char *script);

void expect_killed_for(enum run_limit limit);

/* What a file of the slot holds; static. */
const char *content_of(const char *name);

/* How many processes of this machine have the word in their command line? */
int count_processes(const char *word);

/* Wait until there are some such processes, or (not any) none. */
bool is_reached_within(const char *word, bool any, int64_t ms);

#endif
