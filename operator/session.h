/*
 * What a verb works with: the world, the terminal, and who asks. main.c fills it with the real
 * things, tests with theirs.
 */
#ifndef OPERATOR_SESSION_H
#define OPERATOR_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/options.h"
#include "operator/exit_codes.h"

struct http_client;
struct launcher;
struct launcher_options;

#define SECRET_MAX 1024 /* bytes of a passphrase */

/* The code of an error of STATUS_BUSY: not the server is, but another command on this machine. */
#define SESSION_HELD "held"

/* The code of an error in what was typed that shows only when it is used. */
#define SESSION_USAGE "usage"

struct session {
    struct env *env;
    struct http_client *http;
    FILE *in, *out, *err;
    bool is_terminal;                            /* `err` is one: progress may be drawn */
    int (*columns)(void);                        /* of that terminal, now; NULL: 80 */
    bool can_ask;                                /* `in` is one: there is somebody to answer */
    const char *home;                            /* of the user; NULL: unknown */
    const char *profile;                         /* DUGNAD_PROFILE; NULL: not set */
    const char *passphrase_file;                 /* DUGNAD_PASSPHRASE_FILE; NULL: not set */
    const volatile sig_atomic_t *is_interrupted; /* NULL: never */

    /* A line typed without being shown. False: nobody typed one. */
    bool (*ask_secret)(struct session *session, const char *prompt, char *ret_secret, size_t size);

    /* pipe_read() of common/env/; NULL: pipes are no files. */
    enum status (*read_pipe)(const char *path, struct buffer *ret_content, bool *ret_is_pipe,
                             struct error *err);

    /* launcher_open_native() of sandbox/; never NULL where units are run. */
    enum status (*open_launcher)(struct env *env, const struct launcher_options *options,
                                 struct launcher **ret_launcher, struct error *err);

    int64_t cores;        /* of this machine that we may use; 0: unknown */
    int64_t memory_bytes; /* of this machine; 0: unknown */

    /* What has to go on while the server or a long file is waited for: called at least once a
     * second then. NULL: nothing has to. */
    void (*meanwhile)(void *context);
    void *meanwhile_context;

    bool was_refused; /* the last failure was an answer of the server */
    bool is_drawn;    /* a line of progress stands on the terminal, without its end */
};

bool session_is_interrupted(const struct session *session);

/* STATUS_BUSY, "interrupted", once it is: what reads or computes on and on asks at every step. */
enum status session_go_on(const struct session *session, struct error *err) MUST_USE;

/* Nobody takes what is printed any more: who prints on and on ends then, with EXIT_FAILED. */
bool session_has_lost_output(const struct session *session);

/* Let go on what has to: who waits for long calls it at every step. */
void session_meanwhile(const struct session *session);

/* Sleep so long, or until it is interrupted. */
void session_wait(struct session *session, int64_t ms);

/* How wide the terminal is. */
int session_columns(const struct session *session);

/* Say the failure on `err`, with what to do about it where we know; the exit code for it. */
int session_fail(struct session *session, const struct error *err);

/* The same for a wrong command line. */
int session_usage(struct session *session, const struct options *options, const struct error *err);

/* A line on `err` that begins with the program's name: also under --json. */
void session_warn(struct session *session, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Progress on a terminal is one line, drawn over the one before. session_redraw() empties the line;
 * what is printed to `err` next stays without an end until session_end_line() gives it one, as
 * everything that is said here does first. Nothing was drawn: it does nothing.
 */
void session_redraw(struct session *session);
void session_end_line(struct session *session);

/* A line on `err` for people; silent under --json. */
void session_say(struct session *session, const struct options *options, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Ask yes or no. Without anybody to answer: false. */
bool session_confirm(struct session *session, const char *question);

/*
 * A small file that somebody names: a token, a passphrase, a certificate. It may be a pipe, too
 * (FIFO, <(command)), which is waited for. Failures name the path; STATUS_TOO_LARGE the limit,
 * which is the buffer's maximum.
 */
enum status session_read(struct session *session, const char *path, struct buffer *ret_content,
                         struct error *err) MUST_USE;

/* JSON or other text to `out`, with a newline. */
void session_print(struct session *session, const char *text);

/* "12.3 MB", "5 min", "2026-01-02 15:04"; each into a small array. */
struct shown {
    char text[48];
};
struct shown shown_bytes(int64_t bytes);
struct shown shown_span(int64_t seconds);
struct shown shown_time(int64_t time_s);

#endif
