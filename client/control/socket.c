#include "client/control/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/control/verbs.h"
#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/json/profile.h"

#define BACKLOG 8

struct connection {
    int descriptor; /* -1: free */
    int64_t until_mono_ms;
    struct buffer in;
    struct buffer out;
};

struct control {
    struct env *env;
    int listener;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    struct connection connections[CONTROL_CONNECTIONS_MAX];
};

static enum status failure(struct error *err, const char *what)
{
    int cause = errno;

    error_set(err, STATUS_STORAGE, "the control socket cannot be used");
    error_detail(err, "%s: %s", what, strerror(cause));
    return STATUS_STORAGE;
}

static enum status address_of(const char *path, struct sockaddr_un *ret_address, struct error *err)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (text_fit(ret_address->sun_path, sizeof ret_address->sun_path, path))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "the data folder's path is too long: its control socket may have %zu "
                     "characters",
                     sizeof ret_address->sun_path - 1);
}

static enum status listen_at(struct control *control, struct error *err)
{
    struct sockaddr_un address;
    mode_t before;
    int bound;

    TRY(address_of(control->path, &address, err));
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listener < 0)
        return failure(err, "socket");
    if (unlink(control->path) != 0 && errno != ENOENT)
        return failure(err, "remove the old socket");
    before = umask(0177);
    bound = bind(control->listener, (const struct sockaddr *)&address, sizeof address);
    (void)umask(before);
    if (bound != 0 || listen(control->listener, BACKLOG) != 0)
        return failure(err, "listen");
    return STATUS_OK;
}

enum status control_open(struct env *env, const char *path, struct control **ret_control,
                         struct error *err)
{
    CLEANUP(control_closep) struct control *control = must_alloc(1, sizeof *control);
    struct sockaddr_un address;

    control->env = env;
    control->listener = -1;
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        control->connections[i].descriptor = -1;
    TRY(address_of(path, &address, err));
    (void)text_fit(control->path, sizeof control->path, path);
    TRY(listen_at(control, err));
    *ret_control = TAKE(control);
    return STATUS_OK;
}

static void hang_up(struct connection *connection)
{
    if (connection->descriptor >= 0)
        (void)close(connection->descriptor);
    connection->descriptor = -1;
    buffer_clear(&connection->in);
    buffer_clear(&connection->out);
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        hang_up(&control->connections[i]);
    if (control->listener >= 0) {
        (void)close(control->listener);
        (void)unlink(control->path);
    }
    free(control);
}

unsigned control_descriptors(const struct control *control, struct pollfd *ret_all)
{
    unsigned count = 0;
    bool has_room = false;

    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        const struct connection *it = &control->connections[i];

        has_room = has_room || it->descriptor < 0;
        if (it->descriptor >= 0)
            ret_all[count++] = (struct pollfd){.fd = it->descriptor,
                                               .events = it->out.length > 0 ? POLLOUT : POLLIN};
    }
    if (has_room)
        ret_all[count++] = (struct pollfd){.fd = control->listener, .events = POLLIN};
    return count;
}

static struct connection *free_connection(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        if (control->connections[i].descriptor < 0)
            return &control->connections[i];
    return NULL;
}

static void accept_some(struct control *control)
{
    struct connection *connection;

    while ((connection = free_connection(control)) != NULL) {
        int descriptor = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (descriptor < 0)
            return;
        connection->descriptor = descriptor;
        connection->until_mono_ms = control->env->now_mono_ms(control->env) + CONTROL_PATIENCE_MS;
        buffer_init(&connection->in, VERBS_REQUEST_MAX);
        buffer_init(&connection->out, VERBS_ANSWER_MAX);
    }
}

static json_t *parse_line(const char *line, size_t length, struct error *err)
{
    static const struct profile_limits limits = {.bytes = VERBS_REQUEST_MAX, .depth = 4};
    json_t *request = NULL;

    if (profile_parse(line, length, &limits, &request, err) != STATUS_OK)
        return NULL;
    return request;
}

