/* A site in a folder as `dugnad-server init` makes it, which nothing serves yet. */
#ifndef TESTS_SUPPORT_MADE_SITE_H
#define TESTS_SUPPORT_MADE_SITE_H

#include "common/base/env.h"
#include "server/site/config.h"

/* `folder`: for mkdtemp(), and the current one from now on; the site is "site" in it. `env` is the
 * caller's. */
void made_site_begin(char *folder, struct env *env, struct config *ret_config);

/* It has one file in its database, as if it had come. */
void made_site_remember_a_file(const struct config *config);

/* A file or a folder of it, with all that is in it. */
void made_site_lose(const char *part);

#endif
