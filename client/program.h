/*
 * The dugnad-client program but for main(): its verbs over a world that main.c, or a test's
 * program, fills with functions.
 */
#ifndef CLIENT_PROGRAM_H
#define CLIENT_PROGRAM_H

#include <stdbool.h>

#include "common/base/env.h"
#include "common/base/error.h"
#include "common/base/options.h"
#include "common/http/client.h"
#include "sandbox/launcher.h"

#define CLIENT_NAME    "dugnad-client"
#define CLIENT_VERSION "0.1.0"

/* Exit codes of every verb, besides OPTIONS_EXIT_OK and OPTIONS_EXIT_USAGE. */
enum client_exit {
    EXIT_FAILED = 1,
    EXIT_UNREACHABLE = 3, /* the server, or a daemon that does not answer */
    EXIT_UNTRUSTED = 4,   /* a certificate or a signature does not hold */
    EXIT_NOT_AGREED = 5,  /* its owner did not say yes, or there is nobody to ask */
    EXIT_BUSY = 6,        /* another daemon works in the data folder */
};

struct client_world {
    struct env *env;
    const char *home; /* $HOME; NULL: none */
    bool is_root;
    int stop_descriptor; /* readable when the program is to end; -1: never */

    /* Called by a verb that watches stop_descriptor: until then SIGINT and SIGTERM end the program
       at once. NULL: they never do. */
    void (*catch_stop)(void);
    enum status (*open_http)(struct http_client **ret_http, struct error *err);
    enum status (*open_launcher)(struct client_world *world, struct launcher **ret_launcher,
                                 struct error *err);

    /* Ask the person at the terminal; false also if there is no terminal. */
    bool (*confirm)(const char *question);
    bool (*has_terminal)(void);

    /* An absolute path for a folder that exists; to be freed. NULL: there is none. */
    char *(*absolute)(const char *path);
};

int client_program_run(struct client_world *world, int argc, const char *const *argv);

/* For the manual page: what program_manual() takes. */
extern const struct program client_program;

#endif
