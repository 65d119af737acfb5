/* Why a task failed: the same words for its volunteer and its operator. */
#ifndef PROTOCOL_CAUSE_H
#define PROTOCOL_CAUSE_H

#include "protocol/scheduler_request.h"

struct cause {
    enum task_cause cause;
    int32_t detail; /* as the cause says */
};

/* Of a report whose outcome is VISIT_ERROR: the limit before the signal before the exit status. */
struct cause cause_of_error(const struct scheduler_report *report);

/* `why` is the client's own words, "": none; they stand alone where the status was 0. */
void cause_words(const struct cause *cause, const char *why, char ret_text[WHY_MAX + 1]);

#endif
