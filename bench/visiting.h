/* One visit, said and heard. */
#ifndef BENCH_VISITING_H
#define BENCH_VISITING_H

#include "bench/turn.h"

/*
 * Report what the host holds and has not reported, and ask for more. *ret_visit is what is signed,
 * to be kept until the answer; *ret_body the request's JSON, to be freed. The host's visit number
 * rises: an unanswered request is sent again as it is.
 */
enum status visiting_say(struct actor *actor, const struct kit *kit, struct visit *ret_visit,
                         char **ret_body, struct error *err) MUST_USE;

/* *ret_wanted: the outputs that are to be uploaded now, to be freed. */
enum status visiting_hear(struct actor *actor, struct kit *kit, const struct visit *visit,
                          const struct response *response, struct wanted_output **ret_wanted,
                          size_t *ret_wanted_count, struct error *err) MUST_USE;

#endif
