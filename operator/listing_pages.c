#include "operator/listing_pages.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "protocol/listing.h"

void listing_pages_begin(struct listing_pages *ret_pages, struct profile *profile, const char *path)
{
    *ret_pages = (struct listing_pages){.profile = profile, .path = path};
}

enum status listing_pages_get(struct listing_pages *pages, struct buffer *ret_body,
                              struct error *err)
{
    char joint = strchr(pages->path, '?') != NULL ? '&' : '?';
    CLEANUP(freep)
    char *path = pages->next.text[0] != '\0'
                     ? text_format("%s%cafter=%s", pages->path, joint, pages->next.text)
                     : text_copy(pages->path);

    TRY(session_go_on(pages->profile->session, err));
    return remote_get(pages->profile, path, LISTING_MAX, ret_body, err);
}

/* Brent's way: one cursor is remembered, each time twice as long. In a circle it comes again. */
static bool is_circle(struct listing_pages *pages)
{
    if (strcmp(pages->next.text, pages->seen.text) == 0)
        return true;
    if (pages->count >= pages->seen_until) {
        pages->seen = pages->next;
        pages->seen_until = 2 * pages->count;
    }
    return false;
}

enum status listing_pages_turn(struct listing_pages *pages, const struct cursor *next,
                               bool *ret_is_last, struct error *err)
{
    pages->next = *next;
    pages->count++;
    *ret_is_last = next->text[0] == '\0';
    if (*ret_is_last)
        return STATUS_OK;
    if (is_circle(pages))
        return error_set(err, STATUS_UNTRUSTED,
                         "the server %.80s lists in a circle: after %" PRId64
                         " pages of %.80s comes one again that was read before",
                         pages->profile->url, pages->count, pages->path);
    if (pages->count < LISTING_PAGES_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_UNTRUSTED,
                     "the server %.80s lists without end: %" PRId64 " pages of %.80s are the most "
                     "that are read",
                     pages->profile->url, LISTING_PAGES_MAX, pages->path);
}
