#include "protocol/listing.h"

#include "protocol/batch_json.h"

static const char *const unit_states[] = {"open", "judging", "agreed", "accepted", "failed"};

/* What all pages share: a list of entries, then `next`. */
static enum status page_begin(const char *body, size_t length, json_t **ret_root,
                              struct members *ret_members, struct error *err)
{
    return reply_begin(body, length, LISTING_MAX, ret_root, ret_members, err);
}

static char *page_end(struct writer *writer, const struct cursor *next)
{
    write_close(writer, ']');
    write_text_unless_empty(writer, "next", next->text);
    return writer_end(writer);
}

/* --- batches --- */

void batch_page_clear(struct batch_page *page)
{
    free(page->batches);
    *page = (struct batch_page){0};
}

enum status batch_page_decode(const char *body, size_t length, struct batch_page *ret_page,
                              struct error *err)
{
    CLEANUP(batch_page_clear) struct batch_page page = {0};
    json_auto_t *root = NULL;
    struct members members, part;
    struct members_list list;

    TRY(page_begin(body, length, &root, &members, err));
    list = members_list(&members, "batches", 0, PAGE_MAX);
    page.batches = must_alloc(list.count, sizeof *page.batches);
    page.count = list.count;
    for (size_t i = 0; i < list.count && !members_failed(&members); i++) {
        list_object(&list, i, &part);
        page.batches[i] = read_batch_status(&part);
    }
    page.next = members_cursor_or_none(&members, "next");
    TRY(members_end(&members));
    GIVE(ret_page, page);
    return STATUS_OK;
}

char *batch_page_encode(const struct batch_page *page)
{
    struct writer writer;

    writer_init(&writer);
    write_open(&writer, "batches", '[');
    for (size_t i = 0; i < page->count; i++) {
        write_open(&writer, NULL, '{');
        write_batch_status(&writer, &page->batches[i]);
        write_close(&writer, '}');
    }
    return page_end(&writer, &page->next);
}

/* --- units --- */

void unit_page_clear(struct unit_page *page)
{
    free(page->units);
    *page = (struct unit_page){0};
}

static void read_unit(struct members *part, struct unit_entry *unit)
{
    unit->unit = members_digest(part, "unit");
    unit->name = members_name(part, "name");
    unit->index = members_count(part, "index");
    unit->state = WORD_OF(part, "state", unit_states);
    members_copy_text_or_empty(part, "why", unit->why, sizeof unit->why);
}

enum status unit_page_decode(const char *body, size_t length, struct unit_page *ret_page,
                             struct error *err)
{
    CLEANUP(unit_page_clear) struct unit_page page = {0};
    json_auto_t *root = NULL;
    struct members members, part;
    struct members_list list;

    TRY(page_begin(body, length, &root, &members, err));
    list = members_list(&members, "units", 0, PAGE_MAX);
    page.units = must_alloc(list.count, sizeof *page.units);
    page.count = list.count;
    for (size_t i = 0; i < list.count && !members_failed(&members); i++) {
        list_object(&list, i, &part);
        read_unit(&part, &page.units[i]);
    }
    page.next = members_cursor_or_none(&members, "next");
    TRY(members_end(&members));
    GIVE(ret_page, page);
    return STATUS_OK;
}

char *unit_page_encode(const struct unit_page *page)
{
    struct writer writer;

    writer_init(&writer);
    write_open(&writer, "units", '[');
    for (size_t i = 0; i < page->count; i++) {
        const struct unit_entry *unit = &page->units[i];

        write_open(&writer, NULL, '{');
        write_digest(&writer, "unit", &unit->unit);
        write_text(&writer, "name", unit->name.text);
        write_integer(&writer, "index", unit->index);
        write_text(&writer, "state", unit_states[unit->state - 1]);
        write_text_unless_empty(&writer, "why", unit->why);
        write_close(&writer, '}');
    }
    return page_end(&writer, &page->next);
}

/* --- tasks --- */

void task_page_clear(struct task_page *page)
{
    free(page->tasks);
    *page = (struct task_page){0};
}

static void read_task(struct members *part, struct task_entry *task)
{
    const char *state = members_text(part, "state", 1, 64);

    task->task = members_id(part, "task");
    task->unit = members_digest(part, "unit");
    task->name = members_name(part, "name");
    task->host = members_id(part, "host");
    task->volunteer = members_id(part, "volunteer");
    members_copy_text_or_empty(part, "volunteer_name", task->volunteer_name,
                               sizeof task->volunteer_name);
    if (!members_failed(part) && !task_state_parse(state, &task->state))
        members_fail(part, "state", "malformed", "is no state of a task");
}

