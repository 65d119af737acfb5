/* A minimum rate, looked at once per window: a peer that trickles is as bad as one that is silent.
 */
#ifndef SERVER_HTTP_PACE_H
#define SERVER_HTTP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct http_pace {
    int64_t end_mono_ms; /* of the current window */
    int64_t moved;       /* bytes in it */
};

void http_pace_start(struct http_pace *pace, int64_t now_mono_ms, int64_t window_ms);

/* True before the window's end; then, whether at least `least` bytes moved, and a new one begins.
 */
bool http_pace_holds(struct http_pace *pace, int64_t now_mono_ms, int64_t window_ms, int64_t least);

#endif
