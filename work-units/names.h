/* Words, lists of texts and ids that several signed payloads use, and their shared limits. */
#ifndef WORK_UNITS_NAMES_H
#define WORK_UNITS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/json/members.h"
#include "work-units/batch_id.h"

#define WORD_MAX     64                    /* characters of a word */
#define TIME_MAX_S   INT64_C(253402300799) /* the end of the year 9999 */
#define DAY_S        INT64_C(86400)
#define SEED_BYTES   16
#define ARGUMENT_MAX 4096 /* bytes of one argument or of a variable's value */

/* A word: [a-z0-9][a-z0-9._-]{0,63}. Names of apps, platforms, classes and sandbox layers are. */
struct word {
    char text[WORD_MAX + 1];
};

bool text_is_word(const char *text);

/* Anything that begins with one of these can be checked for names used twice. */
struct file_name {
    char text[TEXT_FILE_NAME_MAX + 1];
};

/*
 * Are the names of `count` things of `size` bytes, each beginning with its struct file_name, all
 * different, whatever their case? On some volunteers' disks "a" and "A" are one file.
 */
bool file_names_are_unique(const void *things, size_t count, size_t size);

/* Texts, each owned, in a list that is owned. */
struct texts {
    char **texts;
    size_t count;
};

void texts_add(struct texts *texts, const char *text);
void texts_clear(struct texts *texts);
bool texts_have(const struct texts *texts, const char *text);

/* Reading and writing them as members of a payload. */
struct word members_word(struct members *members, const char *name);

/* 0..max different words. Whatever comes back has to be cleared, after a failure as well. */
struct texts members_words(struct members *members, const char *name, size_t max);

/* 0..max texts of up to text_max bytes, in order. */
struct texts members_texts(struct members *members, const char *name, size_t max, size_t text_max);

/* Unix seconds, 0..TIME_MAX_S. */
int64_t members_time(struct members *members, const char *name);

struct file_name members_name(struct members *members, const char *name);

/* New references, never NULL. */
json_t *texts_to_json(const struct texts *texts);
json_t *digest_to_json(const struct digest *digest);

#endif