enum status task_page_decode(const char *body, size_t length, struct task_page *ret_page,
                             struct error *err)
{
    CLEANUP(task_page_clear) struct task_page page = {0};
    json_auto_t *root = NULL;
    struct members members, part;
    struct members_list list;

    TRY(page_begin(body, length, &root, &members, err));
    list = members_list(&members, "tasks", 0, PAGE_MAX);
    page.tasks = must_alloc(list.count, sizeof *page.tasks);
    page.count = list.count;
    for (size_t i = 0; i < list.count && !members_failed(&members); i++) {
        list_object(&list, i, &part);
        read_task(&part, &page.tasks[i]);
    }
    page.next = members_cursor_or_none(&members, "next");
    TRY(members_end(&members));
    GIVE(ret_page, page);
    return STATUS_OK;
}

char *task_page_encode(const struct task_page *page)
{
    struct writer writer;

    writer_init(&writer);
    write_open(&writer, "tasks", '[');
    for (size_t i = 0; i < page->count; i++) {
        const struct task_entry *task = &page->tasks[i];

        write_open(&writer, NULL, '{');
        write_integer(&writer, "task", task->task);
        write_digest(&writer, "unit", &task->unit);
        write_text(&writer, "name", task->name.text);
        write_text(&writer, "state", task_state_name(task->state));
        write_integer(&writer, "host", task->host);
        write_integer(&writer, "volunteer", task->volunteer);
        write_text_unless_empty(&writer, "volunteer_name", task->volunteer_name);
        write_close(&writer, '}');
    }
    return page_end(&writer, &page->next);
}

/* --- hosts --- */

void host_page_clear(struct host_page *page)
{
    free(page->hosts);
    *page = (struct host_page){0};
}

static void read_host_refused(struct members *host, struct host_entry *entry)
{
    struct members part;

    if (!members_has(host, "refused"))
        return;
    members_object(host, "refused", &part);
    entry->refused = members_refused(&part);
    entry->refused_day = members_count(&part, "day");
    members_end_part(&part);
}

static void read_host(struct members *part, struct host_entry *host)
{
    host->host = members_id(part, "host");
    host->key = members_public_key(part, "key");
    host->volunteer = members_id(part, "volunteer");
    members_copy_text_or_empty(part, "volunteer_name", host->volunteer_name,
                               sizeof host->volunteer_name);
    members_copy_text(part, "platform", host->platform, sizeof host->platform);
    members_copy_text(part, "client", host->client, sizeof host->client);
    host->last_seen_day = members_count(part, "last_seen_day");
    host->running = members_count(part, "running");
    host->agreed = members_count(part, "agreed");
    host->outvoted = members_count(part, "outvoted");
    host->errors = members_count(part, "errors");
    host->credit = members_count(part, "credit");
    read_host_refused(part, host);
}

enum status host_page_decode(const char *body, size_t length, struct host_page *ret_page,
                             struct error *err)
{
    CLEANUP(host_page_clear) struct host_page page = {0};
    json_auto_t *root = NULL;
    struct members members, part;
    struct members_list list;

    TRY(page_begin(body, length, &root, &members, err));
    list = members_list(&members, "hosts", 0, PAGE_MAX);
    page.hosts = must_alloc(list.count, sizeof *page.hosts);
    page.count = list.count;
    for (size_t i = 0; i < list.count && !members_failed(&members); i++) {
        list_object(&list, i, &part);
        read_host(&part, &page.hosts[i]);
    }
    page.next = members_cursor_or_none(&members, "next");
    TRY(members_end(&members));
    GIVE(ret_page, page);
    return STATUS_OK;
}

static void write_host(struct writer *writer, const struct host_entry *host)
{
    write_open(writer, NULL, '{');
    write_integer(writer, "host", host->host);
    write_key(writer, "key", &host->key);
    write_integer(writer, "volunteer", host->volunteer);
    write_text_unless_empty(writer, "volunteer_name", host->volunteer_name);
    write_text(writer, "platform", host->platform);
    write_text(writer, "client", host->client);
    write_integer(writer, "last_seen_day", host->last_seen_day);
    write_integer(writer, "running", host->running);
    write_integer(writer, "agreed", host->agreed);
    write_integer(writer, "outvoted", host->outvoted);
    write_integer(writer, "errors", host->errors);
    write_integer(writer, "credit", host->credit);
    if (host->refused_day != 0) {
        write_open(writer, "refused", '{');
        write_refused(writer, &host->refused);
        write_integer(writer, "day", host->refused_day);
        write_close(writer, '}');
    }
    write_close(writer, '}');
}

char *host_page_encode(const struct host_page *page)
{
    struct writer writer;

    writer_init(&writer);
    write_open(&writer, "hosts", '[');
    for (size_t i = 0; i < page->count; i++)
        write_host(&writer, &page->hosts[i]);
    return page_end(&writer, &page->next);
}
