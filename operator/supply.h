/*
 * Files on their way into the slots of units that are to run, several at a time, whichever unit's:
 * one that comes slowly holds no other unit up. Files of the app are fetched once, into a folder,
 * and copied from there; inputs go straight into the slot.
 */
#ifndef OPERATOR_SUPPLY_H
#define OPERATOR_SUPPLY_H

#include "operator/download.h"
#include "operator/upload.h"

#define SUPPLY_UNDER_WAY UPLOAD_UNDER_WAY /* files, each on a connection of its own */

/* What one slot gets. */
struct supply_order {
    const struct prepared *prepared; /* borrowed while files are missing; NULL: none are */
    struct disk_path folder;
    size_t next;      /* file of task_slot_file() */
    size_t under_way; /* before it */
    struct supply_end {
        enum status status;
        bool was_refused; /* that is what the site said */
        struct error why;
    } end; /* once none are missing, or the first failure */
};

struct supply {
    struct profile *profile;     /* borrowed */
    struct disk_path kept;       /* the folder of the app's files */
    struct supply_order *orders; /* owned */
    size_t order_count;
    struct supply_fetch {
        struct download *download; /* owned; NULL: this place is free */
        struct supply_order *order;
        struct slot_file file;
        struct disk_path to;
        bool is_of_app;
    } fetches[SUPPLY_UNDER_WAY];
};

void supply_init(struct supply *ret_supply, struct profile *profile, const struct disk_path *kept,
                 size_t slots);
void supply_clear(struct supply *supply); /* what is under way is broken off; zeroed is fine */

/* Everything into the slot's folder, which is there and empty. STATUS_BUSY: interrupted. */
void supply_begin(struct supply *supply, size_t slot, const struct prepared *prepared,
                  const struct disk_path *folder);

/* Ask for what is missing, look at what came. Never waits. */
void supply_move(struct supply *supply);

/* NULL: files are missing yet. */
const struct supply_end *supply_end(const struct supply *supply, size_t slot);

/* Is anything on its way? */
bool supply_is_busy(const struct supply *supply);

#endif
