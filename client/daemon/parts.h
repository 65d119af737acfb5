/*
 * What a daemon is put together from. Everything it touches is a table of functions, so that a
 * whole daemon runs in one process with others under a fake clock, network and sandbox.
 */
#ifndef CLIENT_DAEMON_PARTS_H
#define CLIENT_DAEMON_PARTS_H

#include <stdbool.h>

#include "client/config.h"
#include "client/state/folder.h"
#include "common/http/client.h"
#include "sandbox/launcher.h"

/* Borrowed for as long as the daemon lives. */
struct daemon_parts {
    struct data_folder *folder; /* locked */
    struct http_client *http;
    struct launcher *launcher;
    const struct config *config;
    const char *platform; /* platform_here(), but for tests */
    const char *client;   /* "dugnad-client 0.1.0" */
    bool runs_nothing;    /* stepped only to take leave of projects, and of settings that nobody
                             chose: the disk is theirs to judge who run it */
};

#endif
