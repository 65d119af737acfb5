#include "server/http/parser.h"

#include <assert.h>
#include <string.h>

#include "common/base/text.h"
#include "server/http/chars.h"

#define REQUEST_LINE_EXTRA 32 /* bytes of a request line beside its target */
#define COUNT(array)       (sizeof(array) / sizeof *(array))

static bool refuse(struct http_refusal *ret_refusal, int status, const char *why)
{
    *ret_refusal = (struct http_refusal){.status = status, .why = why};
    return false;
}

/* Why this byte cannot stand here; NULL: it can. The line's end needs its both halves in order. */
static const char *byte_complaint(const struct http_scanner *scanner, const char *bytes)
{
    char c = bytes[scanner->seen];
    bool after_cr = scanner->seen > 0 && bytes[scanner->seen - 1] == '\r';

    if (after_cr != (c == '\n'))
        return "a line ends with CR and LF together";
    if (c == '\n' && scanner->seen == 1)
        return "the request begins with an empty line";
    if (c != '\r' && c != '\n' && !http_is_text_char(c))
        return "a control character in the head";
    return NULL;
}

static bool is_too_long(const struct http_scanner *scanner, const struct http_parse_limits *limits,
                        struct http_refusal *ret_refusal)
{
    if (scanner->line_start == 0 && scanner->seen > limits->target_bytes + REQUEST_LINE_EXTRA)
        return !refuse(ret_refusal, 414, "the target is too long");
    if (scanner->seen > limits->head_bytes)
        return !refuse(ret_refusal, 431, "the header fields are too long");
    return false;
}

enum http_scan http_scan_head(struct http_scanner *scanner, const char *bytes, size_t length,
                              const struct http_parse_limits *limits, size_t *ret_length,
                              struct http_refusal *ret_refusal)
{
    assert(scanner->seen <= length);
    while (scanner->seen < length) {
        const char *complaint = byte_complaint(scanner, bytes);
        size_t line = scanner->line_start;

        if (complaint != NULL) {
            refuse(ret_refusal, 400, complaint);
            return HTTP_SCAN_REFUSED;
        }
        if (bytes[scanner->seen++] == '\n')
            scanner->line_start = scanner->seen;
        if (is_too_long(scanner, limits, ret_refusal))
            return HTTP_SCAN_REFUSED;
        if (scanner->line_start == scanner->seen && scanner->seen - line == 2) {
            *ret_length = scanner->seen;
            return HTTP_SCAN_WHOLE;
        }
    }
    return HTTP_SCAN_MORE;
}

static bool parse_method(const char *method, struct http_head *ret_head,
                         struct http_refusal *ret_refusal)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

    for (const char *c = method; *c != '\0'; c++)
        if (!http_is_token_char(*c))
            return refuse(ret_refusal, 400, "the method has a character it cannot have");
    if (*method == '\0')
        return refuse(ret_refusal, 400, "there is no method");
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(method, known[i]) == 0)
            ret_head->method = known[i];
    if (ret_head->method == NULL)
        return refuse(ret_refusal, 501, "the method is none we know");
    return true;
}

/* How long is what looks like '.' at the front: 1, 3 (percent-encoded) or 0. */
static size_t dot_length(const char *text)
{
    if (text[0] == '.')
        return 1;
    return text[0] == '%' && text[1] == '2' && http_lower(text[2]) == 'e' ? 3 : 0;
}

static bool has_dot_segment(const char *path)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *rest = slash + 1 + dot_length(slash + 1);

        if (rest == slash + 1)
            continue;
        rest += dot_length(rest);
        if (*rest == '/' || *rest == '\0')
            return true;
    }
    return false;
}

static bool is_well_encoded(const char *text, const char *also)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '%') {
            if (http_hex_value(c[1]) < 0 || http_hex_value(c[2]) < 0)
                return false;
            c += 2;
        } else if (!http_is_path_char(*c) && strchr(also, *c) == NULL) {
            return false;
        }
    }
    return true;
}

