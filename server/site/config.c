#include "server/site/config.h"

#include <ini.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/json/build.h"
#include "server/site/config_rules.h"

enum config_type { CONFIG_INTEGER, CONFIG_SECONDS, CONFIG_BYTES, CONFIG_TEXT, CONFIG_LIST };

struct config_key {
    const char *name;
    enum config_type type;
    int64_t min;
    int64_t max;
    const char *otherwise;
    const char *unit;
    const char *sentence;
    size_t offset; /* of the member */
};

static const struct config_key keys[] = {
#define X(name_, type_, min_, max_, otherwise_, unit_, sentence_)                                  \
    {.name = #name_,                                                                               \
     .type = CONFIG_##type_,                                                                       \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .otherwise = otherwise_,                                                                      \
     .unit = unit_,                                                                                \
     .sentence = sentence_,                                                                        \
     .offset = offsetof(struct config, name_)},
#include "server/config.def"
#undef X
};

#define KEYS (sizeof keys / sizeof *keys)

static void *member(const struct config *config, const struct config_key *key)
{
    return (char *)(uintptr_t)config + key->offset;
}

static const struct config_key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static enum status set_number(const struct config_key *key, const char *value, int64_t *ret_number,
                              struct error *err)
{
    static const char *const forms[] = {
        [CONFIG_INTEGER] = "a number",
        [CONFIG_SECONDS] = "a time such as 90s, 15m, 6h or 14d, in seconds",
        [CONFIG_BYTES] = "a size such as 512M or 10G, in bytes",
    };
    int64_t number = -1;
    bool is_fine = key->type == CONFIG_INTEGER ? text_to_integer(value, key->min, key->max, &number)
                   : key->type == CONFIG_SECONDS ? text_to_seconds(value, key->max, &number)
                                                 : text_to_bytes(value, key->max, &number);

    if (!is_fine || number < key->min)
        return error_set(err, STATUS_INVALID, "%s is %s, %lld..%lld", key->name, forms[key->type],
                         (long long)key->min, (long long)key->max);
    *ret_number = number;
    return STATUS_OK;
}

static enum status set_text(const struct config_key *key, const char *value,
                            struct config_text *ret_text, struct error *err)
{
    size_t length = strlen(value);
    int64_t max = key->type == CONFIG_LIST ? CONFIG_TEXT_MAX : key->max;
    int64_t min = key->type == CONFIG_LIST ? 1 : key->min;

    /* After a blank a semicolon begins a comment: what we write could be read as another value. */
    if ((int64_t)length < min || (int64_t)length > max || !text_is_plain(value, length, false) ||
        strchr(value, ';') != NULL)
        return error_set(err, STATUS_INVALID, "%s is a line of %lld..%lld bytes without semicolons",
                         key->name, (long long)min, (long long)max);
    (void)text_fit(ret_text->text, sizeof ret_text->text, value);
    return STATUS_OK;
}

static enum status add_item(const struct config_key *key, const char *value,
                            struct config_list *list, struct error *err)
{
    if ((int64_t)list->count == key->max)
        return error_set(err, STATUS_INVALID, "%s is given up to %lld times", key->name,
                         (long long)key->max);
    TRY(set_text(key, value, &list->items[list->count], err));
    list->count++;
    return STATUS_OK;
}

static enum status set(struct config *config, const struct config_key *key, const char *value,
                       struct error *err)
{
    void *to = member(config, key);

    if (key->type == CONFIG_LIST)
        return add_item(key, value, to, err);
    if (key->type == CONFIG_TEXT)
        return set_text(key, value, to, err);
    return set_number(key, value, to, err);
}

void config_defaults(struct config *ret_config)
{
    *ret_config = (struct config){0};
    for (size_t i = 0; i < KEYS; i++)
        if (*keys[i].otherwise != '\0' &&
            set(ret_config, &keys[i], keys[i].otherwise, NULL) != STATUS_OK)
            abort();
}

struct reading {
    struct config config;
    bool is_given[KEYS];
    int line;                         /* that is read, from 1 */
    int lines[KEYS][CONFIG_LIST_MAX]; /* where each value stands */
    enum status status;
    struct error *err;
};

