/* What the verbs of dugnad-client share. For the sources beside this one only. */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

#include <jansson.h>

#include "client/config.h"
#include "client/program.h"
#include "client/state/folder.h"
#include "client/state/records.h"
#include "common/http/url.h"
#include "work-units/trust.h"

extern const struct command command_attach, command_account_new, command_run, command_status,
    command_pause, command_resume, command_detach, command_config, command_manual;

/* Say on stderr what failed; the exit code for it. */
int fail(const struct error *err);

/* The same of a value on the command line that none can be: a wrong command line. */
int fail_usage(const struct options *options, const struct error *err);

/* --data, or the default; made where it is missing. */
enum status data_path(const struct client_world *world, const struct options *options,
                      struct disk_path *ret_path, struct error *err) MUST_USE;

/* Half a minute, as long as for an answer: a daemon takes the data folder's lock before it listens,
 * and a verb that found no daemon holds it for a moment. */
#define FOLDER_TRIES   300
#define FOLDER_WAIT_MS 100

/* Ask the daemon, or do it to the folder where none runs. STATUS_NOT_FOUND: the folder
 * that --data names is no client's, and nothing was made there. */
enum status ask(struct client_world *world, const struct options *options, json_t *request,
                json_t **ret_answer, struct error *err) MUST_USE;

/* The same, of a verb that may be the first in its folder. */
enum status ask_first(struct client_world *world, const struct options *options, json_t *request,
                      json_t **ret_answer, struct error *err) MUST_USE;

/*
 * http_perform(), again while the server cannot be reached or the connection breaks: with words on
 * stderr, after 1, 2, 4 and 8 s; five attempts in all, each of which the request's patience bounds.
 */
enum status ask_patiently(struct client_world *world, struct http_client *http,
                          const struct http_request *request, struct http_response *ret_response,
                          struct error *err) MUST_USE;

/* "https://site[/path]#<43 characters>". */
struct attach_link {
    struct http_url site;
    struct digest project; /* none: the link does not say */
};
enum status attach_link_parse(const char *text, struct attach_link *ret_link, struct error *err)
    MUST_USE;

/* What a site says of itself, verified as far as the link allows. */
struct introduction {
    struct project_record record; /* project, url, name, CA */
    struct trust trust;
    bool is_pinned; /* the link named the project; else the site itself did */
};
void introduction_clear(struct introduction *introduction);

enum status introduce(struct client_world *world, struct http_client *http,
                      const struct attach_link *link, struct introduction *ret_introduction,
                      struct error *err) MUST_USE;

#endif
