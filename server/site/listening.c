#include "server/site/listening.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* `localhost` and every name below it are this machine (RFC 6761); a final dot changes nothing. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t length = strlen(host);
    size_t own = sizeof name - 1;

    if (length > 0 && host[length - 1] == '.')
        length--;
    return length >= own && strncasecmp(host + length - own, name, own) == 0 &&
           (length == own || host[length - own - 1] == '.');
}

/* IPv4 as a URL's reader takes it: as four numbers, fewer, or within IPv6. */
static struct in_addr four_of(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (is_localhost(host))
        four.s_addr = htonl(INADDR_LOOPBACK);
    else if (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six))
        memcpy(&four, six.s6_addr + 12, sizeof four);
    else if (inet_aton(host, &four) == 0)
        four.s_addr = htonl(INADDR_ANY);
    return four;
}

void listening_for(const char *host, const char *port, char ret_address[LISTENING_MAX])
{
    struct in_addr four = four_of(host);
    struct in6_addr six;
    bool is_loopback = ntohl(four.s_addr) >> 24 == 127;
    char text[INET6_ADDRSTRLEN] = "0.0.0.0";

    if (is_loopback)
        (void)inet_ntop(AF_INET, &four, text, sizeof text);
    if (!is_loopback && inet_pton(AF_INET6, host, &six) == 1)
        (void)snprintf(ret_address, LISTENING_MAX, "[%s]:%.8s",
                       IN6_IS_ADDR_LOOPBACK(&six) ? "::1" : "::", port);
    else
        (void)snprintf(ret_address, LISTENING_MAX, "%s:%.8s", text, port);
}
