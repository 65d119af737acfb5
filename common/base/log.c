#include "common/base/log.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/env.h"
#include "common/base/text.h"

#define LINE_MAX_BYTES 4096

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
    struct env *env;
    enum log_level most;
    int descriptor;
    pthread_mutex_t lock;
} log_state = {.descriptor = STDERR_FILENO, .most = LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

void log_init(struct env *env, enum log_level most, int descriptor)
{
    log_state.env = env;
    log_state.most = most;
    log_state.descriptor = descriptor;
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

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    CLEANUP(buffer_clear) struct buffer line = {.max = LINE_MAX_BYTES};
    int64_t now_s = 0;
    ssize_t ignored;

    if (level > log_state.most)
        return;
    if (log_state.env != NULL)
        now_s = log_state.env->now_s(log_state.env);
    (void)buffer_printf(&line, NULL, "time=%lld level=%s event=%s", (long long)now_s,
                        level_names[level], event);
    for (size_t i = 0; i < count; i++)
        log_format_field(&line, &fields[i]);
    if (buffer_append(&line, "\n", 1, NULL) != STATUS_OK)
        line.bytes[line.length - 1] = '\n';

    (void)pthread_mutex_lock(&log_state.lock);
    ignored = write(log_state.descriptor, line.bytes, line.length);
    (void)ignored;
    (void)pthread_mutex_unlock(&log_state.lock);
}

void log_failure(enum log_level level, const char *event, const struct error *err)
{
    LOG(level, event, LOG_S("status", status_facts(err->status)->name), LOG_S("why", err->text),
        LOG_S("detail", err->detail));
}
