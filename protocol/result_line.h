/*
 * One line of GET /v1/batches/{id}/results (application/x-ndjson): how a unit ended, with what an
 * operator needs to check it. The encoder ends it with a newline; the decoder takes it without.
 */
#ifndef PROTOCOL_RESULT_LINE_H
#define PROTOCOL_RESULT_LINE_H

#include "protocol/words.h"
#include "work-units/unit.h"

#define RESULT_LINE_MAX (4 * 1024 * 1024)

enum result_state {
    RESULT_ACCEPTED = 1,
    RESULT_FAILED = 2,
    RESULT_CANCELLED = 3,
    RESULT_REOPENED = 4, /* what was accepted before no longer counts */
};

struct result_output {
    struct named_output output;
    bool is_inline; /* its body is here; never above UNIT_INLINE_MAX_BYTES */
    struct bytes body;
};

/* An agreeing task. */
struct result_task {
    int64_t task;
    struct public_key host;
    int64_t volunteer;
    char *statement; /* owned: the visit's envelope */
};

/* With RESULT_ACCEPTED alone: revision, outputs, tasks; the rule is "quorum". */
struct result_line {
    struct cursor cursor;
    struct digest unit;
    struct file_name name;
    int64_t index;
    enum result_state state;
    char why[WHY_MAX + 1]; /* "": not said */
    int64_t revision;      /* 1..; 0: never accepted */
    size_t output_count;
    struct result_output *outputs; /* owned */
    size_t task_count;             /* 0..UNIT_TASKS_MAX */
    struct result_task *tasks;     /* owned */
    char *manifest;                /* owned: the unit's envelope */
    int64_t time_s;                /* when it ended */
};

void result_line_clear(struct result_line *line);
enum status result_line_decode(const char *text, size_t length, struct result_line *ret_line,
                               struct error *err) MUST_USE;
char *result_line_encode(const struct result_line *line);

const char *result_state_name(enum result_state state);

#endif
