#include "protocol/problem.h"

#include <string.h>

#include "protocol/reading.h"
#include "protocol/writer.h"

/* What every failure of this status has in common, for people. */
static const char *title_of(enum status status)
{
    static const char *const titles[STATUS_COUNT] = {
        [STATUS_INVALID] = "The request is not as it has to be",
        [STATUS_UNAUTHORIZED] = "A valid token is needed",
        [STATUS_FORBIDDEN] = "This is not allowed",
        [STATUS_UNTRUSTED] = "The signatures do not hold",
        [STATUS_NOT_FOUND] = "There is no such thing",
        [STATUS_CONFLICT] = "It does not fit what is there already",
        [STATUS_GONE] = "It was there and is over",
        [STATUS_TOO_LARGE] = "It is larger than allowed",
        [STATUS_LIMITED] = "Too much for now",
        [STATUS_STORAGE] = "The server could not store or read its data",
        [STATUS_UNREACHABLE] = "Somebody else could not be reached",
        [STATUS_BUSY] = "The server is busy",
        [STATUS_FULL] = "The server has no room left",
    };

    return titles[status] != NULL ? titles[status] : "Something failed";
}

/* Words of a server are shown to people: whatever does not fit a terminal becomes '?'. */
static void read_detail(struct members *root, char *ret_text, size_t size)
{
    const char *name = members_has(root, "detail") ? "detail" : "title";
    const char *words = members_raw_text(root, name, PROBLEM_MAX);
    size_t length = strlen(words);

    if (length > size - 1)
        length = size - 1;
    memcpy(ret_text, words, length);
    ret_text[length] = '\0';
    text_sanitise(ret_text, length);
}

static int64_t read_retry(struct members *root)
{
    int64_t retry_s = members_integer_or(root, "retry_after_s", 0, ID_MAX, 0);

    return retry_s < PROBLEM_RETRY_MAX_S ? retry_s : PROBLEM_RETRY_MAX_S;
}

enum status problem_decode(const char *body, size_t length, struct problem *ret_problem,
                           struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct problem problem = {0};

    TRY(reply_begin(body, length, PROBLEM_MAX, &root, &members, err));
    problem.status = status_from_name(members_text(&members, "type", 1, 255));
    problem.http = (int)members_integer(&members, "status", 100, 599);
    members_copy_text_or_empty(&members, "code", problem.code, sizeof problem.code);
    read_detail(&members, problem.detail, sizeof problem.detail);
    problem.retry_after_s = read_retry(&members);
    TRY(members_end(&members));
    *ret_problem = problem;
    return STATUS_OK;
}

char *problem_encode(const struct error *err)
{
    const struct status_facts *facts = status_facts(err->status);
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "type", facts->name);
    write_text(&writer, "title", title_of(err->status));
    write_integer(&writer, "status", facts->http);
    write_text(&writer, "detail", err->text);
    if (err->code != NULL)
        write_text(&writer, "code", err->code);
    write_integer_unless_zero(&writer, "retry_after_s", err->retry_after_s);
    return writer_end(&writer);
}
