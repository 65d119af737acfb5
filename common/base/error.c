#include "common/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct status_facts *status_facts(enum status status)
{
    static const struct status_facts table[] = {
#define X(symbol, code, retry, words)                                                              \
    [STATUS_##symbol] = {.name = words, .http = code, .may_retry = retry},
        STATUS_TABLE(X)
#undef X
    };

    assert(status < STATUS_COUNT);
    return &table[status];
}

enum status status_from_name(const char *name)
{
    enum status status = STATUS_OK;

    while (status < STATUS_COUNT && strcmp(status_facts(status)->name, name) != 0)
        status++;
    return status;
}

enum status error_set(struct error *err, enum status status, const char *text_fmt, ...)
{
    va_list args;

    assert(status > STATUS_OK && status < STATUS_COUNT);
    if (err == NULL)
        return status;

    *err = (struct error){.status = status};
    va_start(args, text_fmt);
    (void)vsnprintf(err->text, sizeof err->text, text_fmt, args);
    va_end(args);
    return status;
}

enum status error_pass(struct error *err, const struct error *failure)
{
    if (err != NULL)
        *err = *failure;
    return failure->status;
}

void error_detail(struct error *err, const char *detail_fmt, ...)
{
    va_list args;

    if (err == NULL)
        return;

    va_start(args, detail_fmt);
    (void)vsnprintf(err->detail, sizeof err->detail, detail_fmt, args);
    va_end(args);
}

void error_code(struct error *err, const char *code)
{
    if (err != NULL)
        err->code = code;
}

void error_retry_after(struct error *err, int64_t seconds)
{
    if (err != NULL)
        err->retry_after_s = seconds;
}