/* An empty line of a list stands where its first item would. */
static void note_line(struct reading *reading, const struct config_key *key)
{
    size_t nth = key->type == CONFIG_LIST
                     ? ((const struct config_list *)member(&reading->config, key))->count
                     : 0;

    if (nth < CONFIG_LIST_MAX)
        reading->lines[key - keys][nth] = reading->line;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    const struct config_key *key = find_key(name);

    if (reading->status != STATUS_OK)
        return 1;
    (void)section;
    if (key == NULL)
        reading->status = error_set(reading->err, STATUS_INVALID, "unknown key \"%.60s\"", name);
    else if (reading->is_given[key - keys] && key->type != CONFIG_LIST)
        reading->status = error_set(reading->err, STATUS_INVALID, "%s is given twice", name);
    else {
        if (!reading->is_given[key - keys] && key->type == CONFIG_LIST)
            ((struct config_list *)member(&reading->config, key))->count = 0;
        note_line(reading, key);
        if (key->type != CONFIG_LIST || *value != '\0')
            reading->status = set(&reading->config, key, value, reading->err);
        reading->is_given[key - keys] = true;
    }
    return reading->status == STATUS_OK;
}

static enum status at_line(int line, struct error *err)
{
    char words[sizeof err->text];

    if (err == NULL)
        return STATUS_INVALID;
    (void)text_fit(words, sizeof words, err->text);
    return error_set(err, STATUS_INVALID, "line %d: %.200s", line, words);
}

/*
 * One line at a time, within the library's own maximum, so that nothing depends on what it was
 * built to do with long lines and with lines that begin with a blank.
 */
static enum status read_line(struct reading *reading, const char *line, size_t length)
{
    CLEANUP(freep) char *text = text_copy_n(line, length);
    int failed;

    if (length > CONFIG_LINE_MAX || !text_is_plain(line, length, true)) {
        error_set(reading->err, STATUS_INVALID, "a line is plain text of up to %d bytes",
                  CONFIG_LINE_MAX);
        return at_line(reading->line, reading->err);
    }
    if (text[strspn(text, " \t")] == '[') {
        error_set(reading->err, STATUS_INVALID, "there are no [sections]");
        return at_line(reading->line, reading->err);
    }
    failed = ini_parse_string(text, on_key, reading);
    if (reading->status == STATUS_OK && failed == 0)
        return STATUS_OK;
    if (reading->status == STATUS_OK)
        error_set(reading->err, STATUS_INVALID, "expected \"key = value\"");
    return at_line(reading->line, reading->err);
}

/* Held to the rules for the whole; the line is the one of the setting to blame. */
static enum status check_whole(const struct reading *reading, struct error *err)
{
    struct config_place place;

    if (config_check(&reading->config, &place, err) == STATUS_OK)
        return STATUS_OK;
    return at_line(reading->lines[find_key(place.key) - keys][place.nth], err);
}

enum status config_parse(const char *text, struct config *ret_config, struct error *err)
{
    struct reading *reading = must_alloc(1, sizeof *reading);
    enum status status = STATUS_OK;

    config_defaults(&reading->config);
    reading->err = err;
    while (status == STATUS_OK && *text != '\0') {
        size_t length = strcspn(text, "\n");

        reading->line++;
        status = read_line(reading, text, length);
        text += length + (text[length] == '\n');
    }
    if (status == STATUS_OK)
        status = check_whole(reading, err);
    if (status == STATUS_OK)
        *ret_config = reading->config;
    free(reading);
    return status;
}

static enum status in_file(const char *path, struct error *err)
{
    char words[sizeof err->text];

    if (err == NULL)
        return STATUS_INVALID;
    (void)text_fit(words, sizeof words, err->text);
    return error_set(err, STATUS_INVALID, "%.80s, %.155s", path, words);
}

enum status config_load(struct disk *disk, const char *path, struct config *ret_config,
                        struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};

    TRY(disk->read(disk, path, &text, err));
    if (strlen(buffer_text(&text)) != text.length)
        return error_set(err, STATUS_INVALID, "site.conf is a text");
    if (config_parse(buffer_text(&text), ret_config, err) != STATUS_OK)
        return in_file(path, err);
    return STATUS_OK;
}

