#include "server/site/config_rules.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "db/store.h"
#include "server/http/listener.h"
#include "server/site/certificate.h"

#define LISTS       3
#define ADDRESS_MAX 120 /* of an address in words */

/* What listens on which addresses. */
struct listening {
    const char *key;
    const struct config_list *list;
    bool is_tls;
};

static void list_all(const struct config *config, struct listening ret_lists[LISTS])
{
    ret_lists[0] = (struct listening){"listen", &config->listen, true};
    ret_lists[1] = (struct listening){"listen_plain", &config->listen_plain, false};
    ret_lists[2] = (struct listening){"listen_proxy", &config->listen_proxy, false};
}

static enum status check_address(const struct listening *of, const char *text, struct error *err)
{
    struct http_address address;
    struct error why = {0};

    if (http_address_parse(text, &address, &why) != STATUS_OK)
        return error_set(err, STATUS_INVALID, "%s %.*s: %.80s", of->key, ADDRESS_MAX / 2, text,
                         why.text);
    if (!of->is_tls && !http_address_is_local(&address))
        return error_set(err, STATUS_INVALID,
                         "%s %.*s: without TLS it must be loopback or a unix socket", of->key,
                         ADDRESS_MAX / 2, text);
    return STATUS_OK;
}

/* Of port 0 everybody gets another one. */
static bool is_same_address(const char *one, const char *other)
{
    struct http_address a, b;

    if (http_address_parse(one, &a, NULL) != STATUS_OK ||
        http_address_parse(other, &b, NULL) != STATUS_OK)
        return false;
    return a.length == b.length && memcmp(&a.storage, &b.storage, a.length) == 0 &&
           (http_address_is_unix(&a) || http_address_port(&a) != 0);
}

/* Is the address in the list, before its item `end`? */
static bool has_address(const struct config_list *list, size_t end, const char *address)
{
    for (size_t i = 0; i < end; i++)
        if (is_same_address(list->items[i].text, address))
            return true;
    return false;
}

static enum status check_item(const struct listening *lists, size_t at, size_t nth,
                              struct error *err)
{
    const struct listening *of = &lists[at];
    const char *address = of->list->items[nth].text;

    TRY(check_address(of, address, err));
    if (has_address(of->list, nth, address))
        return error_set(err, STATUS_INVALID, "%s lists %.*s twice", of->key, ADDRESS_MAX, address);
    for (size_t i = 0; i < at; i++)
        if (has_address(lists[i].list, lists[i].list->count, address))
            return error_set(err, STATUS_INVALID, "%s lists %.*s, and %s does already", of->key,
                             ADDRESS_MAX, address, lists[i].key);
    return STATUS_OK;
}

static enum status check_addresses(const struct config *config, struct config_place *ret_place,
                                   struct error *err)
{
    struct listening lists[LISTS];
    size_t count = 0;

    list_all(config, lists);
    for (size_t i = 0; i < LISTS; i++)
        for (size_t k = 0; k < lists[i].list->count; k++, count++)
            if (check_item(lists, i, k, err) != STATUS_OK) {
                *ret_place = (struct config_place){lists[i].key, k};
                return STATUS_INVALID;
            }
    if (count > 0)
        return STATUS_OK;
    *ret_place = (struct config_place){"listen", 0};
    return error_set(err, STATUS_INVALID, "there is no address to listen on");
}

static bool is_url(const char *url)
{
    struct certificate_host host;

    return certificate_host_of(url, &host, NULL) == STATUS_OK;
}

static enum status check_texts(const struct config *config, struct config_place *ret_place,
                               struct error *err)
{
    bool has_certificate = *config->certificate.text != '\0';
    enum log_level level;

    *ret_place = (struct config_place){"log_level", 0};
    if (!log_level_parse(config->log_level.text, &level))
        return error_set(err, STATUS_INVALID, "log_level is error, warn, info or debug");
    *ret_place = (struct config_place){"url", 0};
    if (!is_url(config->url.text))
        return error_set(err, STATUS_INVALID,
                         "url is https://HOST or https://HOST:PORT, with a port of 1..65535");
    *ret_place = (struct config_place){has_certificate ? "certificate" : "certificate_key", 0};
    if (has_certificate != (*config->certificate_key.text != '\0'))
        return error_set(err, STATUS_INVALID, "certificate and certificate_key go together");
    *ret_place = (struct config_place){"database", 0};
    if (*config->database.text != '\0' && !store_is_url(config->database.text))
        return error_set(err, STATUS_INVALID,
                         "database is a URL, postgres://ROLE@HOST/NAME, or nothing");
    return STATUS_OK;
}

enum status config_check(const struct config *config, struct config_place *ret_place,
                         struct error *err)
{
    struct config_place place;

    if (check_texts(config, &place, err) != STATUS_OK ||
        check_addresses(config, &place, err) != STATUS_OK) {
        *ret_place = place;
        return STATUS_INVALID;
    }
    if (config->max_return >= config->min_return)
        return STATUS_OK;
    *ret_place = (struct config_place){"max_return", 0};
    return error_set(err, STATUS_INVALID,
                     "max_return is no less than min_return, which is %lld seconds",
                     (long long)config->min_return);
}
