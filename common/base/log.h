/*
 * One logfmt line per event on stderr: `time=… level=info event=task.sent task=12 why="no room"`.
 * Events are dotted, noun first. Values of any origin go through one quoting function; a secret
 * never is a value. Each failure is logged once, at the edge that handles it.
 *
 * Nobody ever waits for the reader of the log. A line that finds no room is dropped; the next one
 * that finds room comes after `event=log.dropped lines=N`.
 */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdint.h>

#include "common/base/error.h"

struct env;
struct buffer;

enum log_level {
    LOG_ERROR, /* someone must act */
    LOG_WARN,  /* handled, but should be rare */
    LOG_INFO,  /* a domain object changed state */
    LOG_DEBUG,
};

/* What follows the event: use the LOG_… macros. */
struct log_field {
    const char *key;
    enum { LOG_TEXT, LOG_NUMBER } kind;
    const char *text; /* borrowed; NULL is written as "" */
    int64_t number;
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .kind = LOG_TEXT, .text = (v)})
#define LOG_N(k, v) ((struct log_field){.key = (k), .kind = LOG_NUMBER, .number = (int64_t)(v)})

/*
 * Where lines go and what is left out. Set once, in main(). Threads may log at the same time.
 * Without `env` the time is 0. Where env cannot help (output_that_never_waits), another process
 * that fills the same pipe between the look and the write can still make a line wait.
 */
void log_init(struct env *env, enum log_level most, int descriptor);

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

#define LOG(level, event, ...)                                                                     \
    log_write(level, event, (const struct log_field[]){__VA_ARGS__},                               \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* A failure: its status, words and detail as fields. */
void log_failure(enum log_level level, const char *event, const struct error *err);

/* Appends `key=value` quoted as needed; beyond the buffer's maximum the line is cut. */
void log_format_field(struct buffer *line, const struct log_field *field);

/* "error", "warn", "info", "debug". */
bool log_level_parse(const char *name, enum log_level *ret_level);

#endif
