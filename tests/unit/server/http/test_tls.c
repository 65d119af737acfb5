/* server/http/tls: what is spoken, and certificates that are renewed while it runs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/env/real.h"
#include "tests/support/web_certificate.h"
#include "tests/support/web_server.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct web_server web;
static struct web_client client, other;
static SSL_CTX *context; /* of the client */
static struct error err;

static void head(void *user, struct http_exchange *exchange)
{
    struct http_reply reply;

    (void)user;
    http_reply_init(&reply, 200);
    http_reply_text(&reply, "text/plain", http_exchange_head(exchange)->is_tls ? "tls" : "plain");
    http_exchange_reply(exchange, &reply);
}

static void set_up(void)
{
    web_server_init(&web, head, NULL);
    context = SSL_CTX_new(TLS_client_method());
    cr_assert(ne(ptr, context, NULL));
}

static void tear_down(void)
{
    SSL_CTX_free(context);
    web_server_clear(&web);
}

TestSuite(http_tls, .init = set_up, .fini = tear_down);

static bool handshake(struct web_client *with)
{
    web_client_connect(with, http_server_port(web.server, WEB_TLS));
    return web_client_handshake(with, context);
}

static int64_t serial(const struct web_client *with)
{
    X509 *certificate = SSL_get0_peer_certificate(with->ssl);
    unsigned char digest[32];
    unsigned length = sizeof digest;
    int64_t number;

    cr_assert(ne(ptr, certificate, NULL));
    cr_assert(eq(int, X509_digest(certificate, EVP_sha256(), digest, &length), 1));
    memcpy(&number, digest, sizeof number);
    return number;
}

Test(http_tls, speaks_1_3_with_x25519_and_http_1_1)
{
    static const unsigned char offered[] = "\x02h2\x08http/1.1";
    const unsigned char *chosen;
    unsigned length;

    web_server_start(&web);
    cr_assert(zero(int, SSL_CTX_set_alpn_protos(context, offered, sizeof offered - 1)));
    cr_assert(handshake(&client));
    cr_expect(eq(int, SSL_version(client.ssl), TLS1_3_VERSION));
    cr_expect(eq(int, (int)(SSL_get_negotiated_group(client.ssl) & 0xffff), NID_X25519));
    SSL_get0_alpn_selected(client.ssl, &chosen, &length);
    cr_expect(length == 8 && memcmp(chosen, "http/1.1", 8) == 0);
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "tls"));
    cr_expect(zero(u32, SSL_SESSION_get_max_early_data(SSL_get0_session(client.ssl))));
    web_client_close(&client);
}

Test(http_tls, speaks_1_2_even_with_p_256_alone)
{
    web_server_start(&web);
    cr_assert(eq(int, (int)SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1));
    cr_assert(eq(int, (int)SSL_CTX_set1_groups_list(context, "P-256"), 1));
    cr_assert(handshake(&client));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    web_client_close(&client);
}

Test(http_tls, refuses_1_1)
{
    web_server_start(&web);
    SSL_CTX_set_security_level(context, 0);
    cr_assert(eq(int, (int)SSL_CTX_set_min_proto_version(context, TLS1_VERSION), 1));
    cr_assert(eq(int, (int)SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION), 1));
    cr_expect(not(handshake(&client)));
    web_client_close(&client);
    WEB_SERVER_WAIT(&web, handshakes_failed, 1);
}

/* A session begun at one port goes on at another one. */
static bool resumes_at(int version, uint16_t first, uint16_t second)
{
    SSL_SESSION *session;
    bool resumed;

    cr_assert(eq(int, (int)SSL_CTX_set_max_proto_version(context, version), 1));
    web_client_connect(&client, first);
    cr_assert(web_client_handshake(&client, context));
    cr_assert(eq(int, web_client_ask(&client, REQUEST), 200)); /* reads 1.3's ticket on the way */
    session = SSL_get1_session(client.ssl);
    (void)SSL_shutdown(client.ssl); /* OpenSSL drops the session of a connection that was cut */
    web_client_close(&client);
    web_client_connect(&client, second);
    client.ssl = SSL_new(context);
    cr_assert(eq(int, SSL_set_fd(client.ssl, client.socket), 1));
    cr_assert(eq(int, SSL_set_session(client.ssl, session), 1));
    cr_assert(eq(int, SSL_connect(client.ssl), 1));
    cr_assert(eq(int, web_client_ask(&client, REQUEST), 200));
    resumed = SSL_session_reused(client.ssl) == 1;
    SSL_SESSION_free(session);
    web_client_close(&client);
    return resumed;
}

static bool resumes(int version)
{
    uint16_t port = http_server_port(web.server, WEB_TLS);

    return resumes_at(version, port, port);
}

Test(http_tls, sessions_are_resumed_by_tickets)
{
    web_server_start(&web);
    cr_expect(resumes(TLS1_3_VERSION));
    cr_expect(resumes(TLS1_2_VERSION));
}

static int64_t behind_s; /* of the second server's clock */

static int64_t earlier_s(struct env *env)
{
    (void)env;
    return env_real()->now_s(env_real()) - behind_s;
}

