#include "operator/supply.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "operator/remote.h"

#define COPY_BYTES 65536

void supply_init(struct supply *ret_supply, struct profile *profile, const struct disk_path *kept,
                 size_t slots)
{
    *ret_supply = (struct supply){.profile = profile, .kept = *kept, .order_count = slots};
    ret_supply->orders = must_alloc(slots, sizeof *ret_supply->orders);
}

static void drop(struct supply_fetch *fetch)
{
    download_free(TAKE(fetch->download));
    fetch->order->under_way--;
}

static void drop_all_of(struct supply *supply, const struct supply_order *order)
{
    for (size_t i = 0; i < SUPPLY_UNDER_WAY; i++)
        if (supply->fetches[i].download != NULL && supply->fetches[i].order == order)
            drop(&supply->fetches[i]);
}

void supply_clear(struct supply *supply)
{
    for (size_t i = 0; i < supply->order_count; i++)
        drop_all_of(supply, &supply->orders[i]);
    free(supply->orders);
    *supply = (struct supply){0};
}

void supply_begin(struct supply *supply, size_t slot, const struct prepared *prepared,
                  const struct disk_path *folder)
{
    assert(slot < supply->order_count && supply->orders[slot].prepared == NULL);
    supply->orders[slot] = (struct supply_order){.prepared = prepared, .folder = *folder};
}

static void fail(struct supply *supply, struct supply_order *order, enum status status,
                 const struct error *why)
{
    order->end = (struct supply_end){
        .status = status, .was_refused = supply->profile->session->was_refused, .why = *why};
    order->prepared = NULL;
    drop_all_of(supply, order);
}

/* --- what lies here already --- */

static enum status copy(struct session *session, const char *from_path, const char *to_path,
                        unsigned mode, struct error *err)
{
    struct disk *disk = session->env->disk;
    CLEANUP(disk_file_closep) struct disk_file *from = NULL, *to = NULL;
    CLEANUP(freep) char *piece = must_alloc(COPY_BYTES, 1);
    int64_t at = 0;
    size_t count;

    TRY(disk->open_read(disk, from_path, &from, err));
    TRY(disk->open_write(disk, to_path, mode, &to, err));
    do {
        TRY(disk->read_at(from, at, piece, COPY_BYTES, &count, err));
        TRY(disk->write_at(to, at, piece, count, err));
        at += (int64_t)count;
        session_meanwhile(session);
    } while (count > 0);
    return STATUS_OK;
}

static enum status put_inline(struct disk *disk, const struct slot_file *file,
                              const struct disk_path *to, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *target = NULL;

    TRY(disk->open_write(disk, to->text, file->mode, &target, err));
    return disk->write_at(target, 0, file->bytes, (size_t)file->size, err);
}

static enum status kept_path(const struct supply *supply, const struct slot_file *file,
                             struct disk_path *ret_path, struct error *err)
{
    char hex[2 * DIGEST_BYTES + 1];

    text_from_bytes(file->digest.bytes, DIGEST_BYTES, hex);
    return disk_join(ret_path, err, "%s/%s", supply->kept.text, hex);
}

/* Into the slot, where it did not go by itself. */
static enum status settle(const struct supply *supply, const struct supply_fetch *fetch,
                          struct error *err)
{
    struct disk_path kept;

    if (!fetch->is_of_app)
        return STATUS_OK;
    TRY(kept_path(supply, &fetch->file, &kept, err));
    return copy(supply->profile->session, kept.text, fetch->to.text, fetch->file.mode, err);
}

/* --- what is on its way --- */

/* For another slot: this one gets it from there. */
static bool is_coming(const struct supply *supply, const struct slot_file *file)
{
    for (size_t i = 0; i < SUPPLY_UNDER_WAY; i++) {
        const struct supply_fetch *fetch = &supply->fetches[i];

        if (fetch->download != NULL && fetch->is_of_app &&
            digest_equals(&fetch->file.digest, &file->digest))
            return true;
    }
    return false;
}

static struct supply_fetch *free_place(struct supply *supply)
{
    for (size_t i = 0; i < SUPPLY_UNDER_WAY; i++)
        if (supply->fetches[i].download == NULL)
            return &supply->fetches[i];
    return NULL;
}

static enum status begin_fetch(struct supply *supply, struct supply_order *order,
                               struct supply_fetch *place, const struct supply_fetch *wanted,
                               struct error *err)
{
    struct download *download = NULL;
    struct disk_path to = wanted->to;

    if (wanted->is_of_app)
        TRY(kept_path(supply, &wanted->file, &to, err));
    TRY(download_begin(supply->profile, &wanted->file, &to, &download, err));
    if (download == NULL)
        return settle(supply, wanted, err);
    *place = *wanted;
    place->download = download;
    order->under_way++;
    return STATUS_OK;
}

/* The next file of this slot. *ret_went_on false: there is none that could be begun now. */
static enum status go_on(struct supply *supply, struct supply_order *order, bool *ret_went_on,
                         struct error *err)
{
    struct supply_fetch wanted = {.order = order}, *place = free_place(supply);

    *ret_went_on = false;
    if (!task_slot_file(order->prepared, order->next, &wanted.file))
        return STATUS_OK;
    wanted.is_of_app = order->next < order->prepared->variant.file_count;
    if (place == NULL || (wanted.is_of_app && is_coming(supply, &wanted.file)))
        return STATUS_OK;
    TRY(disk_join(&wanted.to, err, "%s/%s", order->folder.text, wanted.file.name));
    if (wanted.file.bytes != NULL)
        TRY(put_inline(supply->profile->session->env->disk, &wanted.file, &wanted.to, err));
    else
        TRY(begin_fetch(supply, order, place, &wanted, err));
    order->next++;
    *ret_went_on = true;
    return STATUS_OK;
}

static void ask_for(struct supply *supply, struct supply_order *order)
{
    bool went_on = true;
    struct slot_file file;

    while (order->prepared != NULL && went_on) {
        struct error why = {0};
        enum status status;

        supply->profile->session->was_refused = false;
        status = session_go_on(supply->profile->session, &why);
        if (status == STATUS_OK)
            status = go_on(supply, order, &went_on, &why);
        if (status != STATUS_OK)
            fail(supply, order, status, &why);
    }
    if (order->prepared != NULL && order->under_way == 0 &&
        !task_slot_file(order->prepared, order->next, &file))
        order->prepared = NULL;
}

static void look_at(struct supply *supply, struct supply_fetch *fetch)
{
    struct supply_order *order = fetch->order;
    struct error why = {0};
    enum status status;

    if (!download_is_over(fetch->download, &status, &why))
        return;
    drop(fetch);
    if (status == STATUS_OK)
        status = settle(supply, fetch, &why);
    if (status != STATUS_OK)
        fail(supply, order, status, &why);
}

void supply_move(struct supply *supply)
{
    remote_move(supply->profile);
    for (size_t i = 0; i < SUPPLY_UNDER_WAY; i++)
        if (supply->fetches[i].download != NULL)
            look_at(supply, &supply->fetches[i]);
    for (size_t i = 0; i < supply->order_count; i++)
        if (supply->orders[i].prepared != NULL)
            ask_for(supply, &supply->orders[i]);
}

const struct supply_end *supply_end(const struct supply *supply, size_t slot)
{
    const struct supply_order *order = &supply->orders[slot];

    return order->prepared == NULL ? &order->end : NULL;
}

bool supply_is_busy(const struct supply *supply)
{
    for (size_t i = 0; i < SUPPLY_UNDER_WAY; i++)
        if (supply->fetches[i].download != NULL)
            return true;
    return false;
}
