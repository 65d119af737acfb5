/*
 * Names of files on their way, in a folder that several servers may share: whose they are is in the
 * name, so that none removes what another is writing. Pure but for the random bits of a new name.
 */
#ifndef SERVER_FILES_OWNED_H
#define SERVER_FILES_OWNED_H

#include <stdbool.h>
#include <stdint.h>

struct env;

#define OWNED_ID_BYTES    16
#define OWNED_ID_CHARS    (2 * OWNED_ID_BYTES)
#define OWNED_SERVERS_MAX 256
#define OWNED_ABANDONED_S (INT64_C(7) * 86400) /* untouched for so long: nobody writes it */

/* Hexadecimal; the first byte is the server's number less one, the others are random. */
void owned_id_make(struct env *env, int64_t server, char ret_id[OWNED_ID_CHARS + 1]);

/* Does the name begin with an id that this server made? */
bool owned_is_of(const char *name, int64_t server);

/*
 * For server `server` as it starts: is this surely nobody's any more? Its own is of an earlier run;
 * anything else only if it was not written to for OWNED_ABANDONED_S. Wall times, in seconds.
 */
bool owned_is_leftover(const char *name, int64_t server, int64_t changed_s, int64_t now_s);

#endif
