#include "bench/response.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

static enum status read_text(char *text, size_t length, struct response *response, size_t *used)
{
    return response_read(text, length, response, used, NULL);
}

static const char plain[] = "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n"
                            "location: /v1/uploads/abc\r\n\r\nhelloHTTP/1.1";
static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                              "Connection: close\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nX";

Test(response, a_body_of_known_length_is_found)
{
    CLEANUP(freep) char *text = text_copy(plain);
    struct response response;
    size_t used;

    cr_assert(eq(int, read_text(text, strlen(text), &response, &used), STATUS_OK));
    cr_expect(eq(sz, used, strlen(plain) - strlen("HTTP/1.1")));
    cr_expect(eq(int, response.status, 201));
    cr_expect(eq(str, response.location, "/v1/uploads/abc"));
    cr_expect(response.body_length == 5 && memcmp(response.body, "hello", 5) == 0);
    cr_expect(not(response.ends_connection));
}

Test(response, chunks_are_put_together)
{
    CLEANUP(freep) char *text = text_copy(chunked);
    struct response response;
    size_t used;

    cr_assert(eq(int, read_text(text, strlen(text), &response, &used), STATUS_OK));
    cr_expect(eq(sz, used, strlen(chunked) - 1));
    cr_expect(response.body_length == 13 && memcmp(response.body, "abc0123456789", 13) == 0);
    cr_expect(response.ends_connection);
}

Test(response, a_part_of_one_is_waited_for_and_left_as_it_is)
{
    const char *const whole[] = {plain, chunked};

    for (size_t i = 0; i < 2; i++) {
        size_t end = strlen(whole[i]) - (i == 0 ? strlen("HTTP/1.1") : 1);

        for (size_t length = 0; length < end; length++) {
            CLEANUP(freep) char *text = text_copy(whole[i]);
            struct response response;
            size_t used = 1;

            cr_assert(eq(int, read_text(text, length, &response, &used), STATUS_OK));
            cr_assert(eq(sz, used, 0));
            cr_assert(eq(str, text, (char *)whole[i]));
        }
    }
}

Test(response, what_is_no_such_response_is_refused)
{
    static const char *const wrong[] = {
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 999 No\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabX\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CLEANUP(freep) char *text = text_copy(wrong[i]);
        struct response response;
        size_t used;

        cr_expect(eq(int, read_text(text, strlen(text), &response, &used), STATUS_INVALID), "%s",
                  wrong[i]);
    }
}

Test(response, what_would_fill_memory_is_too_large)
{
    static const char *const large[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
    };
    CLEANUP(freep) char *endless = must_alloc(RESPONSE_HEAD_MAX + 1, 1);
    struct response response;
    size_t used;

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(freep) char *text = text_copy(large[i]);

        cr_expect(eq(int, read_text(text, strlen(text), &response, &used), STATUS_TOO_LARGE));
    }
    memset(endless, 'a', RESPONSE_HEAD_MAX);
    cr_expect(eq(int, read_text(endless, RESPONSE_HEAD_MAX, &response, &used), STATUS_TOO_LARGE));
}
