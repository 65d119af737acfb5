#include "client/config.h"

#include <ini.h>
#include <string.h>

#include "common/base/text.h"

#define MIB(n)     (INT64_C(n) * 1024 * 1024)
#define GIB(n)     (MIB(n) * 1024)
#define SECONDS(n) INT64_C(n)
#define MINUTES(n) (INT64_C(n) * 60)
#define HOURS(n)   (INT64_C(n) * 3600)
#define DAYS(n)    (INT64_C(n) * 86400)

enum kind { KIND_COUNT, KIND_BYTES, KIND_SECONDS };

struct setting {
    const char *name;
    enum kind kind;
    int64_t least;
    int64_t most;
    int64_t absent;
    const char *words;
    size_t offset; /* in struct config */
};

static const struct setting settings[] = {
#define X(symbol, what, low, high, normal, sentence)                                               \
    {.name = #symbol,                                                                              \
     .kind = KIND_##what,                                                                          \
     .least = low,                                                                                 \
     .most = high,                                                                                 \
     .absent = normal,                                                                             \
     .words = sentence,                                                                            \
     .offset = offsetof(struct config, symbol)},
#include "client/config.def"
#undef X
};

#define SETTING_COUNT (sizeof settings / sizeof *settings)

static int64_t *slot_of(struct config *config, const struct setting *setting)
{
    return (int64_t *)(void *)((char *)config + setting->offset);
}

_Static_assert(SETTING_COUNT <= 64, "struct config has a bit for each setting");

void client_config_init(struct config *ret_config)
{
    ret_config->given = 0;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        *slot_of(ret_config, &settings[i]) = settings[i].absent;
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

static bool parse(const struct setting *setting, const char *value, int64_t *ret_value)
{
    switch (setting->kind) {
    case KIND_BYTES:
        return text_to_bytes(value, setting->most, ret_value);
    case KIND_SECONDS:
        return text_to_seconds(value, setting->most, ret_value);
    case KIND_COUNT:
    default:
        return text_to_integer(value, setting->least, setting->most, ret_value);
    }
}

struct amount {
    char text[32];
};

/* The largest unit that says it without a fraction. */
static struct amount amount_of(const struct setting *setting, int64_t value)
{
    static const struct {
        enum kind kind;
        int64_t size;
        const char *unit;
    } units[] = {
        {KIND_BYTES, GIB(1), "G"},       {KIND_BYTES, MIB(1), "M"},
        {KIND_SECONDS, DAYS(1), "d"},    {KIND_SECONDS, HOURS(1), "h"},
        {KIND_SECONDS, MINUTES(1), "m"}, {KIND_SECONDS, 1, "s"},
    };
    struct amount amount;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].kind == setting->kind && value != 0 && value % units[i].size == 0) {
            (void)snprintf(amount.text, sizeof amount.text, "%lld%s",
                           (long long)(value / units[i].size), units[i].unit);
            return amount;
        }
    (void)snprintf(amount.text, sizeof amount.text, "%lld", (long long)value);
    return amount;
}

enum status client_config_set(struct config *config, const char *name, const char *value,
                              struct error *err)
{
    const struct setting *setting = find(name);
    int64_t parsed;

    if (setting == NULL)
        return error_set(err, STATUS_INVALID, "there is no setting \"%.64s\"", name);
    if (!parse(setting, value, &parsed) || parsed < setting->least || parsed > setting->most)
        return error_set(err, STATUS_INVALID, "%s is %s to %s, not \"%.64s\"", name,
                         amount_of(setting, setting->least).text,
                         amount_of(setting, setting->most).text, value);
    *slot_of(config, setting) = parsed;
    config->given |= UINT64_C(1) << (setting - settings);
    return STATUS_OK;
}

static bool is_given(const struct config *config, const struct setting *setting)
{
    return (config->given >> (setting - settings) & 1) != 0;
}

enum status client_config_settle(struct config *config, struct error *err)
{
    const struct setting *first = find("retry_first"), *last = find("retry_last");

    if (config->retry_last >= config->retry_first)
        return STATUS_OK;
    if (is_given(config, first) && is_given(config, last))
        return error_set(
            err, STATUS_INVALID, "retry_last is no less than retry_first: %s is less than %s",
            amount_of(last, config->retry_last).text, amount_of(first, config->retry_first).text);
    if (is_given(config, first))
        config->retry_last = config->retry_first;
    else
        config->retry_first = config->retry_last;
    return STATUS_OK;
}

enum status client_config_set_pair(struct config *config, const char *pair, struct error *err)
{
    const char *equals = strchr(pair, '=');
    CLEANUP(freep) char *name = NULL;

    if (equals == NULL)
        return error_set(err, STATUS_INVALID, "a setting is given as NAME=VALUE");
    name = text_copy_n(pair, (size_t)(equals - pair));
    return client_config_set(config, name, equals + 1, err);
}

struct reading {
    struct config *config;
    struct error err;
};

static int on_line(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;

    if (section[0] != '\0') {
        (void)error_set(&reading->err, STATUS_INVALID, "the file has no sections");
        return 0;
    }
    return client_config_set(reading->config, name, value, &reading->err) == STATUS_OK;
}

enum status client_config_read(struct config *config, struct disk *disk, const char *path,
                               struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {.max = CONFIG_FILE_MAX};
    struct reading reading = {.config = config};
    struct error cause = {0};
    enum status status;
    int line;

    status = disk->read(disk, path, &content, &cause);
    if (status != STATUS_OK) {
        error_set(err, status, "the settings file %.120s cannot be read: %s", path, cause.text);
        error_detail(err, "%s", cause.detail);
        return status;
    }
    line = ini_parse_string(buffer_text(&content), on_line, &reading);
    if (line == 0)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "%s, line %d: %s", path, line > 0 ? line : 1,
                     reading.err.text[0] != '\0' ? reading.err.text : "is not NAME = VALUE");
}

void client_config_describe(struct buffer *text)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *it = &settings[i];

        (void)buffer_printf(text, NULL, "%s  (%s to %s; default %s)\n    %s\n", it->name,
                            amount_of(it, it->least).text, amount_of(it, it->most).text,
                            amount_of(it, it->absent).text, it->words);
    }
}

void client_config_sample(struct buffer *text)
{
    (void)buffer_append_text(text, "# Settings of dugnad-client. Each line is NAME = VALUE.\n",
                             NULL);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        (void)buffer_printf(text, NULL, "\n# %s\n#%s = %s\n", settings[i].words, settings[i].name,
                            amount_of(&settings[i], settings[i].absent).text);
}
