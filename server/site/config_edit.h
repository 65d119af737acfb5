/* site.conf, changed by a program: one key, and all else as its owner wrote it. */
#ifndef SERVER_SITE_CONFIG_EDIT_H
#define SERVER_SITE_CONFIG_EDIT_H

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Appends `text` to `ret_text` with `key` given once, as `value`; "": not given at all. Comments
 * stay; its last line, if it has one (below), stays the last. What comes out may be wrong where
 * `value` is: read it by config_parse(). */
enum status config_replace(const char *text, const char *key, const char *value,
                           struct buffer *ret_text, struct error *err) MUST_USE;

/*
 * site.conf as `init` makes it says in its first line what its last one is, so that a file that was
 * cut, be it at the end of a line, is told from one that an operator shortened.
 */
#define CONFIG_HEAD                                                                                \
    "# A site of dugnad-server; `dugnad-server config` explains. Its last line is \"# end\".\n"
#define CONFIG_END "# end"

enum config_end {
    CONFIG_END_THERE,
    CONFIG_END_PASSED, /* more settings stand below it */
    CONFIG_END_LOST,   /* it is promised and not there */
    CONFIG_END_UNSAID, /* nothing promises it */
};
enum config_end config_end_of(const char *text);

#endif
