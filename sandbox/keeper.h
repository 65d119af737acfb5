/*
 * The keeper: our process between the client and a task. It starts the app's first process, passes
 * on suspend, resume and kill to every process below it, keeps the last of stderr, and when the
 * first process ends, or its client does, it kills and reaps the rest before it ends itself.
 * In a PID namespace it is that namespace's init, so the kernel ends the rest if it is killed.
 *
 * It is a fork without exec of a process with threads: it lives on async-signal-safe calls alone.
 */
#ifndef SANDBOX_KEEPER_H
#define SANDBOX_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/preparation.h"

/* One byte each, written to preparation.orders_write. */
enum order { ORDER_SUSPEND = 'S', ORDER_RESUME = 'R', ORDER_KILL = 'K' };

/*
 * What the keeper leaves behind, in memory shared with its client. Valid once the keeper has ended;
 * `has_execed` at any time. A task cannot reach it: exec takes the mapping away.
 */
struct keeper_note {
    _Atomic bool has_execed;    /* the app's program runs, and not a copy of ours any more */
    bool app_has_ended;         /* on its own, that is before anybody wanted it to */
    int app_status;             /* as wait() tells it */
    int failed_errno;           /* not 0: the app could not be started */
    char failed_step[32];       /* a layer's name, or what else could not be done */
    uint32_t failed_layers;     /* of a probe */
    int64_t copy_rss_bytes;     /* what the app's process weighed as a copy of ours, before exec */
    int64_t peak_rss_bytes;     /* of the largest process; never below copy_rss_bytes */
    uint64_t tail_written;      /* bytes of stderr in all */
    char tail[RUN_STDERR_TAIL]; /* a ring: byte i of stderr is at i % RUN_STDERR_TAIL */
};

/* In the child of fork_raw(), all signals blocked. */
_Noreturn void keeper_main(const struct preparation *preparation, struct keeper_note *note);

/* Instead: apply every layer there is to a process of no consequence, note which failed. */
_Noreturn void keeper_probe(const struct preparation *preparation, struct keeper_note *note);

#endif
