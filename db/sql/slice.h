/* A slice of units on its way into its batch. */
#ifndef DB_SQL_SLICE_H
#define DB_SQL_SLICE_H

#include "db/sql/store.h"

struct slice {
    struct sql_store *self;
    int64_t batch;
    int64_t app_version;
    int64_t next_id; /* 0: none was taken yet */
    size_t count;    /* of all units in it */
    size_t added;
};

/* Looks the batch up: errors as publish_ops.units_add says. */
enum status slice_open(struct slice *slice, struct error *err) MUST_USE;
/* Once its units are there, with ids up to next_id - 1: the batch counts them. */
enum status slice_count(const struct slice *slice, struct error *err) MUST_USE;

#endif
