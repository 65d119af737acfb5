/* Has a SQLite database the tables and indexes of its version? */
#ifndef DB_SQLITE_SCHEMA_H
#define DB_SQLITE_SCHEMA_H

#include "common/base/error.h"

struct checker;

/* A complaint for each that is missing, or made otherwise than the migrations make it. */
enum status check_schema(struct checker *checker, struct error *err) MUST_USE;

#endif
