#include "db/sql/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "db/sql/query.h"

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
    text_sanitise(words, strlen(words)); /* of a damaged file: any bytes */
    checker->how->say(checker->how->context, words);
}

void check_progress(struct checker *checker, const char *part, int64_t done)
{
    if (checker->how->progress != NULL)
        checker->how->progress(checker->how->context, part, done);
}

enum status check_rule(struct checker *checker, const struct check_rule *rule, struct error *err)
{
    struct sql_store *store = checker->store;
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    check_progress(checker, rule->words, 0);
    TRY(query_begin(&query, store,
                    rule->postgres != NULL ? SPOKEN(store, rule->sql, rule->postgres) : rule->sql,
                    err));
    while (query_next(&query))
        complain(checker, "%s %lld %s", rule->noun, (long long)get_integer(&query), rule->words);
    return query_status(&query, err);
}
