/* The hosts that are played: who each is, and what it has to do. */
#ifndef BENCH_ACTOR_H
#define BENCH_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/schedule.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"
#include "protocol/words.h"

/* A task that a host has, or whose report is durable and whose body may still be asked for. */
struct held_unit {
    int64_t task;
    struct digest unit;
    bool is_reported;
};

/* Zeroed, but for what actor_init() sets. */
struct actor {
    struct private_key key;
    struct token token;   /* "": it is to be enrolled */
    struct token account; /* "": none yet */
    uint64_t number;      /* in the crew */
    enum character character;
    int64_t next_visit;
    size_t held_count;
    struct held_unit *held; /* owned */
};

/*
 * `secret` and number make the key, the same each time. Visits are numbered from `first_visit`,
 * which has to be above those of earlier runs: the microseconds of the clock are.
 */
void actor_init(struct actor *actor, const struct digest *secret, uint64_t number,
                int64_t first_visit, const struct shares *shares);
void actor_clear(struct actor *actor);

void actor_hold(struct actor *actor, int64_t task, const struct digest *unit);
struct held_unit *actor_find(struct actor *actor, int64_t task); /* NULL: not its own */
void actor_forget(struct actor *actor, int64_t task);

/* Distinguishes its outputs from everybody else's; 0: it is honest. */
uint64_t actor_lie(const struct actor *actor);

/*
 * The key's seed, and the token that a seeded site knows the host by: HMACs of the secret, so that
 * a crew of any size is one secret.
 */
void crew_key_seed(const struct digest *secret, uint64_t number, uint8_t ret_seed[KEY_SEED_BYTES]);
struct token crew_token(const struct digest *secret, uint64_t number);

#endif