static void answer_line(struct connection *connection, size_t length,
                        const struct control_owner *owner)
{
    json_auto_t *answer = NULL;
    json_auto_t *request = NULL;
    CLEANUP(freep) char *text = NULL;
    struct error err = {0};

    request = parse_line(connection->in.bytes, length, &err);
    if (request != NULL)
        answer = owner->answer(owner->context, request);
    else
        answer = answer_failure(&err);
    text = json_dumps(answer, JSON_COMPACT);
    if (text == NULL || buffer_append_text(&connection->out, text, NULL) != STATUS_OK ||
        buffer_append_text(&connection->out, "\n", NULL) != STATUS_OK)
        hang_up(connection);
}

/* False: it is over. */
static bool read_some(struct connection *connection, const struct control_owner *owner)
{
    char chunk[16384];
    ssize_t got;

    while ((got = read(connection->descriptor, chunk, sizeof chunk)) > 0) {
        char *end;

        if (buffer_append(&connection->in, chunk, (size_t)got, NULL) != STATUS_OK)
            return false;
        end = memchr(connection->in.bytes, '\n', connection->in.length);
        if (end == NULL)
            continue;
        answer_line(connection, (size_t)(end - connection->in.bytes), owner);
        return connection->descriptor >= 0;
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool write_some(struct connection *connection)
{
    while (connection->out.length > 0) {
        ssize_t sent = send(connection->descriptor, connection->out.bytes, connection->out.length,
                            MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        buffer_consume(&connection->out, (size_t)sent);
    }
    return false; /* all is said */
}

void control_serve(struct control *control, const struct control_owner *owner)
{
    int64_t now = control->env->now_mono_ms(control->env);

    accept_some(control);
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        struct connection *it = &control->connections[i];
        bool goes_on = it->descriptor >= 0 && now < it->until_mono_ms;

        if (goes_on && it->out.length == 0)
            goes_on = read_some(it, owner);
        if (goes_on && it->out.length > 0)
            goes_on = write_some(it);
        if (!goes_on)
            hang_up(it);
    }
}

/* --- the other end --- */

#define ASK_PATIENCE_S 30

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static enum status connect_to(const char *path, int *ret_descriptor, struct error *err)
{
    struct timeval patience = {.tv_sec = ASK_PATIENCE_S};
    struct sockaddr_un address;

    TRY(address_of(path, &address, err));
    *ret_descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*ret_descriptor < 0)
        return failure(err, "socket");
    (void)setsockopt(*ret_descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(*ret_descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(*ret_descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return STATUS_OK;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
        return error_set(err, STATUS_NOT_FOUND, "no daemon runs in this data folder");
    return failure(err, "connect");
}

bool control_listens(const char *path)
{
    CLEANUP(close_descriptor) int descriptor = -1;
    struct error ignored = {0};

    return connect_to(path, &descriptor, &ignored) == STATUS_OK;
}

static enum status say(int descriptor, const char *text, size_t length, struct error *err)
{
    while (length > 0) {
        ssize_t sent = send(descriptor, text, length, MSG_NOSIGNAL);

        if (sent < 0)
            return error_set(err, STATUS_UNREACHABLE, "the daemon hung up");
        text += sent;
        length -= (size_t)sent;
    }
    return STATUS_OK;
}

static enum status hear(int descriptor, struct buffer *line, struct error *err)
{
    char chunk[16384];

    while (line->length == 0 || line->bytes[line->length - 1] != '\n') {
        ssize_t got = read(descriptor, chunk, sizeof chunk);

        if (got <= 0)
            return error_set(err, STATUS_UNREACHABLE, "the daemon did not answer");
        TRY(buffer_append(line, chunk, (size_t)got, err));
    }
    return STATUS_OK;
}

enum status control_ask(const char *path, json_t *request, json_t **ret_answer, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer line = {.max = VERBS_ANSWER_MAX};
    CLEANUP(close_descriptor) int descriptor = -1;
    CLEANUP(freep) char *text = json_dumps(request, JSON_COMPACT);
    json_t *answer;

    if (text == NULL)
        return error_set(err, STATUS_INVALID, "the request cannot be written");
    TRY(connect_to(path, &descriptor, err));
    TRY(say(descriptor, text, strlen(text), err));
    TRY(say(descriptor, "\n", 1, err));
    TRY(hear(descriptor, &line, err));
    answer = json_loadb(line.bytes, line.length, 0, NULL);
    if (answer == NULL)
        return error_set(err, STATUS_UNREACHABLE, "the daemon's answer cannot be read");
    *ret_answer = answer;
    return STATUS_OK;
}