static bool parse_target(char *target, const struct http_parse_limits *limits,
                         struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    size_t length = strlen(target);
    char *mark = strchr(target, '?');

    if (length > limits->target_bytes)
        return refuse(ret_refusal, 414, "the target is too long");
    ret_head->path = target;
    ret_head->query = target + length;
    if (strcmp(target, "*") == 0 && strcmp(ret_head->method, "OPTIONS") == 0)
        return true;
    if (target[0] != '/')
        return refuse(ret_refusal, 400, "the target does not begin with a slash");
    if (mark != NULL) {
        *mark = '\0';
        ret_head->query = mark + 1;
    }
    if (!is_well_encoded(ret_head->path, "") || !is_well_encoded(ret_head->query, "?"))
        return refuse(ret_refusal, 400, "the target has a character it cannot have");
    if (has_dot_segment(ret_head->path))
        return refuse(ret_refusal, 400, "the path has a dot segment");
    return true;
}

static bool parse_version(const char *version, struct http_head *ret_head,
                          struct http_refusal *ret_refusal)
{
    if (strcmp(version, "HTTP/1.1") == 0)
        return true;
    ret_head->is_old = true;
    if (strcmp(version, "HTTP/1.0") == 0)
        return true;
    if (strncmp(version, "HTTP/", 5) == 0 && strlen(version) == 8)
        return refuse(ret_refusal, 505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    return refuse(ret_refusal, 400, "the request line is not METHOD TARGET HTTP/1.1");
}

static bool parse_request_line(char *line, const struct http_parse_limits *limits,
                               struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    char *target = strchr(line, ' ');
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;

    if (version == NULL)
        return refuse(ret_refusal, 400, "the request line is not METHOD TARGET HTTP/1.1");
    *target++ = '\0';
    *version++ = '\0';
    return parse_version(version, ret_head, ret_refusal) &&
           parse_method(line, ret_head, ret_refusal) &&
           parse_target(target, limits, ret_head, ret_refusal);
}

/*
 * The value without the blanks around it; NULL if a tab is among those at its end, which the
 * standard allows and other readers refuse.
 */
static char *trimmed(char *text)
{
    size_t length;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length > 0 && text[length - 1] == '\t')
        return NULL;
    text[length] = '\0';
    return text;
}

static bool is_singleton(const char *name)
{
    static const char *const singletons[] = {
        "authorization",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "date",
        "expect",
        "from",
        "host",
        "idempotency-key",
        "if-modified-since",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "range",
        "referer",
        "transfer-encoding",
        "upload-length",
        "upload-metadata",
        "upload-offset",
        "user-agent",
    };

    for (size_t i = 0; i < COUNT(singletons); i++)
        if (strcmp(name, singletons[i]) == 0)
            return true;
    return false;
}

static bool parse_field(char *line, const struct http_parse_limits *limits,
                        struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    char *c = line, *value;

    if (ret_head->field_count >= limits->fields)
        return refuse(ret_refusal, 431, "there are too many header fields");
    for (; http_is_token_char(*c); c++)
        *c = http_lower(*c);
    if (c == line || *c != ':')
        return refuse(ret_refusal, 400, "a header field is not NAME: VALUE");
    *c = '\0';
    /* Some readers look at the beginning of this name alone. */
    if (text_starts_with(line, "transfer-encoding") && strcmp(line, "transfer-encoding") != 0)
        return refuse(ret_refusal, 400, "a header field's name only begins as Transfer-Encoding");
    if (is_singleton(line) && http_head_field(ret_head, line) != NULL)
        return refuse(ret_refusal, 400, "a header field is repeated that may come once");
    value = trimmed(c + 1);
    if (value == NULL)
        return refuse(ret_refusal, 400, "a header field ends with a tab");
    ret_head->fields[ret_head->field_count++] = (struct http_field){.name = line, .value = value};
    return true;
}

