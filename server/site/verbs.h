/*
 * The commands of dugnad-server. Each gets the env as its context and returns an exit code; what it
 * has to say goes to stdout, why it failed to stderr.
 */
#ifndef SERVER_SITE_VERBS_H
#define SERVER_SITE_VERBS_H

#include <jansson.h>

#include "common/base/disk.h"
#include "common/base/error.h"
#include "common/base/options.h"

#define VERB_OK      OPTIONS_EXIT_OK
#define VERB_FAILED  1                  /* it could not be done; the words say why */
#define VERB_USAGE   OPTIONS_EXIT_USAGE /* the command line is wrong */
#define VERB_UNSOUND 3                  /* `check` found something wrong with the site */
#define VERB_RUNNING 4                  /* another server runs this site */

extern const struct command verb_init;
extern const struct command verb_run;
extern const struct command verb_check;
extern const struct command verb_migrate;
extern const struct command verb_restore;
extern const struct command verb_volunteer;
extern const struct command verb_token;
extern const struct command verb_config;

extern const struct program server_program;

/* docs/man/dugnad-server.8: the commands, the settings, the files. `text` takes SERVER_MANUAL_MAX.
 */
#define SERVER_MANUAL_MAX (256 * 1024)
void server_manual(struct buffer *text);

/* Say on stderr why a verb failed; returns VERB_FAILED. */
int verb_fail(const struct error *err);

/* Say on stderr what is wrong with the command line, and where help is; returns VERB_USAGE. */
int verb_usage(const struct options *options, const struct error *err);

/* The site's folder as given, without slashes at its end. */
enum status verb_folder(const struct options *options, struct disk_path *ret_folder,
                        struct error *err) MUST_USE;

/* "--json" of the verbs that list: a line of JSON on stdout. Takes the reference. */
#define VERB_JSON_OPTION                                                                           \
    {                                                                                              \
        .name = "json", .help = "With list: print JSON."                                           \
    }
void verb_print_json(json_t *json);

/* A secret that is shown once, as a line on stdout. Before the commit: what nobody got to see must
 * not be valid. STATUS_STORAGE names it by `noun`. */
enum status verb_print_secret(const char *secret, const char *noun, struct error *err) MUST_USE;

struct store;
struct env;

/*
 * STATUS_BUSY: a server of another number runs on this database. This folder's own is kept out by
 * its lock, and its number by a connection that joined as one that runs.
 */
enum status verb_refuse_others(struct store *store, struct error *err) MUST_USE;

/* Check that the site is whole and open its database. */
enum status verb_open_store(struct env *env, const char *folder, struct store **ret_store,
                            struct error *err) MUST_USE;

/* The same as the only one of all servers of the database; STATUS_BUSY as above. */
enum status verb_open_store_alone(struct env *env, const char *folder, struct store **ret_store,
                                  struct error *err) MUST_USE;

#endif
