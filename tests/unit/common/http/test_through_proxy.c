/* common/http: what a proxy refuses is told as the proxy's, with its address. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/asking.h"

static int listener;
static char said[256]; /* by the proxy */
static char port[8];

/* Each connection: its request's first bytes are read, then it is refused. */
static void *serve(void *context)
{
    char request[4096];

    (void)context;
    for (int peer; (peer = accept(listener, NULL, NULL)) >= 0; (void)close(peer))
        if (read(peer, request, sizeof request) > 0)
            cr_assert(write(peer, said, strlen(said)) > 0);
    return NULL;
}

static void set_up(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    char proxy[80];
    pthread_t thread;

    asking_set_up();
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(zero(int, bind(listener, (struct sockaddr *)&address, sizeof address)));
    cr_assert(zero(int, listen(listener, 4)));
    cr_assert(zero(int, getsockname(listener, (struct sockaddr *)&address, &length)));
    (void)snprintf(port, sizeof port, "%u", (unsigned)ntohs(address.sin_port));
    (void)snprintf(proxy, sizeof proxy, "http://ann:wrong-word@127.0.0.1:%s", port);
    cr_assert(zero(int, setenv("https_proxy", proxy, 1)));
    cr_assert(zero(int, pthread_create(&thread, NULL, serve, NULL)));
    cr_assert(zero(int, pthread_detach(thread)));
}

TestSuite(through_proxy, .init = set_up, .fini = asking_tear_down, .timeout = 60);

static void ask(const char *answer)
{
    struct http_request request = {.url = "https://grid.example/v1/project", .max_bytes = 1000};

    (void)snprintf(said, sizeof said, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", answer);
    cr_assert(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                 STATUS_UNREACHABLE));
    cr_expect(strstr(asking.err.text, "the proxy at 127.0.0.1, port ") != NULL, "%s",
              asking.err.text);
    cr_expect(strstr(asking.err.text, port) != NULL, "%s", asking.err.text);
    cr_expect(strstr(asking.err.text, "wrong-word") == NULL &&
              strstr(asking.err.detail, "wrong-word") == NULL);
}

/* Regression: it read "the connection to the server broke". */
Test(through_proxy, a_wrong_password_is_told_as_407_of_the_proxy)
{
    ask("407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"");
    cr_expect(strstr(asking.err.text, "password") != NULL && strstr(asking.err.text, "407") != NULL,
              "%s", asking.err.text);
}

Test(through_proxy, a_destination_that_it_refuses_is_told_with_its_code)
{
    ask("403 Forbidden");
    cr_expect(strstr(asking.err.text, "refuses to connect") != NULL &&
                  strstr(asking.err.text, "403") != NULL,
              "%s", asking.err.text);
}