/* "name", "name:1", "192.0.2.1:1", "[::1]:1". */
static bool is_host(const char *value)
{
    const char *c = value;
    size_t digits;

    if (*c == '[') {
        c += 1 + strspn(c + 1, "0123456789abcdefABCDEF:.");
        if (*c++ != ']')
            return false;
    } else {
        while (*c != '/' && *c != ':' && *c != '@' && http_is_path_char(*c))
            c++;
    }
    if (c == value || *c == '\0')
        return c != value;
    digits = strspn(c + 1, "0123456789");
    return *c == ':' && digits <= 5 && c[1 + digits] == '\0';
}

static bool check_host(const struct http_head *head, struct http_refusal *ret_refusal)
{
    const char *host = http_head_field(head, "host");

    if (host == NULL && !head->is_old)
        return refuse(ret_refusal, 400, "there is no Host");
    if (host != NULL && !is_host(host))
        return refuse(ret_refusal, 400, "the Host is not a name or address with a port");
    return true;
}

static bool parse_length(const char *length, const struct http_parse_limits *limits,
                         struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    size_t digits = strspn(length, "0123456789");

    if (digits == 0 || length[digits] != '\0' || (length[0] == '0' && digits > 1))
        return refuse(ret_refusal, 400, "the Content-Length is not a plain number");
    if (!text_to_integer(length, 0, limits->body_bytes, &ret_head->content_length))
        return refuse(ret_refusal, 413, "the body is too large");
    return true;
}

static bool parse_framing(const struct http_parse_limits *limits, struct http_head *ret_head,
                          struct http_refusal *ret_refusal)
{
    const char *coding = http_head_field(ret_head, "transfer-encoding");
    const char *length = http_head_field(ret_head, "content-length");

    if (coding == NULL)
        return length == NULL || parse_length(length, limits, ret_head, ret_refusal);
    if (length != NULL)
        return refuse(ret_refusal, 400, "Content-Length and Transfer-Encoding exclude each other");
    if (ret_head->is_old)
        return refuse(ret_refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (!http_equals(coding, strlen(coding), "chunked"))
        return refuse(ret_refusal, 501, "the only Transfer-Encoding is chunked");
    ret_head->content_length = -1;
    return true;
}

static bool parse_expectation(struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    const char *value = http_head_field(ret_head, "expect");

    if (value == NULL || ret_head->is_old)
        return true;
    if (!http_equals(value, strlen(value), "100-continue"))
        return refuse(ret_refusal, 417, "the only Expect is 100-continue");
    ret_head->expects_continue = ret_head->content_length != 0;
    return true;
}

/* Is `token` in one of the comma-separated lists that fields of this name hold? */
static bool lists_token(const struct http_head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const char *c = head->fields[i].value;

        if (strcmp(head->fields[i].name, name) != 0)
            continue;
        while (*c != '\0') {
            size_t length;

            c += strspn(c, " \t,");
            length = strcspn(c, " \t,");
            if (http_equals(c, length, token))
                return true;
            c += length;
        }
    }
    return false;
}

bool http_parse_head(char *bytes, size_t length, const struct http_parse_limits *limits,
                     struct http_head *ret_head, struct http_refusal *ret_refusal)
{
    char *end = bytes + length - 2; /* where the empty line begins */
    char *next;

    assert(limits->fields <= HTTP_HEADERS_MAX && length >= 4);
    *ret_head = (struct http_head){0};
    for (char *line = bytes; line < end; line = next) {
        char *line_end = memchr(line, '\r', (size_t)(end - line));

        assert(line_end != NULL && line_end[1] == '\n');
        *line_end = '\0';
        next = line_end + 2;
        if (!(line == bytes ? parse_request_line(line, limits, ret_head, ret_refusal)
                            : parse_field(line, limits, ret_head, ret_refusal)))
            return false;
    }
    ret_head->is_last = ret_head->is_old || lists_token(ret_head, "connection", "close");
    return check_host(ret_head, ret_refusal) && parse_framing(limits, ret_head, ret_refusal) &&
           parse_expectation(ret_head, ret_refusal);
}
