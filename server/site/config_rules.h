/*
 * What settings mean together, and what a text has to be: rules that the table of the keys cannot
 * say. Pure.
 */
#ifndef SERVER_SITE_CONFIG_RULES_H
#define SERVER_SITE_CONFIG_RULES_H

#include <stddef.h>

#include "common/base/error.h"
#include "server/site/config.h"

/* The setting to blame: of a list its item `nth`, from 0. */
struct config_place {
    const char *key;
    size_t nth;
};

/*
 * STATUS_INVALID, in words that begin with the setting's name; *ret_place then says where it
 * stands, and is not written otherwise. What has its default never is to blame.
 */
enum status config_check(const struct config *config, struct config_place *ret_place,
                         struct error *err) MUST_USE;

#endif
