/* The results of a batch as the site lists them, from some cursor on, a page at a time. */
#ifndef OPERATOR_RESULT_PAGES_H
#define OPERATOR_RESULT_PAGES_H

#include "operator/batch_record.h"
#include "operator/profile.h"
#include "protocol/result_line.h"

/*
 * A site lists a unit anew each time that a retry reopens it and it ends again, which takes a copy
 * more of the UNIT_TASKS_MAX: two lines for each. Twice that, for a site whose clock was put right.
 */
#define RESULT_LINES_PER_UNIT (4 * UNIT_TASKS_MAX)

struct result_pages {
    struct profile *profile;           /* borrowed */
    const struct batch_record *record; /* borrowed */
    struct cursor cursor;              /* of the last line taken; "": from the beginning */
    int64_t page_lines;                /* asked for at a time: fewer where lines are long */
    int64_t lines;                     /* taken so far */
};

void result_pages_begin(struct result_pages *ret_pages, struct profile *profile,
                        const struct batch_record *record, const struct cursor *after);

/* Who takes each line: it is his to look at, and its members to take. */
struct result_taker {
    enum status (*take)(void *context, struct result_line *line, struct error *err);
    void *context;
};

/*
 * One page more, each line of it to the taker until that fails. *ret_count 0: there are no more.
 * More lines than the units that were submitted can have, RESULT_LINES_PER_UNIT each, come of
 * cursors that go in a circle or of units made up: STATUS_UNTRUSTED.
 */
enum status result_pages_next(struct result_pages *pages, const struct result_taker *taker,
                              size_t *ret_count, struct error *err) MUST_USE;

#endif
