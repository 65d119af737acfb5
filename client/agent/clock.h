/* Is this computer's clock wrong, by what a server says? PURE. */
#ifndef CLIENT_AGENT_CLOCK_H
#define CLIENT_AGENT_CLOCK_H

#include <stdint.h>

#include "protocol/words.h"

/*
 * How many seconds ours is ahead of the server's now; < 0: behind; 0: it is not known to be off.
 * `told_s` is what the server made of the time in our last visit, 0: near enough. A visit that lay
 * here for hours before it arrived says an old time with a good clock: so both times of now have to
 * say at least half of what was told. So do they no more once our clock was set right.
 */
int64_t clock_off_s(int64_t told_s, int64_t own_s, int64_t server_s);

/* "this computer's clock is 3 hours ahead of the server's"; "" for 0. */
void clock_words(int64_t off_s, char ret_words[WHY_MAX + 1]);

#endif
