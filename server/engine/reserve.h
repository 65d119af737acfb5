/*
 * Units behind the front of a line, in order of id. Nothing is known of one that its neighbours do
 * not share, for nobody had a copy yet: so they are kept as runs of ids, and ten million units of a
 * batch that were published one after the other take a few dozen bytes.
 */
#ifndef SERVER_ENGINE_RESERVE_H
#define SERVER_ENGINE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance;

/* One of them. */
struct reserve_unit {
    int64_t unit;
    int64_t memory_bytes;
    int64_t disk_bytes;
    uint32_t copies; /* that it wants, ≥ 1 */
};

/* Units first.unit .. first.unit + count - 1, which differ in nothing else. */
struct reserve_run {
    struct reserve_unit first;
    int64_t count;
};

/* Zeroed: empty. Runs head..head + count are in use. */
struct reserve {
    struct reserve_run *runs; /* owned */
    size_t capacity;
    size_t head;
    size_t count;
    size_t units; /* of all runs */
};

void reserve_clear(struct reserve *reserve);

/* At the end. False: it does not come after the last one there, and has to wait elsewhere. */
bool reserve_put(struct reserve *reserve, const struct reserve_unit *unit);

/* Is this unit there? Then *ret_unit (may be NULL) says what is known of it. */
bool reserve_has(const struct reserve *reserve, int64_t unit, struct reserve_unit *ret_unit);

/* Take it out, wherever it is. False: it is not there. */
bool reserve_take(struct reserve *reserve, int64_t unit, struct reserve_unit *ret_unit);

/* The first one's id; or that of one somewhere. Not of an empty reserve. */
int64_t reserve_first(const struct reserve *reserve);
int64_t reserve_somewhere(const struct reserve *reserve, struct chance *chance);

#endif
