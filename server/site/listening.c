#include "server/site/listening.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

void listening_for(const char *host, const char *port, char ret_address[LISTENING_MAX])
{
    struct in_addr four;
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN] = "0.0.0.0";

    if (strcasecmp(host, "localhost") == 0)
        four.s_addr = htonl(INADDR_LOOPBACK);
    else if (inet_pton(AF_INET, host, &four) != 1)
        four.s_addr = htonl(INADDR_ANY);
    if (ntohl(four.s_addr) >> 24 == 127)
        (void)inet_ntop(AF_INET, &four, text, sizeof text);
    if (inet_pton(AF_INET6, host, &six) == 1)
        (void)snprintf(ret_address, LISTENING_MAX, "[%s]:%.8s",
                       IN6_IS_ADDR_LOOPBACK(&six) ? "::1" : "::", port);
    else
        (void)snprintf(ret_address, LISTENING_MAX, "%s:%.8s", text, port);
}
