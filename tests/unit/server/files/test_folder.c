/* server/files/folder: a file is there whole or not at all. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/env/real.h"
#include "server/files/owned.h"
#include "server/files/store.h"
#include "tests/support/ending.h"
#include "tests/support/failing_disk.h"

#define STEPS_MAX 400

static char folder[] = "/tmp/dugnad-files-XXXXXX";
static struct failing_disk disk;
static struct env env;
static char content[200000];

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    failing_disk_init(&disk, disk_real());
    env = *env_real();
    env.disk = &disk.base;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7 + i / 251);
}

static void tear_down(void)
{
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

TestSuite(folder, .init = set_up, .fini = tear_down);

static enum status put(struct file_store *store, const struct digest *expected, size_t length,
                       bool *ret_is_new, struct error *err)
{
    CLEANUP(file_writer_abandonp) struct file_writer *writer = NULL;

    TRY(store->begin(store, sizeof content, &writer, err));
    for (size_t at = 0; at < length; at += 65536)
        TRY(store->add(writer, content + at, length - at < 65536 ? length - at : 65536, err));
    return store->finish(TAKE(writer), expected, ret_is_new, err);
}

static size_t incoming(void)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};

    cr_assert(eq(int, disk_real()->list(disk_real(), "files/incoming", &names, NULL), STATUS_OK));
    return names.count;
}

Test(folder, what_was_put_is_found_by_its_digest)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct digest digest = digest_of(content, sizeof content);
    char back[sizeof content];
    size_t count = 0;
    int64_t size = 0;
    bool is_new = false;

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
    cr_expect(not(file_store_has(store, &digest)));
    cr_assert(eq(int, put(store, &digest, sizeof content, &is_new, NULL), STATUS_OK));
    cr_expect(is_new);
    cr_assert(eq(int, put(store, &digest, sizeof content, &is_new, NULL), STATUS_OK));
    cr_expect(not(is_new));
    cr_expect(eq(int, file_store_verify(store, &digest, NULL), STATUS_OK));
    cr_assert(eq(int, store->open(store, &digest, &file, &size, NULL), STATUS_OK));
    cr_expect(eq(i64, size, sizeof content));
    cr_assert(eq(int, disk.base.read_at(file, 0, back, sizeof back, &count, NULL), STATUS_OK));
    cr_expect(zero(int, memcmp(back, content, sizeof content)));
    cr_expect(eq(sz, incoming(), 0));
    cr_assert(eq(int, store->remove(store, &digest, NULL), STATUS_OK));
    cr_assert(eq(int, store->remove(store, &digest, NULL), STATUS_OK));
    cr_expect(eq(int, store->look(store, &digest, &size, NULL), STATUS_NOT_FOUND));
}

Test(folder, other_bytes_than_announced_are_refused)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    struct digest digest = digest_of("something else", 14);
    struct error err;

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
    cr_expect(eq(int, put(store, &digest, 1000, NULL, &err), STATUS_INVALID));
    cr_expect(eq(str, (char *)err.code, "digest"));
    cr_expect(not(file_store_has(store, &digest)));
    cr_expect(eq(sz, incoming(), 0));
}

Test(folder, a_file_above_its_maximum_is_refused)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    CLEANUP(file_writer_abandonp) struct file_writer *writer = NULL;

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
    cr_assert(eq(int, store->begin(store, 10, &writer, NULL), STATUS_OK));
    cr_expect(eq(int, store->add(writer, content, 10, NULL), STATUS_OK));
    cr_expect(eq(int, store->add(writer, content, 1, NULL), STATUS_TOO_LARGE));
}

/* What comes in at one server is its own, whatever others that share the folder do. */
Test(folder, another_server_that_starts_disturbs_no_file_on_its_way)
{
    CLEANUP(file_store_closep) struct file_store *one = NULL, *two = NULL, *again = NULL;
    struct file_writer *writer = NULL;
    struct digest digest = digest_of(content, 1000);
    struct error err = {0};

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &one, NULL), STATUS_OK));
    cr_assert(eq(int, one->begin(one, 1000, &writer, NULL), STATUS_OK));
    cr_assert(eq(int, one->add(writer, content, 500, NULL), STATUS_OK));
    cr_assert(eq(int, file_store_open_folder(&env, "files", 2, &two, NULL), STATUS_OK));
    cr_assert(eq(int, one->add(writer, content + 500, 500, NULL), STATUS_OK));
    cr_assert(eq(int, one->finish(writer, &digest, NULL, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, file_store_verify(two, &digest, NULL), STATUS_OK));
}

