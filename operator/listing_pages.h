/*
 * A listing of the site, page after page. A site may be anybody's, or at fault: one whose cursors
 * go in a circle, or that never comes to an end, is refused instead of being read for ever.
 */
#ifndef OPERATOR_LISTING_PAGES_H
#define OPERATOR_LISTING_PAGES_H

#include "common/base/buffer.h"
#include "operator/profile.h"
#include "protocol/words.h"

/* More than any site has: tasks of a batch of 10^7 units. A site's own pages have 100 entries and
 * more. */
#define LISTING_PAGES_MAX INT64_C(1000000)

struct listing_pages {
    struct profile *profile; /* borrowed */
    const char *path;        /* borrowed; with its query, but for `after` */
    struct cursor next;      /* of the page that is next; "": the first */
    struct cursor seen;      /* an earlier one that must not come again ... */
    int64_t seen_until;      /* ... the count of pages at which a later one takes its place */
    int64_t count;           /* of pages that were read */
};

void listing_pages_begin(struct listing_pages *ret_pages, struct profile *profile,
                         const char *path);

/* The next page's body. STATUS_CONFLICT: interrupted. */
enum status listing_pages_get(struct listing_pages *pages, struct buffer *ret_body,
                              struct error *err) MUST_USE;

/* What that page says of the one after it. *ret_is_last: there is none. STATUS_UNTRUSTED: the
 * cursor came before, or LISTING_PAGES_MAX pages were read. */
enum status listing_pages_turn(struct listing_pages *pages, const struct cursor *next,
                               bool *ret_is_last, struct error *err) MUST_USE;

#endif
