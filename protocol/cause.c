#include "protocol/cause.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

struct cause cause_of_error(const struct scheduler_report *report)
{
    if (report->limit != LIMIT_NONE)
        return (struct cause){.cause = CAUSE_LIMIT, .detail = (int32_t)report->limit};
    if (report->signal != 0)
        return (struct cause){.cause = CAUSE_SIGNAL, .detail = report->signal};
    return (struct cause){.cause = CAUSE_EXIT, .detail = report->exit_status};
}

void cause_words(const struct cause *cause, const char *why, char ret_text[WHY_MAX + 1])
{
    char words[160] = "ended without a reason";
    bool is_alone = cause->cause == CAUSE_EXIT && cause->detail == 0 && *why != '\0';

    if (cause->cause == CAUSE_EXIT)
        (void)snprintf(words, sizeof words, "exit status %d", cause->detail);
    else if (cause->cause == CAUSE_SIGNAL)
        (void)snprintf(words, sizeof words, "killed by signal %d", cause->detail);
    else if (cause->cause == CAUSE_LIMIT)
        (void)snprintf(words, sizeof words, "ended at its limit of %s",
                       task_limit_name((enum task_limit)cause->detail));
    else if (cause->cause == CAUSE_OUTPUT)
        (void)snprintf(words, sizeof words, "outputs missing, extra, misnamed or too large");
    else if (cause->cause == CAUSE_REFUSED)
        (void)snprintf(words, sizeof words, "refused by the client: %s",
                       refusal_code((enum refusal)cause->detail));
    else if (cause->cause == CAUSE_BODY)
        (void)snprintf(words, sizeof words, "agreed, but its output was never delivered");
    else if (cause->cause == CAUSE_UNSTARTED)
        (void)snprintf(words, sizeof words, "handed back before it was started");
    (void)snprintf(ret_text, WHY_MAX + 1, "%s%s%.300s", is_alone ? "" : words,
                   is_alone || *why == '\0' ? "" : ": ", why);
    text_sanitise(ret_text, strlen(ret_text));
}
