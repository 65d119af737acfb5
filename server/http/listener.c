#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/text.h"
#include "server/http/proxy.h"

#define BACKLOG           1024
#define UNIX_PREFIX       "unix:"
#define ADDRESS_TEXT_SIZE 64

static void close_socket(int *socket)
{
    if (*socket >= 0)
        (void)close(*socket);
}

static enum status parse_unix(const char *path, struct http_address *ret_address, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (*path == '\0' || !text_fit(address.sun_path, sizeof address.sun_path, path))
        return error_set(err, STATUS_INVALID, "a unix socket's path has 1 to %zu bytes",
                         sizeof address.sun_path - 1);
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->length = sizeof address;
    return STATUS_OK;
}

static bool parse_ipv4(const char *text, uint16_t port, struct http_address *ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
        return false;
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->length = sizeof address;
    return true;
}

static bool parse_ipv6(char *text, uint16_t port, struct http_address *ret_address)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    size_t length = strlen(text);

    if (length < 2 || text[0] != '[' || text[length - 1] != ']')
        return false;
    text[length - 1] = '\0';
    if (inet_pton(AF_INET6, text + 1, &address.sin6_addr) != 1)
        return false;
    memcpy(&ret_address->storage, &address, sizeof address);
    ret_address->length = sizeof address;
    return true;
}

enum status http_address_parse(const char *text, struct http_address *ret_address,
                               struct error *err)
{
    struct http_address address = {.length = 0};
    char host[ADDRESS_TEXT_SIZE];
    char *colon;
    int64_t port;

    if (text_starts_with(text, UNIX_PREFIX)) {
        TRY(parse_unix(text + strlen(UNIX_PREFIX), &address, err));
    } else {
        colon = text_fit(host, sizeof host, text) ? strrchr(host, ':') : NULL;
        if (colon == NULL || !text_to_integer(colon + 1, 0, 65535, &port))
            return error_set(err, STATUS_INVALID,
                             "an address is 192.0.2.1:443, [2001:db8::1]:443 or unix:/path");
        *colon = '\0';
        if (!parse_ipv4(host, (uint16_t)port, &address) &&
            !parse_ipv6(host, (uint16_t)port, &address))
            return error_set(err, STATUS_INVALID, "the address is not a numerical one");
    }
    *ret_address = address;
    return STATUS_OK;
}

bool http_address_is_unix(const struct http_address *address)
{
    return address->storage.ss_family == AF_UNIX;
}

bool http_address_is_local(const struct http_address *address)
{
    struct http_peer peer = http_address_peer(address);
    static const uint8_t loopback[16] = {[15] = 1};

    if (peer.kind == HTTP_PEER_IPV4)
        return peer.address[0] == 127;
    return peer.kind == HTTP_PEER_LOCAL || memcmp(peer.address, loopback, sizeof loopback) == 0;
}

uint16_t http_address_port(const struct http_address *address)
{
    return http_address_peer(address).port;
}

void http_address_set_port(struct http_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
    if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
}

struct http_peer http_address_peer(const struct http_address *address)
{
    struct http_peer peer = {.kind = HTTP_PEER_LOCAL};

    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->storage;

        peer.kind = HTTP_PEER_IPV4;
        peer.port = ntohs(ipv4->sin_port);
        memcpy(peer.address, &ipv4->sin_addr, 4);
    } else if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->storage;

        peer.kind = HTTP_PEER_IPV6;
        peer.port = ntohs(ipv6->sin6_port);
        memcpy(peer.address, &ipv6->sin6_addr, 16);
        http_peer_normalise(&peer);
    }
    return peer;
}

static enum status bind_failure(const struct http_address *address, struct error *err)
{
    int cause = errno;
    enum status status = cause == EADDRINUSE ? STATUS_BUSY : STATUS_INVALID;
    const struct http_peer peer = http_address_peer(address);
    char words[HTTP_PEER_TEXT_MAX];

    if (http_address_is_unix(address))
        return error_set(err, status, "cannot listen on unix:%.100s: %s",
                         ((const struct sockaddr_un *)&address->storage)->sun_path,
                         strerror(cause));
    http_peer_text(&peer, words);
    return error_set(err, status, "cannot listen on %s, port %u: %s", words,
                     http_address_port(address), strerror(cause));
}

/* Sockets are removed only when nobody answers there; anything else in the way is not ours. */
static void remove_dead_socket(const struct http_address *address)
{
    CLEANUP(close_socket) int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe >= 0 &&
        connect(probe, (const struct sockaddr *)&address->storage, address->length) != 0 &&
        errno == ECONNREFUSED)
        (void)unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
}

static enum status open_socket(const struct http_address *address, bool is_shared, int *ret_socket,
                               struct error *err)
{
    static const int on = 1;
    CLEANUP(close_socket)
    int listener =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (listener < 0)
        return bind_failure(address, err);
    if (!http_address_is_unix(address)) {
        (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (is_shared)
            (void)setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    }
    if (bind(listener, (const struct sockaddr *)&address->storage, address->length) != 0)
        return bind_failure(address, err);
    *ret_socket = listener;
    listener = -1;
    return STATUS_OK;
}

enum status http_listener_probe(const struct http_address *address, struct error *err)
{
    CLEANUP(close_socket) int probe = -1;

    if (http_address_is_unix(address)) {
        remove_dead_socket(address);
        return STATUS_OK;
    }
    return http_address_port(address) == 0 ? STATUS_OK : open_socket(address, false, &probe, err);
}

enum status http_listener_open(struct http_address *address, int *ret_socket, struct error *err)
{
    CLEANUP(close_socket) int listener = -1;
    struct http_address bound = {.length = sizeof bound.storage};

    TRY(open_socket(address, true, &listener, err));
    if (listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&bound.storage, &bound.length) != 0)
        return bind_failure(address, err);
    http_address_set_port(address, http_address_port(&bound));
    *ret_socket = listener;
    listener = -1;
    return STATUS_OK;
}
