#include "db/sql/migration.h"

enum status migration_verdict(int version, int count, struct error *err)
{
    if (version == 0)
        return error_set(err, STATUS_NOT_FOUND, "the database holds no site; restore it");
    if (version > count)
        return error_set(err, STATUS_CONFLICT,
                         "this database is of version %d, this program knows %d: use a newer "
                         "program, or a copy from before it was upgraded",
                         version, count);
    if (version < count)
        return error_set(err, STATUS_CONFLICT,
                         "this database is of the older version %d: let dugnad-server run upgrade "
                         "it (to %d) first",
                         version, count);
    return STATUS_OK;
}