static void leave(const char *name, int64_t changed_s)
{
    const struct timespec times[2] = {{.tv_sec = changed_s}, {.tv_sec = changed_s}};
    struct disk_path path;

    cr_assert(eq(int, disk_join(&path, NULL, "files/incoming/%s", name), STATUS_OK));
    cr_assert(eq(int, disk.base.write(&disk.base, path.text, "x", 1, 0600, NULL), STATUS_OK));
    cr_assert(zero(int, utimensat(AT_FDCWD, path.text, times, 0)));
}

Test(folder, at_its_start_a_server_removes_its_own_leftovers_and_what_is_nobodys)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    int64_t now_s = env.now_s(&env);
    int64_t abandoned_s = now_s - OWNED_ABANDONED_S - 60;

    cr_assert(eq(int, file_store_open_folder(&env, "files", 2, &store, NULL), STATUS_OK));
    file_store_close(TAKE(store));
    leave("01112233445566778899aabbccddeeff", now_s);
    leave("02112233445566778899aabbccddeeff", now_s);
    leave("02212233445566778899aabbccddeeff", abandoned_s);
    leave("stray", now_s);
    leave("old-stray", abandoned_s);
    cr_assert(eq(int, file_store_open_folder(&env, "files", 2, &store, NULL), STATUS_OK));
    cr_expect(not(disk_has(&disk.base, "files/incoming/01112233445566778899aabbccddeeff")));
    cr_expect(disk_has(&disk.base, "files/incoming/02112233445566778899aabbccddeeff"));
    cr_expect(not(disk_has(&disk.base, "files/incoming/02212233445566778899aabbccddeeff")));
    cr_expect(disk_has(&disk.base, "files/incoming/stray"));
    cr_expect(not(disk_has(&disk.base, "files/incoming/old-stray")));
}

/* At each step that changes the disk in turn: what was acknowledged is whole, nothing is half. */
Test(folder, a_power_cut_at_any_step_leaves_nothing_or_the_whole_file)
{
    struct digest digest = digest_of(content, sizeof content);
    bool had_failed = true;
    int steps;

    for (steps = 0; had_failed && steps < STEPS_MAX; steps++) {
        CLEANUP(file_store_closep) struct file_store *store = NULL;
        CLEANUP(file_store_closep) struct file_store *after = NULL;
        enum status status;

        cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
        cr_assert(eq(int, store->remove(store, &digest, NULL), STATUS_OK));
        failing_disk_arm(&disk, FAILING_POWER, steps);
        status = put(store, &digest, sizeof content, NULL, NULL);
        had_failed = failing_disk_repair(&disk);
        cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &after, NULL), STATUS_OK));
        cr_expect(eq(sz, incoming(), 0), "after step %d", steps);
        if (status == STATUS_OK || file_store_has(after, &digest))
            cr_expect(eq(int, file_store_verify(after, &digest, NULL), STATUS_OK), "step %d",
                      steps);
        cr_expect(had_failed || status == STATUS_OK);
    }
    cr_expect(lt(int, 5, steps));
    cr_expect(not(had_failed));
}

Test(folder, a_full_disk_is_said_and_leaves_nothing)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    struct digest digest = digest_of(content, sizeof content);
    bool had_failed = true;

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
    for (int steps = 0; had_failed && steps < STEPS_MAX; steps++) {
        enum status status;

        failing_disk_arm(&disk, FAILING_ROOM, steps);
        status = put(store, &digest, sizeof content, NULL, NULL);
        had_failed = failing_disk_repair(&disk);
        cr_expect(eq(int, status, had_failed ? STATUS_FULL : STATUS_OK));
        cr_expect(eq(int, file_store_has(store, &digest), !had_failed));
        cr_expect(eq(sz, incoming(), 0));
    }
    cr_expect(not(had_failed));
}

struct seen {
    int files;
    int strangers;
};

static enum status count_entry(void *context, const struct file_entry *entry, struct error *err)
{
    struct seen *seen = context;

    (void)err;
    seen->files += !digest_is_none(&entry->digest);
    seen->strangers += digest_is_none(&entry->digest);
    return STATUS_OK;
}

Test(folder, walking_tells_files_from_strangers)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;
    struct seen seen = {0};
    struct file_visitor visitor = {.visit = count_entry, .context = &seen};

    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &store, NULL), STATUS_OK));
    for (size_t length = 1; length <= 20; length++) {
        struct digest digest = digest_of(content, length);

        cr_assert(eq(int, put(store, &digest, length, NULL, NULL), STATUS_OK));
    }
    cr_assert(
        eq(int, disk.base.write(&disk.base, "files/00/notes.txt", "?", 1, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, file_store_walk(store, &visitor, NULL), STATUS_OK));
    cr_expect(eq(int, seen.files, 20));
    cr_expect(eq(int, seen.strangers, 1));
}
