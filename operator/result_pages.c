#include "operator/result_pages.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"

#define PAGE_LINES_FIRST 200
#define PAGE_BYTES_MAX   (64 * 1024 * 1024)

void result_pages_begin(struct result_pages *ret_pages, struct profile *profile,
                        const struct batch_record *record, const struct cursor *after)
{
    *ret_pages = (struct result_pages){
        .profile = profile, .record = record, .cursor = *after, .page_lines = PAGE_LINES_FIRST};
}

static enum status ask(struct result_pages *pages, struct buffer *ret_body, struct error *err)
{
    CLEANUP(freep)
    char *path = text_format("/v1/batches/%s/results?limit=%" PRId64 "%s%s",
                             batch_format(&pages->record->batch).text, pages->page_lines,
                             pages->cursor.text[0] != '\0' ? "&after=" : "", pages->cursor.text);
    enum status status = remote_get(pages->profile, path, PAGE_BYTES_MAX, ret_body, err);

    if (status != STATUS_TOO_LARGE || pages->page_lines == 1)
        return status;
    pages->page_lines = pages->page_lines / 4 > 0 ? pages->page_lines / 4 : 1;
    return ask(pages, ret_body, err);
}

static enum status take_line(struct result_pages *pages, const char *text, size_t length,
                             const struct result_taker *taker, struct error *err)
{
    CLEANUP(result_line_clear) struct result_line line = {0};
    struct error why = {0};

    if (result_line_decode(text, length, &line, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    pages->cursor = line.cursor;
    pages->lines++;
    return taker->take(taker->context, &line, err);
}

/* Units that are added meanwhile are in the record before the site has them. */
static enum status check_end(const struct result_pages *pages, struct error *err)
{
    int64_t units;

    TRY(batch_record_count(pages->record, &units, err));
    if (pages->lines / RESULT_LINES_PER_UNIT <= units)
        return STATUS_OK;
    return error_set(err, STATUS_UNTRUSTED,
                     "the server %.80s lists results without end: %" PRId64
                     " lines for a batch of %" PRId64 " units, at most %d each",
                     pages->profile->url, pages->lines, units, RESULT_LINES_PER_UNIT);
}

enum status result_pages_next(struct result_pages *pages, const struct result_taker *taker,
                              size_t *ret_count, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    const char *text, *end;

    *ret_count = 0;
    TRY(ask(pages, &body, err));
    for (text = buffer_text(&body); (end = strchr(text, '\n')) != NULL; text = end + 1) {
        TRY(take_line(pages, text, (size_t)(end - text), taker, err));
        ++*ret_count;
    }
    if (*text != '\0' && *ret_count == 0)
        return error_set(err, STATUS_UNREACHABLE, "the server's answer was cut short");
    return check_end(pages, err);
}
