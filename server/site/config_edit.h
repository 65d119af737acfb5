/* site.conf, changed by a program: one key, and all else as its owner wrote it. */
#ifndef SERVER_SITE_CONFIG_EDIT_H
#define SERVER_SITE_CONFIG_EDIT_H

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Appends `text` to `ret_text` with `key` given once, as `value`; "": not given at all. Comments
 * stay. What comes out may be wrong where `value` is: read it by config_parse(). */
enum status config_replace(const char *text, const char *key, const char *value,
                           struct buffer *ret_text, struct error *err) MUST_USE;

#endif
