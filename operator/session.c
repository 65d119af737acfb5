#include "operator/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "common/base/text.h"

#define WAIT_STEP_MS    200
#define COLUMNS_DEFAULT 80 /* where the terminal does not say */

bool session_is_interrupted(const struct session *session)
{
    return session->is_interrupted != NULL && *session->is_interrupted != 0;
}

enum status session_go_on(const struct session *session, struct error *err)
{
    return session_is_interrupted(session) ? error_set(err, STATUS_BUSY, "interrupted") : STATUS_OK;
}

bool session_has_lost_output(const struct session *session)
{
    return ferror(session->out) != 0;
}

void session_meanwhile(const struct session *session)
{
    if (session->meanwhile != NULL)
        session->meanwhile(session->meanwhile_context);
}

/* In steps: an interrupt that comes just before a sleep does not end it. */
void session_wait(struct session *session, int64_t ms)
{
    struct env *env = session->env;
    int64_t end_ms = env->now_mono_ms(env) + ms, left;

    while (!session_is_interrupted(session) && (left = end_ms - env->now_mono_ms(env)) > 0) {
        session_meanwhile(session);
        env->sleep_ms(env, left < WAIT_STEP_MS ? left : WAIT_STEP_MS);
    }
}

int session_columns(const struct session *session)
{
    int columns = session->columns != NULL ? session->columns() : 0;

    return columns > 0 ? columns : COLUMNS_DEFAULT;
}

static int exit_of(const struct session *session, const struct error *err)
{
    if (session_is_interrupted(session))
        return EXIT_INTERRUPTED;
    if (err->code != NULL && strcmp(err->code, SESSION_HELD) == 0)
        return EXIT_HELD;
    if (err->code != NULL && strcmp(err->code, SESSION_USAGE) == 0)
        return EXIT_USAGE;
    switch (err->status) {
    case STATUS_UNREACHABLE:
    case STATUS_BUSY:
    case STATUS_LIMITED:
        return EXIT_UNREACHABLE;
    case STATUS_UNTRUSTED:
        return EXIT_UNTRUSTED;
    default:
        return session->was_refused ? EXIT_REFUSED : EXIT_FAILED;
    }
}

/* What helps against it; NULL: the words say it all. */
static const char *advice(const struct session *session, enum status status)
{
    if (session_is_interrupted(session))
        return "Interrupted. The same command goes on where it stopped.";
    switch (status) {
    case STATUS_UNAUTHORIZED:
        return "Make a token with 'dugnad-server token' and give it to 'dugnad connect "
               "--token-file'.";
    case STATUS_UNREACHABLE:
        return "Is the server running, and is the URL right? See 'dugnad connect --help'.";
    case STATUS_FULL:
        return "Make room on the disk, then repeat the command.";
    default:
        return NULL;
    }
}

int session_fail(struct session *session, const struct error *err)
{
    const char *more = advice(session, err->status);

    session_end_line(session);
    (void)fflush(session->out);
    (void)fprintf(session->err, "dugnad: %s%s", session->was_refused ? "the server says: " : "",
                  err->text);
    if (err->detail[0] != '\0' && !session->was_refused)
        (void)fprintf(session->err, " (%s)", err->detail);
    (void)fprintf(session->err, "\n");
    if (more != NULL)
        (void)fprintf(session->err, "%s\n", more);
    return exit_of(session, err);
}

int session_usage(struct session *session, const struct options *options, const struct error *err)
{
    (void)fprintf(session->err, "dugnad: %s\nSee 'dugnad %s --help'.\n", err->text,
                  options->command->name);
    return EXIT_USAGE;
}

void session_redraw(struct session *session)
{
    (void)fputs("\r\033[K", session->err);
    session->is_drawn = true;
}

void session_end_line(struct session *session)
{
    if (session->is_drawn)
        (void)fputc('\n', session->err);
    session->is_drawn = false;
}

void session_warn(struct session *session, const char *fmt, ...)
{
    va_list args;

    session_end_line(session);
    (void)fputs("dugnad: ", session->err);
    va_start(args, fmt);
    (void)vfprintf(session->err, fmt, args);
    va_end(args);
    (void)fputc('\n', session->err);
}

void session_say(struct session *session, const struct options *options, const char *fmt, ...)
{
    va_list args;

    if (options_has(options, "json"))
        return;
    session_end_line(session);
    (void)fflush(session->out); /* what was printed comes before what is said of it */
    va_start(args, fmt);
    (void)vfprintf(session->err, fmt, args);
    va_end(args);
    (void)fputc('\n', session->err);
}

bool session_confirm(struct session *session, const char *question)
{
    char answer[16];

    if (!session->can_ask)
        return false;
    session_end_line(session);
    (void)fprintf(session->err, "%s [y/N] ", question);
    (void)fflush(session->err);
    if (fgets(answer, sizeof answer, session->in) != NULL)
        return answer[0] == 'y' || answer[0] == 'Y';
    (void)fputc('\n', session->err); /* nobody ended the line */
    return false;
}

/* Looked at before it is opened: who writes to a pipe would meet an end that closes at once. */
static enum status read_file_or_pipe(struct session *session, const char *path,
                                     struct buffer *content, struct error *err)
{
    struct disk *disk = session->env->disk;
    bool is_pipe = false;

    if (session->read_pipe != NULL)
        TRY(session->read_pipe(path, content, &is_pipe, err));
    return is_pipe ? STATUS_OK : disk->read(disk, path, content, err);
}

enum status session_read(struct session *session, const char *path, struct buffer *ret_content,
                         struct error *err)
{
    struct error why = {0};
    enum status status = read_file_or_pipe(session, path, ret_content, &why);

    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_TOO_LARGE)
        return error_set(err, status, "%.100s holds more than %zu bytes, the limit", path,
                         ret_content->max);
    return error_set(err, status, "%.100s cannot be read: %s", path, why.text);
}

void session_print(struct session *session, const char *text)
{
    (void)fprintf(session->out, "%s\n", text);
}

struct shown shown_bytes(int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    struct shown shown;
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(shown.text, sizeof shown.text, unit == 0 ? "%.0f %s" : "%.1f %s", value,
                   units[unit]);
    return shown;
}

struct shown shown_span(int64_t seconds)
{
    static const struct {
        int64_t least, unit;
        const char *name;
    } steps[] = {{172800, 86400, "d"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
    struct shown shown = {"0 s"};

    for (size_t i = 0; seconds > 0 && i < sizeof steps / sizeof *steps; i++) {
        if (seconds >= steps[i].least) {
            (void)snprintf(shown.text, sizeof shown.text, "%" PRId64 " %s", seconds / steps[i].unit,
                           steps[i].name);
            break;
        }
    }
    return shown;
}

struct shown shown_time(int64_t time_s)
{
    struct shown shown = {"-"};
    time_t moment = (time_t)time_s;
    struct tm parts;

    if (time_s != 0 && localtime_r(&moment, &parts) != NULL)
        (void)strftime(shown.text, sizeof shown.text, "%Y-%m-%d %H:%M", &parts);
    return shown;
}
