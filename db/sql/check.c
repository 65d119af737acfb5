#include "db/sql/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void complain(struct checker *checker, const char *fmt, ...)
{
    char words[400];
    va_list args;

    checker->faults++;
    if (checker->said++ >= COMPLAINTS_MAX)
        return;
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    checker->say(checker->context, words);
}

enum status sql_check(struct checker *checker, struct error *err)
{
    TRY(check_rules(checker, err));
    return check_values(checker, err);
}
