/* One working set out of two that were loaded in the same transaction. */
#ifndef SERVER_ENGINE_MERGE_H
#define SERVER_ENGINE_MERGE_H

#include "db/work.h"

/*
 * Take what `from` has and `into` has not; what both have stays as it is in `into`, changes and
 * all. Neither has anything to be added yet but new hosts of `into`. `from` is cleared. Pointers
 * into both are void afterwards.
 */
void work_merge(struct work_set *into, struct work_set *from);

#endif
