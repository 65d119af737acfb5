#include "common/http/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>

#include "common/base/text.h"

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)

/* Texts of libcurl's; they must be released its way. */
struct curl_text {
    char *text;
};

static void curl_text_clear(struct curl_text *text)
{
    curl_free(text->text);
}

static CURLU *parse(const char *text)
{
    CURLU *url = curl_url();

    if (url == NULL)
        abort();
    if (strlen(text) < HTTP_URL_MAX && text_is_plain(text, strlen(text), false) &&
        curl_url_set(url, CURLUPART_URL, text, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
        return url;
    curl_url_cleanup(url);
    return NULL;
}

static bool has(CURLU *url, CURLUPart part)
{
    CLEANUP(curl_text_clear) struct curl_text value = {0};

    return curl_url_get(url, part, &value.text, 0) == CURLUE_OK && value.text[0] != '\0';
}

/* "" where there is none. False: it does not fit. */
static bool get(CURLU *url, CURLUPart part, unsigned flags, struct http_url *ret_part)
{
    CLEANUP(curl_text_clear) struct curl_text value = {0};

    if (curl_url_get(url, part, &value.text, flags) != CURLUE_OK)
        return text_fit(ret_part->text, sizeof ret_part->text, "");
    return text_fit(ret_part->text, sizeof ret_part->text, value.text);
}

/* Host and port, comparable: "grid.example:443". */
static bool get_origin(CURLU *url, struct http_url *ret_origin)
{
    struct http_url scheme, host, port;
    int length;

    if (!get(url, CURLUPART_SCHEME, 0, &scheme) || !get(url, CURLUPART_HOST, 0, &host) ||
        !get(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port) || strcmp(scheme.text, "https") != 0)
        return false;
    for (char *c = host.text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    length = snprintf(ret_origin->text, sizeof ret_origin->text, "%s:%s", host.text, port.text);
    return length > 0 && (size_t)length < sizeof ret_origin->text;
}

static void cut_slashes(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '/')
        text[--length] = '\0';
}

static void cut_default_port(char *origin)
{
    char *colon = strrchr(origin, ':');

    if (strcmp(colon, ":443") == 0)
        *colon = '\0';
}

enum status http_url_site(const char *text, struct http_url *ret_site, struct error *err)
{
    CLEANUP(curl_url_cleanupp) CURLU *url = parse(text);
    struct http_url origin, path, scheme;
    int length;

    if (url == NULL)
        return error_set(err, STATUS_INVALID, "that is not a URL of up to %d characters",
                         HTTP_URL_MAX - 1);
    if (get(url, CURLUPART_SCHEME, 0, &scheme) && strcmp(scheme.text, "https") != 0)
        return error_set(err, STATUS_INVALID, "the URL begins with https://");
    if (!get_origin(url, &origin) || !get(url, CURLUPART_PATH, 0, &path))
        return error_set(err, STATUS_INVALID, "the URL names no host");
    if (has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD) || has(url, CURLUPART_QUERY) ||
        has(url, CURLUPART_FRAGMENT))
        return error_set(err, STATUS_INVALID,
                         "a site's URL is https://host[:port][/path] and nothing more");
    cut_slashes(path.text);
    cut_default_port(origin.text);
    length = snprintf(scheme.text, sizeof scheme.text, "https://%s%s", origin.text, path.text);
    if (length < 0 || (size_t)length >= sizeof scheme.text)
        return error_set(err, STATUS_INVALID, "the URL is too long");
    *ret_site = scheme;
    return STATUS_OK;
}

bool http_url_is_same_origin(const char *a, const char *b)
{
    CLEANUP(curl_url_cleanupp) CURLU *first = parse(a);
    CLEANUP(curl_url_cleanupp) CURLU *second = parse(b);
    struct http_url one, other;

    return first != NULL && second != NULL && get_origin(first, &one) &&
           get_origin(second, &other) && strcmp(one.text, other.text) == 0;
}

enum status http_url_resolve(const char *base, const char *location, struct http_url *ret_url,
                             struct error *err)
{
    CLEANUP(curl_url_cleanupp) CURLU *url = parse(base);
    struct http_url resolved;

    /* Setting a relative URL on a handle resolves it against what the handle holds. */
    if (url == NULL || strlen(location) >= HTTP_URL_MAX ||
        !text_is_plain(location, strlen(location), false) ||
        curl_url_set(url, CURLUPART_URL, location, 0) != CURLUE_OK ||
        !get(url, CURLUPART_URL, 0, &resolved))
        return error_set(err, STATUS_INVALID, "the server named a location that is no URL");
    if (!http_url_is_same_origin(base, resolved.text))
        return error_set(err, STATUS_UNTRUSTED, "the server named a location on another server");
    *ret_url = resolved;
    return STATUS_OK;
}

enum status http_url_host(const char *text, struct http_url *ret_host, struct error *err)
{
    CLEANUP(curl_url_cleanupp) CURLU *url = parse(text);
    size_t length;

    if (url == NULL || !get(url, CURLUPART_HOST, 0, ret_host) || ret_host->text[0] == '\0')
        return error_set(err, STATUS_INVALID, "the URL names no host");
    length = strlen(ret_host->text);
    if (ret_host->text[0] == '[' && ret_host->text[length - 1] == ']') {
        memmove(ret_host->text, ret_host->text + 1, length - 2);
        ret_host->text[length - 2] = '\0';
    }
    return STATUS_OK;
}
