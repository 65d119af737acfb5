/*
 * Making JSON, where jansson's own functions return NULL for text that is not UTF-8 and take NULL
 * in silence: a list would lack a word and an object a member. Whoever calls made sure before that
 * all text is UTF-8, in words that name the field; here it is a bug, and ends the program.
 */
#ifndef COMMON_JSON_BUILD_H
#define COMMON_JSON_BUILD_H

#include <jansson.h>

/* `value`, which is not NULL. */
json_t *build(json_t *value);

/* Words that are shown or logged and may come from anywhere: what is no UTF-8 becomes '?'. */
json_t *build_text(const char *text);

/* Both take the reference to `value`. */
void build_append(json_t *list, json_t *value);
void build_set(json_t *object, const char *name, json_t *value);

/* Compact, to be freed, never NULL. */
char *build_print(const json_t *root);

#endif
