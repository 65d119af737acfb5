/*
 * What site.conf says. server/config.def is the one table of its keys: from it come this struct,
 * the checks, the sample file and the help.
 */
#ifndef SERVER_SITE_CONFIG_H
#define SERVER_SITE_CONFIG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct buffer;
struct disk;

#define CONFIG_TEXT_MAX 180
#define CONFIG_LIST_MAX 8
#define CONFIG_FILE_MAX 65536
#define CONFIG_LINE_MAX 198 /* below what inih takes, 200 */

struct config_text {
    char text[CONFIG_TEXT_MAX + 1];
};

struct config_list {
    size_t count;
    struct config_text items[CONFIG_LIST_MAX];
};

struct config {
#define CONFIG_MEMBER_INTEGER(name)                        int64_t name;
#define CONFIG_MEMBER_SECONDS(name)                        int64_t name;
#define CONFIG_MEMBER_BYTES(name)                          int64_t name;
#define CONFIG_MEMBER_TEXT(name)                           struct config_text name;
#define CONFIG_MEMBER_LIST(name)                           struct config_list name;
#define X(name, type, min, max, otherwise, unit, sentence) CONFIG_MEMBER_##type(name)
#include "server/config.def"
#undef X
};

void config_defaults(struct config *ret_config);

/*
 * `text` is NUL-terminated. STATUS_INVALID, beginning "line N: ", for an unknown key, one given
 * twice that is no list, and a value that does not fit, by itself or with the others (see
 * config_rules.h); what is not given has its default. config_load() puts the path before it.
 */
enum status config_parse(const char *text, struct config *ret_config, struct error *err) MUST_USE;
enum status config_load(struct disk *disk, const char *path, struct config *ret_config,
                        struct error *err) MUST_USE;

/* Every key with its value, fit to be read again. Cut where the buffer ends, like the others. */
void config_print(const struct config *config, struct buffer *text);

/* The same as an object: numbers, texts, and lists of texts. The caller's. */
json_t *config_json(const struct config *config);

/* The file of a new site: what differs from the default is set, all else is there as a comment. */
void config_sample(const struct config *config, struct buffer *text);

/* The same table for a manual page (roff) or a person. */
void config_help(struct buffer *text);

#endif
