#include "common/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/env.h"
#include "common/base/text.h"

#define LINE_MAX_BYTES PIPE_BUF /* a pipe takes such a line whole or not at all */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
    struct env *env;
    enum log_level most;
    int descriptor;
    bool never_waits;     /* the descriptor is one that env gave */
    bool is_cut;          /* the last line went out in part */
    long long dropped;    /* lines, since one was written */
    pthread_mutex_t lock; /* over the three above; nobody waits while holding it */
} log_state = {.descriptor = STDERR_FILENO, .most = LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

void log_init(struct env *env, enum log_level most, int descriptor)
{
    int own = -1;

    if (env != NULL && env->output_that_never_waits != NULL)
        own = env->output_that_never_waits(env, descriptor);
    if (log_state.never_waits)
        (void)close(log_state.descriptor);
    log_state.env = env;
    log_state.most = most;
    log_state.descriptor = own >= 0 ? own : descriptor;
    log_state.never_waits = own >= 0;
    log_state.is_cut = false;
    log_state.dropped = 0;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\')
            return true;
    return false;
}

static void append_quoted(struct buffer *line, const char *text)
{
    (void)buffer_append(line, "\"", 1, NULL);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)buffer_append(line, "\\", 1, NULL);
        if (*text == '\n')
            (void)buffer_append(line, "\\n", 2, NULL);
        else
            (void)buffer_append(line, *text == '\t' ? " " : text, 1, NULL);
    }
    (void)buffer_append(line, "\"", 1, NULL);
}

void log_format_field(struct buffer *line, const struct log_field *field)
{
    CLEANUP(freep) char *text = NULL;

    (void)buffer_printf(line, NULL, " %s=", field->key);
    if (field->kind == LOG_NUMBER) {
        (void)buffer_printf(line, NULL, "%lld", (long long)field->number);
        return;
    }
    text = text_copy(field->text != NULL ? field->text : "");
    text_sanitise(text, strlen(text));
    if (needs_quotes(text))
        append_quoted(line, text);
    else
        (void)buffer_append_text(line, text, NULL);
}

/* As much as there is room for now; -1: nothing. */
static ssize_t write_some(const void *bytes, size_t length)
{
    struct pollfd output = {.fd = log_state.descriptor, .events = POLLOUT};
    ssize_t written = send(output.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (written >= 0 || errno != ENOTSOCK)
        return written;
    if (!log_state.never_waits && poll(&output, 1, 0) != 1)
        return -1;
    return write(output.fd, bytes, length);
}

/* What a terminal took of a line cannot be taken back: the next begins a new one. */
static bool write_line(const char *bytes, size_t length)
{
    ssize_t written;

    if (log_state.is_cut && write_some("\n", 1) != 1)
        return false;
    log_state.is_cut = false;
    written = write_some(bytes, length);
    log_state.is_cut = written > 0 && (size_t)written < length;
    return written == (ssize_t)length;
}

static void begin_line(struct buffer *line, enum log_level level, const char *event)
{
    struct env *env = log_state.env;

    (void)buffer_printf(line, NULL, "time=%lld level=%s event=%s",
                        env != NULL ? (long long)env->now_s(env) : 0LL, level_names[level], event);
}

static bool tell_of_dropped(void)
{
    CLEANUP(buffer_clear) struct buffer line = {.max = LINE_MAX_BYTES};

    begin_line(&line, LOG_WARN, "log.dropped");
    (void)buffer_printf(&line, NULL, " lines=%lld\n", log_state.dropped);
    return write_line(line.bytes, line.length);
}

static void put(const struct buffer *line)
{
    (void)pthread_mutex_lock(&log_state.lock);
    if (log_state.dropped > 0 && tell_of_dropped())
        log_state.dropped = 0;
    if (log_state.dropped > 0 || !write_line(line->bytes, line->length))
        log_state.dropped++;
    (void)pthread_mutex_unlock(&log_state.lock);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    CLEANUP(buffer_clear) struct buffer line = {.max = LINE_MAX_BYTES};

    if (level > log_state.most)
        return;
    begin_line(&line, level, event);
    for (size_t i = 0; i < count; i++)
        log_format_field(&line, &fields[i]);
    if (buffer_append(&line, "\n", 1, NULL) != STATUS_OK)
        line.bytes[line.length - 1] = '\n';
    put(&line);
}

void log_failure(enum log_level level, const char *event, const struct error *err)
{
    LOG(level, event, LOG_S("status", status_facts(err->status)->name), LOG_S("why", err->text),
        LOG_S("detail", err->detail));
}
