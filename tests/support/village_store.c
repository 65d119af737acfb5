/* The store in front of the store: fails a step, or lets a second writer have been there. */
#include "tests/support/village.h"

static struct village_store *self; /* a store's functions take the store they belong to: only one */

static bool fails_now(void)
{
    self->steps++;
    return self->steps_to_failure > 0 && --self->steps_to_failure == 0;
}

static enum status fail(struct error *err)
{
    return error_set(err, STATUS_STORAGE, "the test makes this fail");
}

static enum status begin(struct store *store, struct error *err)
{
    return fails_now() ? fail(err) : self->original.begin(store, err);
}

static enum status commit(struct store *store, struct error *err)
{
    return fails_now() ? fail(err) : self->original.commit(store, err);
}

static void rollback(struct store *store)
{
    self->original.rollback(store);
}

static enum status load(struct store *store, const struct work_request *request,
                        struct work_set *ret_set, struct error *err)
{
    self->loads++;
    if (fails_now())
        return fail(err);
    TRY(self->original.work->load(store, request, ret_set, err));
    if (self->stale_loads == 0)
        return STATUS_OK;
    self->stale_loads--;
    for (size_t i = 0; i < ret_set->unit_count; i++)
        ret_set->units[i].version--;
    for (size_t i = 0; i < ret_set->host_count; i++)
        ret_set->hosts[i].version--;
    return STATUS_OK;
}

/* Fails late: when all is written that the roll-back must undo. */
static enum status save(struct store *store, struct work_set *set, struct error *err)
{
    TRY(self->original.work->save(store, set, err));
    return fails_now() ? fail(err) : STATUS_OK;
}

static enum status site_save(struct store *store, const struct site *site, struct error *err)
{
    TRY(self->original.publish->site_save(store, site, err));
    return fails_now() ? fail(err) : STATUS_OK;
}

static enum status file_add(struct store *store, const struct file_record *record, bool *ret_is_new,
                            struct error *err)
{
    TRY(self->original.publish->file_add(store, record, ret_is_new, err));
    return fails_now() ? fail(err) : STATUS_OK;
}

void village_store_wrap(struct village_store *ret_wrapped, struct store *store)
{
    self = ret_wrapped;
    *self = (struct village_store){.store = store, .original = *store};
    self->work = *store->work;
    self->publish = *store->publish;
    self->work.load = load;
    self->work.save = save;
    self->publish.site_save = site_save;
    self->publish.file_add = file_add;
    store->begin = begin;
    store->commit = commit;
    store->rollback = rollback;
    store->work = &self->work;
    store->publish = &self->publish;
}
