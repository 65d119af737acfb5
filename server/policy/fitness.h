/*
 * Is a server fit to be sent visits? It is as long as what they report can be committed. PURE.
 */
#ifndef SERVER_POLICY_FITNESS_H
#define SERVER_POLICY_FITNESS_H

#include <stdbool.h>
#include <stdint.h>

#define FITNESS_PROBE_EVERY_MS                                                                     \
    10000                           /* without other commits: an empty one, on the engine's tick   \
                                     */
#define FITNESS_COMMIT_MAX_MS 45000 /* so old the last commit may be: several probes were due */
#define FITNESS_FULL_FOR_MS   60000 /* what fits a probe need not fit a visit */

/* Times of one monotonic clock. */
struct fitness_facts {
    int64_t committed_mono_ms; /* the last commit, or that the engine was opened */
    int64_t full_mono_ms;      /* the last failure for want of room; INT64_MIN: there was none */
    bool is_failing;           /* a transaction could not be saved, and none was since */
};

/* Is it time to prove that one can commit? At once after a failure, so that one bad command alone
 * does not count for long. */
bool fitness_wants_probe(const struct fitness_facts *facts, int64_t now_mono_ms);

/* NULL: fit. Else words, static. */
const char *fitness_lack(const struct fitness_facts *facts, int64_t now_mono_ms);

#endif
