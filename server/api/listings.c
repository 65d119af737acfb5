/* Pages of a batch's units and tasks, and of hosts. */
#include "protocol/listing.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/views.h"

struct listing {
    struct call_page wanted;
    int state; /* enum unit_state or task_state; 0: any */
    int64_t last;
    union {
        struct unit_page units;
        struct task_page tasks;
        struct host_page hosts;
    } page;
    void (*clear)(struct listing *listing);
};

static void free_listing(void *state)
{
    struct listing *listing = state;

    if (listing->clear != NULL)
        listing->clear(listing);
    free(listing);
}

static void clear_units(struct listing *listing)
{
    unit_page_clear(&listing->page.units);
}

static void clear_tasks(struct listing *listing)
{
    task_page_clear(&listing->page.tasks);
}

static void clear_hosts(struct listing *listing)
{
    host_page_clear(&listing->page.hosts);
}

static enum status read_state(const struct call *call, bool (*parse)(const char *name, int *state),
                              int *ret_state, struct error *err)
{
    struct http_value value;
    enum status status = http_head_parameter(call->head, "state", &value, err);

    *ret_state = 0;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    if (!parse(value.text, ret_state))
        return error_set(err, STATUS_INVALID, "state: there is none of that name");
    return STATUS_OK;
}

static bool parse_unit_state(const char *name, int *ret_state)
{
    for (int state = UNIT_OPEN; state <= UNIT_FAILED; state++)
        if (strcmp(unit_state_name((enum unit_state)state), name) == 0) {
            *ret_state = state;
            return true;
        }
    return false;
}

static bool parse_task_state(const char *name, int *ret_state)
{
    enum task_state state;

    if (!task_state_parse(name, &state))
        return false;
    *ret_state = (int)state;
    return true;
}

static bool add_unit(void *context, const struct unit_line *line)
{
    struct listing *listing = context;
    struct unit_page *page = &listing->page.units;
    struct unit_entry *entry = &page->units[page->count++];

    *entry = (struct unit_entry){.unit = line->digest, .index = line->index, .state = line->state};
    (void)text_fit(entry->name.text, sizeof entry->name.text, line->name);
    (void)text_fit(entry->why, sizeof entry->why, show_unit_why(line->state, line->failure));
    listing->last = line->id;
    return true;
}

static void read_units(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct unit_page *page = &listing->page.units;
    size_t limit = (size_t)listing->wanted.limit;
    struct error err;
    int64_t batch;

    page->units = must_alloc(limit, sizeof *page->units);
    if (show_find_batch(call, store, &batch, &err) != STATUS_OK ||
        store->query->units(store, batch, (enum unit_state)listing->state, listing->wanted.after,
                            limit, add_unit, listing, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    if (page->count == limit)
        call_cursor(listing->last, &page->next);
    call_json(call, 200, unit_page_encode(page));
}

static bool add_task(void *context, const struct task_line *line)
{
    struct listing *listing = context;
    struct task_page *page = &listing->page.tasks;
    struct task_entry *entry = &page->tasks[page->count++];

    *entry = (struct task_entry){.task = line->id,
                                 .unit = line->unit,
                                 .state = line->state,
                                 .host = line->host,
                                 .volunteer = line->volunteer};
    (void)text_fit(entry->name.text, sizeof entry->name.text, line->unit_name);
    (void)text_fit(entry->volunteer_name, sizeof entry->volunteer_name, line->volunteer_name);
    listing->last = line->id;
    return true;
}

static void read_tasks(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct task_page *page = &listing->page.tasks;
    size_t limit = (size_t)listing->wanted.limit;
    struct error err;
    int64_t batch;

    page->tasks = must_alloc(limit, sizeof *page->tasks);
    if (show_find_batch(call, store, &batch, &err) != STATUS_OK ||
        store->query->tasks(store, batch, (enum task_state)listing->state, listing->wanted.after,
                            limit, add_task, listing, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    if (page->count == limit)
        call_cursor(listing->last, &page->next);
    call_json(call, 200, task_page_encode(page));
}

static bool add_host(void *context, const struct host_line *line)
{
    struct listing *listing = context;
    struct host_page *page = &listing->page.hosts;
    struct host_entry *entry = &page->hosts[page->count++];
    const struct host *host = line->host;

    *entry = (struct host_entry){.host = host->id,
                                 .key = host->key,
                                 .volunteer = host->volunteer,
                                 .last_seen_day = host->seen_s / DAY_S,
                                 .running = line->running,
                                 .agreed = host->agreed,
                                 .outvoted = host->outvoted,
                                 .errors = host->errors,
                                 .credit = host->credit,
                                 .refused = host->refused,
                                 .refused_day = host->refused_s / DAY_S};
    (void)text_fit(entry->volunteer_name, sizeof entry->volunteer_name, line->volunteer_name);
    (void)text_fit(entry->platform, sizeof entry->platform, host->platform);
    (void)text_fit(entry->client, sizeof entry->client, host->client);
    listing->last = host->id;
    return true;
}

static void read_hosts(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct host_page *page = &listing->page.hosts;
    size_t limit = (size_t)listing->wanted.limit;
    struct error err;

    page->hosts = must_alloc(limit, sizeof *page->hosts);
    if (store->query->hosts(store, listing->wanted.after, limit, add_host, listing, &err) !=
        STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    if (page->count == limit)
        call_cursor(listing->last, &page->next);
    call_json(call, 200, host_page_encode(page));
}

static void list(struct call *call, void (*clear)(struct listing *listing),
                 bool (*parse)(const char *name, int *state),
                 void (*read)(struct call *call, struct store *store))
{
    static const char *const names[] = {"state", NULL};
    struct listing *listing = call_state(call, sizeof *listing, free_listing);
    struct error err;

    listing->clear = clear;
    if (call_page(call, parse != NULL ? names : NULL, &listing->wanted, &err) != STATUS_OK ||
        (parse != NULL && read_state(call, parse, &listing->state, &err) != STATUS_OK))
        call_fail(call, &err);
    else
        call_read(call, read);
}

void batch_units_get(struct call *call)
{
    list(call, clear_units, parse_unit_state, read_units);
}

void batch_tasks_get(struct call *call)
{
    list(call, clear_tasks, parse_task_state, read_tasks);
}

void hosts_get(struct call *call)
{
    list(call, clear_hosts, NULL, read_hosts);
}
