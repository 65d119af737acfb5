/*
 * A terminal with dugnad-client in a home of its own, one at a time: a world that is faked, a
 * person or nobody, what the last verb said. terminal_set_up() and terminal_tear_down() are a
 * suite's. Everything asserts.
 */
#ifndef TESTS_SUPPORT_TERMINAL_H
#define TESTS_SUPPORT_TERMINAL_H

#include <sys/types.h>

#include "tests/support/fake_env.h"
#include "tests/support/fake_launcher.h"
#include "tests/support/fake_site.h"

struct terminal {
    char path[64]; /* of the home */
    struct fake_env env;
    struct fake_launcher launcher;
    struct fake_site site;
    char link[256];   /* that attaches to the site */
    char said[16384]; /* by the last verb, on both streams */

    /* The person. */
    bool is_there;
    const char *answers; /* one letter a question; what is left of them */
    char asked[2048];    /* all questions */
};
extern struct terminal terminal;

/* Of nobody at first. */
void terminal_set_up(void);
void terminal_tear_down(void);

/* After a change of the site's project. */
void terminal_set_link(void);

/* Runs a verb; the result is its exit code. */
int terminal_run(size_t count, const char *const *words);
#define CLIENT(...)                                                                                \
    terminal_run(sizeof((const char *[]){"dugnad-client", __VA_ARGS__}) / sizeof(char *),          \
                 (const char *[]){"dugnad-client", __VA_ARGS__})

/* Of what the last verb said. */
bool terminal_says(const char *words);
size_t terminal_count_said(const char *words);

/* By `dugnad-client status`. */
void terminal_expect_not_attached(void);

/* A daemon in a process of its own, with a world of its own. */
struct terminal_daemon {
    pid_t pid;
    int stop; /* its end stops the daemon */
};

struct terminal_daemon terminal_daemon_start(void); /* and waits until it answers, 10 s at most */
struct terminal_daemon terminal_daemon_start_unwatched(void);
void terminal_await_daemon(void);
bool terminal_daemon_answers(void);
int terminal_daemon_end(struct terminal_daemon *it); /* its exit code; -1: it was killed */

#endif
