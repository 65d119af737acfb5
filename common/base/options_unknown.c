/* Words that begin with no command: which one may have been meant. */
#include <stdio.h>
#include <string.h>

#include "common/base/options.h"
#include "common/base/text.h"

#define NAME_MAX_CHARS 40 /* longer words are meant for none */
#define FAR            3  /* a name that many letters away is another one */
#define LIST_MAX       (64 * 1024)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters put in, left out, changed, or two that changed places; both up to NAME_MAX_CHARS. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_CHARS + 1];
    size_t a_length = strlen(a), b_length = strlen(b);

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* The first `wanted` words as one; NULL: there are fewer, or they are too long. */
static char *joined(size_t wanted, size_t count, const char *const *words)
{
    CLEANUP(freep) char *text = text_copy("");

    for (size_t i = 0; i < wanted; i++) {
        char *longer;

        if (i == count || text_starts_with(words[i], "--"))
            return NULL;
        longer = text_format("%s%s%s", text, i > 0 ? " " : "", words[i]);
        free(text);
        text = longer;
    }
    return strlen(text) <= NAME_MAX_CHARS ? TAKE(text) : NULL;
}

static size_t words_of(const char *name)
{
    size_t count = 1;

    for (; *name != '\0'; name++)
        count += *name == ' ';
    return count;
}

/* Nearer than *best: `name` may be what was meant. */
static void consider(const char *name, size_t count, const char *const *words, size_t *best,
                     char **ret_name)
{
    CLEANUP(freep) char *said = joined(words_of(name), count, words);
    size_t away;

    if (said == NULL || strlen(name) > NAME_MAX_CHARS)
        return;
    away = distance(said, name);
    if (away >= *best || 2 * away >= strlen(name))
        return;
    *best = away;
    free(*ret_name);
    *ret_name = text_copy(name);
}

/* Whole names first, then what several begin with. To be freed; NULL: none is near. */
static char *nearest(const struct program *program, size_t count, const char *const *words)
{
    size_t best = FAR;
    char *name = NULL;

    for (size_t i = 0; i < program->command_count; i++)
        consider(program->commands[i]->name, count, words, &best, &name);
    for (size_t i = 0; i < program->command_count && name == NULL; i++) {
        const char *full = program->commands[i]->name;
        CLEANUP(freep) char *first = text_copy_n(full, strcspn(full, " "));

        consider(first, count, words, &best, &name);
    }
    return name;
}

void options_say_unknown(const struct program *program, size_t count, const char *const *words)
{
    CLEANUP(buffer_clear) struct buffer list = {.max = LIST_MAX};
    bool is_group = group_list(program, words[0], &list);
    bool is_alone = count < 2 || text_starts_with(words[1], "--");
    CLEANUP(freep) char *near = nearest(program, is_alone ? 1 : count, words);

    if (is_group && near != NULL && strchr(near, ' ') == NULL)
        free(TAKE(near)); /* the first word is right as it is */
    if (is_group && is_alone)
        (void)fprintf(stderr, "%s: \"%s\" is the beginning of:\n", program->name, words[0]);
    else
        (void)fprintf(stderr, "%s: there is no command \"%.60s%s%.60s\"%s%s%s\n", program->name,
                      words[0], is_group ? " " : "", is_group ? words[1] : "",
                      near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                      near != NULL ? "\"?" : "");
    if (is_group)
        (void)fputs(buffer_text(&list), stderr);
    (void)fprintf(stderr, "See '%s%s%s --help'.\n", program->name, is_group ? " " : "",
                  is_group ? words[0] : "");
}
