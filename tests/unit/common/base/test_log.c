/* common/base/log: nobody waits for its reader. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/env/real.h"

#define LINES 5000 /* far more than a pipe or a socket holds */

static char held[1 << 20];

/* All that is in there now. */
static const char *read_all(int descriptor)
{
    size_t length = 0;
    ssize_t got;

    cr_assert(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0);
    while ((got = read(descriptor, held + length, sizeof held - 1 - length)) > 0)
        length += (size_t)got;
    held[length] = '\0';
    return held;
}

static int count_lines(const char *text, const char *event)
{
    char wanted[64];
    int count = 0;

    (void)snprintf(wanted, sizeof wanted, " event=%s ", event);
    for (; (text = strstr(text, wanted)) != NULL; text++)
        count++;
    return count;
}

/* What the lines themselves say; a short log.dropped may still have found room in a full pipe. */
static long sum_dropped(const char *text)
{
    static const char key[] = "event=log.dropped lines=";
    long sum = 0;

    for (; (text = strstr(text, key)) != NULL; text += strlen(key))
        sum += strtol(text + strlen(key), NULL, 10);
    return sum;
}

static void flood(void)
{
    for (int i = 0; i < LINES; i++)
        LOG(LOG_INFO, "flood.line", LOG_N("number", i),
            LOG_S("why", "a line as long as many lines of a server are, and then some"));
}

/* Returns only if no line waits. */
static void stall_and_go_on(struct env *env, int reader, int writer)
{
    const char *told;
    int came;
    long dropped;

    log_init(env, LOG_INFO, writer);
    flood();
    came = count_lines(read_all(reader), "flood.line");
    cr_assert(came > 10 && came < LINES, "%d lines came", came);
    dropped = sum_dropped(held);
    LOG(LOG_INFO, "flood.over", LOG_N("number", 1));
    LOG(LOG_INFO, "flood.over", LOG_N("number", 2));
    told = read_all(reader);
    cr_expect(eq(int, count_lines(told, "log.dropped"), 1), "%s", told);
    cr_expect(eq(int, count_lines(told, "flood.over"), 2), "%s", told);
    cr_expect(eq(long, came + dropped + sum_dropped(told), LINES));
    log_init(NULL, LOG_ERROR, 2);
}

Test(log, a_pipe_that_nobody_reads_stops_nobody, .timeout = 60)
{
    int ends[2];

    cr_assert(pipe2(ends, O_CLOEXEC) == 0);
    stall_and_go_on(env_real(), ends[0], ends[1]);
    cr_expect(eq(int, fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0),
              "others of the pipe wait as before");
}

Test(log, nor_does_one_that_cannot_be_opened_anew, .timeout = 60)
{
    int ends[2];

    cr_assert(pipe2(ends, O_CLOEXEC) == 0);
    stall_and_go_on(NULL, ends[0], ends[1]);
}

Test(log, nor_does_a_journal_socket, .timeout = 60)
{
    int ends[2];

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    stall_and_go_on(env_real(), ends[0], ends[1]);
}

/* Two programs share a pipe, and the other one fills it at any instant: looking first is no help.
 */
Test(log, another_writer_of_the_pipe_changes_nothing, .timeout = 60)
{
    static char filler[1 << 20];
    int ends[2];

    cr_assert(pipe2(ends, O_CLOEXEC) == 0);
    log_init(env_real(), LOG_INFO, ends[1]);
    cr_assert(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], filler, sizeof filler) > 0)
        ;
    cr_assert(fcntl(ends[1], F_SETFL, 0) == 0);
    flood();
    log_init(NULL, LOG_ERROR, 2);
}
