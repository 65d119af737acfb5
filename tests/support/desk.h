/*
 * An operator's desk for tests: a home folder with a profile of a claimed site in memory, the keys,
 * one app ("app"), and a way to run commands. Keys are
 * unencrypted at first, and those made later are encrypted at little cost (quick_scrypt.h).
 */
#ifndef TESTS_SUPPORT_DESK_H
#define TESTS_SUPPORT_DESK_H

#include "common/base/disk.h"
#include "operator/session.h"
#include "tests/support/fake_env.h"
#include "tests/support/memory_site.h"
#include "work-units/trust.h"

extern struct fake_env desk_env;
extern struct memory_site desk_site;
extern struct session desk_session;
extern const char *desk_out_path;  /* NULL, or what the commands print into, in place of desk_out */
extern char *desk_out, *desk_said; /* what the last command printed, and said on stderr */

/* For TestSuite(.init = , .fini = ). */
void desk_set_up(void);
void desk_tear_down(void);

/* A path in the home folder; static until the next call. */
char *at_home(const char *name);
void write_at_home(const char *name, const char *text);

/* The exit code. The words end with NULL; the first is the program's name. */
int run_words(const char *const *words);
#define RUN(...) run_words((const char *const[]){"dugnad", __VA_ARGS__, NULL})

/* What everybody believes who followed the site from its first keyring on; asserts that it holds.
 * To be cleared. */
struct trust desk_follow(void);

/* Three units, without input, of the batch "b"; asserts that it is done. */
void submit_three(void);

#endif
