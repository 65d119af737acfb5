/* Open files of the process: as many as the site's settings can need. */
#ifndef SERVER_SITE_DESCRIPTORS_H
#define SERVER_SITE_DESCRIPTORS_H

#include <stdint.h>

/* Each connection may have a file open besides its socket; the rest is for database, log, threads
 * and listeners. */
#define DESCRIPTORS_FOR(connections, threads)                                                      \
    (2 * (int64_t)(connections) + 4 * (int64_t)(threads) + 128)

/* Raise this process's limit to `needed`, or to as many as it may have. Returns what it has now. */
int64_t descriptors_raise(int64_t needed);

#endif
