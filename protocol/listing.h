/*
 * Pages of things: batches, units of a batch, tasks of a batch, hosts. `next` is what to ask for
 * with `after=` to see the page that follows; empty on the last.
 */
#ifndef PROTOCOL_LISTING_H
#define PROTOCOL_LISTING_H

#include "protocol/batch.h"
#include "protocol/refused.h"
#include "work-units/unit.h"

#define LISTING_MAX (4 * 1024 * 1024) /* of a page of up to PAGE_MAX entries */

struct batch_page {
    size_t count;
    struct batch_status *batches; /* owned */
    struct cursor next;
};

void batch_page_clear(struct batch_page *page);
enum status batch_page_decode(const char *body, size_t length, struct batch_page *ret_page,
                              struct error *err) MUST_USE;
char *batch_page_encode(const struct batch_page *page);

struct unit_entry {
    struct digest unit;
    struct file_name name;
    int64_t index;
    enum unit_state state;
    char why[WHY_MAX + 1]; /* "": not said */
};

struct unit_page {
    size_t count;
    struct unit_entry *units; /* owned */
    struct cursor next;
};

void unit_page_clear(struct unit_page *page);
enum status unit_page_decode(const char *body, size_t length, struct unit_page *ret_page,
                             struct error *err) MUST_USE;
char *unit_page_encode(const struct unit_page *page);

struct task_entry {
    int64_t task;
    struct digest unit;
    struct file_name name; /* the unit's */
    enum task_state state;
    int64_t host;
    int64_t volunteer;
    char volunteer_name[VOLUNTEER_NAME_MAX + 1]; /* "": none */
};

struct task_page {
    size_t count;
    struct task_entry *tasks; /* owned */
    struct cursor next;
};

void task_page_clear(struct task_page *page);
enum status task_page_decode(const char *body, size_t length, struct task_page *ret_page,
                             struct error *err) MUST_USE;
char *task_page_encode(const struct task_page *page);

struct host_entry {
    int64_t host;
    struct public_key key;
    int64_t volunteer;
    char volunteer_name[VOLUNTEER_NAME_MAX + 1]; /* "": none */
    char platform[WORD_MAX + 1];                 /* "": it never said */
    char client[64 + 1];                         /* "": it never said */
    int64_t last_seen_day;                       /* Unix days: times finer than that are not told */
    int64_t running, agreed, outvoted, errors;   /* tasks */
    int64_t credit;
    struct refused_thing refused; /* what it said last that it refused of the site's ... */
    int64_t refused_day;          /* ... and when; 0: never */
};

struct host_page {
    size_t count;
    struct host_entry *hosts; /* owned */
    struct cursor next;
};

void host_page_clear(struct host_page *page);
enum status host_page_decode(const char *body, size_t length, struct host_page *ret_page,
                             struct error *err) MUST_USE;
char *host_page_encode(const struct host_page *page);

#endif