/* In the largest unit that says it exactly. */
static void print_number(const struct config_key *key, int64_t number, struct buffer *text)
{
    static const struct {
        int64_t size;
        char letter;
    } units[] = {{1 << 30, 'G'}, {1 << 20, 'M'}, {1 << 10, 'K'},
                 {86400, 'd'},   {3600, 'h'},    {60, 'm'}};
    size_t from = key->type == CONFIG_BYTES ? 0 : key->type == CONFIG_SECONDS ? 3 : 6;
    size_t to = key->type == CONFIG_BYTES ? 3 : 6;

    for (size_t i = from; i < to; i++)
        if (number >= units[i].size && number % units[i].size == 0) {
            (void)buffer_printf(text, NULL, "%lld%c", (long long)(number / units[i].size),
                                units[i].letter);
            return;
        }
    (void)buffer_printf(text, NULL, "%lld%s", (long long)number,
                        key->type == CONFIG_SECONDS && number > 0 ? "s" : "");
}

static void print_list(const struct config_key *key, const struct config_list *list,
                       const char *before, struct buffer *text)
{
    for (size_t i = 0; i < list->count; i++)
        (void)buffer_printf(text, NULL, "%s%s = %s\n", before, key->name, list->items[i].text);
    if (list->count == 0)
        (void)buffer_printf(text, NULL, "%s%s =\n", before, key->name);
}

static void print_key(const struct config *config, const struct config_key *key, const char *before,
                      struct buffer *text)
{
    const void *from = member(config, key);

    if (key->type == CONFIG_LIST) {
        print_list(key, from, before, text);
        return;
    }
    (void)buffer_printf(text, NULL, "%s%s =", before, key->name);
    if (key->type != CONFIG_TEXT) {
        (void)buffer_append_text(text, " ", NULL);
        print_number(key, *(const int64_t *)from, text);
    } else if (*((const struct config_text *)from)->text != '\0') {
        (void)buffer_printf(text, NULL, " %s", ((const struct config_text *)from)->text);
    }
    (void)buffer_append_text(text, "\n", NULL);
}

void config_print(const struct config *config, struct buffer *text)
{
    for (size_t i = 0; i < KEYS; i++)
        print_key(config, &keys[i], "", text);
}

static json_t *value_json(const struct config_key *key, const void *from)
{
    const struct config_list *list = from;
    json_t *items;

    if (key->type == CONFIG_TEXT)
        return json_string(((const struct config_text *)from)->text);
    if (key->type != CONFIG_LIST)
        return json_integer(*(const int64_t *)from);
    items = json_array();
    for (size_t i = 0; i < list->count; i++)
        build_append(items, json_string(list->items[i].text));
    return items;
}

json_t *config_json(const struct config *config)
{
    json_t *object = json_object();

    for (size_t i = 0; i < KEYS; i++)
        build_set(object, keys[i].name, value_json(&keys[i], member(config, &keys[i])));
    return object;
}

static bool is_default(const struct config *config, const struct config *defaults,
                       const struct config_key *key)
{
    CLEANUP(buffer_clear) struct buffer ours = {.max = CONFIG_FILE_MAX};
    CLEANUP(buffer_clear) struct buffer theirs = {.max = CONFIG_FILE_MAX};

    print_key(config, key, "", &ours);
    print_key(defaults, key, "", &theirs);
    return strcmp(buffer_text(&ours), buffer_text(&theirs)) == 0;
}

void config_sample(const struct config *config, struct buffer *text)
{
    struct config *defaults = must_alloc(1, sizeof *defaults);

    config_defaults(defaults);
    for (size_t i = 0; i < KEYS; i++) {
        bool is_set = !is_default(config, defaults, &keys[i]);

        (void)buffer_printf(text, NULL, "# %s\n", keys[i].sentence);
        print_key(config, &keys[i], is_set ? "" : "#", text);
        (void)buffer_append_text(text, "\n", NULL);
    }
    free(defaults);
}

/* " 1s..1h.", as one would write it in the file. */
static void print_range(const struct config_key *key, struct buffer *text)
{
    (void)buffer_append_text(text, " ", NULL);
    print_number(key, key->min, text);
    (void)buffer_append_text(text, "..", NULL);
    print_number(key, key->max, text);
    (void)buffer_printf(text, NULL, "%s%s.", *key->unit != '\0' ? " " : "", key->unit);
}

void config_help(struct buffer *text)
{
    for (size_t i = 0; i < KEYS; i++) {
        const struct config_key *key = &keys[i];

        (void)buffer_printf(text, NULL, "%s =%s%s\n    %s", key->name,
                            *key->otherwise != '\0' ? " " : "", key->otherwise, key->sentence);
        if (key->type != CONFIG_TEXT && key->type != CONFIG_LIST)
            print_range(key, text);
        (void)buffer_append_text(text, "\n", NULL);
    }
}
