/* Is a host's clock wrong? PURE. */
#ifndef SERVER_POLICY_HOST_CLOCK_H
#define SERVER_POLICY_HOST_CLOCK_H

#include <stdint.h>

/*
 * Ten minutes: a visit is made before it is sent, and is repeated with the same time while its
 * answer is lost, over minutes of back-off; and what is signed is valid for hours at least, so that
 * less does no harm.
 */
#define HOST_CLOCK_APART_S 600

/* By how many seconds the host's is ahead, by what its visit says; < 0: behind; 0: near enough. */
int64_t host_clock_off_s(int64_t host_s, int64_t server_s);

#endif
