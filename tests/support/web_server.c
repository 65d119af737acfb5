#include "tests/support/web_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/env/real.h"
#include "tests/support/web_certificate.h"

void web_server_init(struct web_server *web,
                     void (*head)(void *context, struct http_exchange *exchange), void *context)
{
    *web = (struct web_server){.folder = "/tmp/dugnad-http-XXXXXX"};
    cr_assert(mkdtemp(web->folder) != NULL);
    (void)snprintf(web->certificate_path, sizeof web->certificate_path, "%s/c.pem", web->folder);
    (void)snprintf(web->key_path, sizeof web->key_path, "%s/k.pem", web->folder);
    (void)snprintf(web->unix_path, sizeof web->unix_path, "%s/socket", web->folder);
    (void)snprintf(web->unix_address, sizeof web->unix_address, "unix:%s", web->unix_path);
    web_certificate_make(web->certificate_path, web->key_path, 86400);
    web->listen[WEB_PLAIN] = (struct http_listen){.address = "127.0.0.1:0"};
    web->listen[WEB_TLS] = (struct http_listen){.address = "127.0.0.1:0", .is_tls = true};
    web->listen[WEB_UNIX] = (struct http_listen){.address = web->unix_address};
    web->listen[WEB_PROXIED] =
        (struct http_listen){.address = "127.0.0.1:0", .is_behind_proxy = true};
    web->listen[WEB_PROXIED_TLS] =
        (struct http_listen){.address = "127.0.0.1:0", .is_tls = true, .is_behind_proxy = true};
    web->config = (struct http_config){.listen = web->listen,
                                       .listen_count = WEB_LISTENERS,
                                       .certificate_path = web->certificate_path,
                                       .key_path = web->key_path,
                                       .server_name = "test",
                                       .threads = 1,
                                       .limits = HTTP_LIMITS_DEFAULT,
                                       .handler = {.head = head, .context = context},
                                       .env = env_real()};
}

void web_server_start(struct web_server *web)
{
    struct error err = {0};

    cr_assert(http_server_start(&web->config, &web->server, &err) == STATUS_OK, "%s: %s", err.text,
              err.detail);
}

void web_server_clear(struct web_server *web)
{
    struct disk *disk = disk_real();

    http_server_free(web->server);
    web->server = NULL;
    cr_expect(disk->remove_tree(disk, web->folder, NULL) == STATUS_OK);
}

void web_server_visit(struct web_server *web, enum web_listener listener,
                      struct web_client *ret_client)
{
    web_client_open(ret_client, http_server_port(web->server, listener), listener == WEB_TLS);
}

void web_server_wait(struct web_server *web, size_t counter_offset, int64_t least)
{
    struct env *env = env_real();
    int64_t value = -1;

    for (int i = 0; i < 500; i++) {
        struct http_counts counts = http_server_counts(web->server);

        memcpy(&value, (const char *)&counts + counter_offset, sizeof value);
        if (value >= least)
            return;
        env->sleep_ms(env, 10);
    }
    cr_assert_fail("the counter is %lld, not %lld", (long long)value, (long long)least);
}