/* Of a server with `first` as its secret, at one with `second` whose clock is behind. */
static bool resumes_elsewhere(const char *first, const char *second, int64_t clock_behind_s)
{
    struct env clock = *env_real();
    struct http_server *elsewhere = NULL;
    uint16_t port;
    bool resumed;

    behind_s = clock_behind_s;
    clock.now_s = earlier_s;
    web.config.ticket_secret = first;
    web.config.ticket_secret_length = first != NULL ? strlen(first) : 0;
    web_server_start(&web);
    port = http_server_port(web.server, WEB_TLS);
    web.config.ticket_secret = second;
    web.config.ticket_secret_length = second != NULL ? strlen(second) : 0;
    web.config.listen = &web.listen[WEB_TLS];
    web.config.listen_count = 1;
    web.config.env = &clock;
    cr_assert(eq(int, (int)http_server_start(&web.config, &elsewhere, &err), STATUS_OK), "%s",
              err.text);
    resumed = resumes_at(TLS1_3_VERSION, port, http_server_port(elsewhere, 0));
    cr_expect(eq(int, (int)resumed,
                 (int)resumes_at(TLS1_2_VERSION, port, http_server_port(elsewhere, 0))));
    http_server_free(elsewhere);
    return resumed;
}

Test(http_tls, a_session_is_resumed_at_another_server_of_the_site)
{
    cr_expect(resumes_elsewhere("of the site", "of the site", 0));
}

Test(http_tls, it_is_not_at_a_server_of_another_site)
{
    cr_expect(not(resumes_elsewhere("of the site", "of another", 0)));
}

Test(http_tls, it_is_not_without_a_secret)
{
    cr_expect(not(resumes_elsewhere(NULL, NULL, 0)));
}

Test(http_tls, a_ticket_is_good_for_a_neighbouring_epoch)
{
    cr_expect(resumes_elsewhere("of the site", "of the site", 12 * 3600));
    tear_down();
    set_up();
    cr_expect(resumes_elsewhere("of the site", "of the site", -12 * 3600));
}

Test(http_tls, and_for_no_more)
{
    cr_expect(not(resumes_elsewhere("of the site", "of the site", 25 * 3600)));
}

Test(http_tls, plain_http_to_the_tls_port_ends_there)
{
    web_server_start(&web);
    web_client_connect(&client, http_server_port(web.server, WEB_TLS));
    cr_expect(zero(int, web_client_ask(&client, REQUEST)));
    web_client_close(&client);
    WEB_SERVER_WAIT(&web, handshakes_failed, 1);
}

Test(http_tls, a_renewed_certificate_is_for_new_connections)
{
    int64_t before, end_s;

    web_server_start(&web);
    end_s = http_server_certificate_end_s(web.server);
    cr_assert(handshake(&client));
    before = serial(&client);
    web_certificate_make(web.certificate_path, web.key_path, 2 * 86400);
    cr_assert(eq(int, http_server_reload_certificate(web.server, &err), STATUS_OK));
    cr_expect(lt(i64, end_s, http_server_certificate_end_s(web.server)));
    cr_assert(handshake(&other));
    cr_expect(ne(i64, serial(&other), before));
    cr_expect(eq(int, web_client_ask(&other, REQUEST), 200));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    web_client_close(&other);
    web_client_close(&client);
}

static void expect_old_one_kept(int64_t before)
{
    cr_assert(handshake(&other));
    cr_expect(eq(i64, serial(&other), before));
    cr_expect(eq(int, web_client_ask(&other, REQUEST), 200));
    web_client_close(&other);
}

Test(http_tls, a_bad_renewal_keeps_the_old_one)
{
    char elsewhere[128], key_elsewhere[128];
    struct disk *disk = disk_real();
    int64_t before;

    web_server_start(&web);
    cr_assert(handshake(&client));
    before = serial(&client);
    web_client_close(&client);
    (void)snprintf(elsewhere, sizeof elsewhere, "%s/old.pem", web.folder);
    (void)snprintf(key_elsewhere, sizeof key_elsewhere, "%s/oldkey.pem", web.folder);
    cr_assert(eq(int, disk->rename(disk, web.certificate_path, elsewhere, NULL), STATUS_OK));
    cr_expect(eq(int, http_server_reload_certificate(web.server, &err), STATUS_NOT_FOUND));
    expect_old_one_kept(before);

    web_certificate_make(web.certificate_path, key_elsewhere, 86400);
    cr_expect(eq(int, http_server_reload_certificate(web.server, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "the key is not the certificate's"));
    expect_old_one_kept(before);

    web_certificate_make(web.certificate_path, web.key_path, -60);
    cr_expect(eq(int, http_server_reload_certificate(web.server, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "the certificate has expired"));
    expect_old_one_kept(before);

    cr_assert(eq(int, disk->write(disk, web.certificate_path, "junk", 4, 0600, NULL), STATUS_OK));
    cr_expect(eq(int, http_server_reload_certificate(web.server, &err), STATUS_INVALID));
    expect_old_one_kept(before);
}

Test(http_tls, does_not_start_with_a_bad_certificate)
{
    web_certificate_make(web.certificate_path, web.key_path, -60);
    cr_expect(eq(int, http_server_start(&web.config, &web.server, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "the certificate has expired"));
    web.config.key_path = "/nowhere/k.pem";
    web_certificate_make(web.certificate_path, web.key_path, 60);
    cr_expect(eq(int, http_server_start(&web.config, &web.server, &err), STATUS_NOT_FOUND));
    cr_expect(eq(str, err.text, "the certificate's key cannot be read: no such file"));
    web.config.certificate_path = NULL;
    cr_expect(eq(int, http_server_start(&web.config, &web.server, &err), STATUS_INVALID));
    cr_expect(eq(ptr, web.server, NULL));
}
