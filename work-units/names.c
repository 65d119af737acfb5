#include "work-units/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json/build.h"

bool text_is_word(const char *text)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char later[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(text);

    return length >= 1 && length <= WORD_MAX && strchr(first, text[0]) != NULL &&
           strspn(text, later) == length;
}

static int compare_ignoring_case(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

bool file_names_are_unique(const void *things, size_t count, size_t size)
{
    const char **names = must_alloc(count, sizeof *names);
    bool is_unique = true;

    for (size_t i = 0; i < count; i++)
        names[i] = ((const struct file_name *)((const char *)things + i * size))->text;
    qsort(names, count, sizeof *names, compare_ignoring_case);
    for (size_t i = 1; i < count && is_unique; i++)
        is_unique = strcasecmp(names[i - 1], names[i]) != 0;
    free(names);
    return is_unique;
}

void texts_add(struct texts *texts, const char *text)
{
    char **larger = realloc(texts->texts, (texts->count + 1) * sizeof *larger);

    if (larger == NULL)
        abort();
    larger[texts->count++] = text_copy(text);
    texts->texts = larger;
}

void texts_clear(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->texts[i]);
    free(texts->texts);
    *texts = (struct texts){0};
}

bool texts_have(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->texts[i], text) == 0)
            return true;
    return false;
}

struct word members_word(struct members *members, const char *name)
{
    const char *text = members_text(members, name, 0, WORD_MAX);
    struct word word;

    if (!members_failed(members) && !text_is_word(text))
        members_fail(members, name, "malformed",
                     "is not a word: a-z, 0-9, and '.', '_', '-' within, up to %d", WORD_MAX);
    (void)text_fit(word.text, sizeof word.text, text);
    return word;
}

struct texts members_words(struct members *members, const char *name, size_t max)
{
    struct texts words = members_texts(members, name, max, WORD_MAX);

    for (size_t i = 0; i < words.count; i++) {
        struct texts before = {.texts = words.texts, .count = i};

        if (!text_is_word(words.texts[i]) || texts_have(&before, words.texts[i]))
            members_fail(members, name, "malformed", "is not a list of different words");
    }
    return words;
}

struct texts members_texts(struct members *members, const char *name, size_t max, size_t text_max)
{
    struct members_list list = members_list(members, name, 0, max);
    struct texts texts = {0};

    for (size_t i = 0; i < list.count; i++)
        texts_add(&texts, list_text(&list, i, 0, text_max));
    return texts;
}

int64_t members_time(struct members *members, const char *name)
{
    return members_integer(members, name, 0, TIME_MAX_S);
}

struct file_name members_name(struct members *members, const char *name)
{
    struct file_name file_name;

    (void)text_fit(file_name.text, sizeof file_name.text, members_file_name(members, name));
    return file_name;
}

json_t *texts_to_json(const struct texts *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < texts->count; i++)
        build_append(list, json_string(texts->texts[i]));
    return list;
}

json_t *digest_to_json(const struct digest *digest)
{
    return json_string(digest_format(digest).text);
}
