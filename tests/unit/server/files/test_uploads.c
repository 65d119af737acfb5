/* server/files/uploads: what came of an upload is kept, and only the reported bytes get in. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/env/real.h"
#include "server/files/store.h"
#include "server/files/uploads.h"
#include "tests/support/ending.h"
#include "tests/support/failing_disk.h"

static char folder[] = "/tmp/dugnad-uploads-XXXXXX";
static struct failing_disk disk;
static struct env env;
static int64_t time_s = 1000000;
static struct file_store *files;
static struct uploads *uploads;
static const struct upload_limits limits = {.server = 1, .per_host = 3, .in_all = 5, .keep_s = 100};
static char content[100000];

static int64_t now_s(struct env *of)
{
    (void)of;
    return time_s;
}

static void open_all(void)
{
    cr_assert(eq(int, file_store_open_folder(&env, "files", 1, &files, NULL), STATUS_OK));
    cr_assert(eq(int, uploads_open(&env, "uploads", files, &limits, &uploads, NULL), STATUS_OK));
}

static void close_all(void)
{
    uploads_free(uploads);
    file_store_close(files);
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    failing_disk_init(&disk, disk_real());
    env = *env_real();
    env.disk = &disk.base;
    env.now_s = now_s;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 11 + i / 253);
    open_all();
}

static void tear_down(void)
{
    close_all();
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

TestSuite(uploads, .init = set_up, .fini = tear_down);

static struct upload wish(int64_t host, int64_t task, size_t length)
{
    struct upload upload = {.host = host,
                            .task = task,
                            .length = (int64_t)length,
                            .digest = digest_of(content, length)};

    (void)text_fit(upload.name, sizeof upload.name, "out");
    return upload;
}

static struct upload create(int64_t host, int64_t task, size_t length)
{
    struct upload wanted = wish(host, task, length);
    struct upload upload = {0};

    cr_assert(eq(int, uploads_create(uploads, &wanted, &upload, NULL), STATUS_OK));
    return upload;
}

static struct upload_writer *write_to(const struct upload *upload, size_t from, size_t to)
{
    struct upload_writer *writer = NULL;

    cr_assert(eq(int,
                 uploads_write(uploads, upload->id, upload->host, (int64_t)from, &writer, NULL),
                 STATUS_OK));
    cr_assert(eq(int, upload_writer_add(writer, content + from, to - from, NULL), STATUS_OK));
    return writer;
}

Test(uploads, one_in_pieces_and_over_a_restart_becomes_a_file)
{
    struct upload upload = create(1, 7, sizeof content);

    cr_assert(eq(int, upload_writer_pause(write_to(&upload, 0, 1000), NULL), STATUS_OK));
    cr_assert(eq(int, upload_writer_pause(write_to(&upload, 1000, 5000), NULL), STATUS_OK));
    close_all();
    open_all();
    cr_assert(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_OK));
    cr_expect(eq(i64, upload.offset, 5000));
    cr_expect(eq(i64, upload.task, 7));
    cr_assert(
        eq(int, upload_writer_finish(write_to(&upload, 5000, sizeof content), NULL), STATUS_OK));
    cr_expect(eq(int, file_store_verify(files, &upload.digest, NULL), STATUS_OK));
    uploads_done(uploads, upload.id, true);
    cr_assert(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_OK));
    cr_expect(upload.is_done);
    cr_expect(eq(i64, upload.offset, sizeof content));
}

Test(uploads, other_bytes_than_reported_are_refused_and_gone)
{
    struct upload upload = create(1, 7, 1000);
    struct upload_writer *writer = write_to(&upload, 0, 999);
    struct error err;

    cr_assert(eq(int, upload_writer_add(writer, "x", 1, NULL), STATUS_OK));
    cr_expect(eq(int, upload_writer_finish(writer, &err), STATUS_CONFLICT));
    cr_expect(eq(str, (char *)err.code, "digest"));
    cr_expect(not(file_store_has(files, &upload.digest)));
    cr_expect(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_NOT_FOUND));
}

Test(uploads, an_upload_is_its_hosts_alone)
{
    struct upload upload = create(1, 7, 1000);
    struct upload_writer *writer = NULL;

    cr_expect(eq(int, uploads_look(uploads, upload.id, 2, &upload, NULL), STATUS_NOT_FOUND));
    cr_expect(eq(int, uploads_write(uploads, upload.id, 2, 0, &writer, NULL), STATUS_NOT_FOUND));
    cr_expect(eq(int, uploads_remove(uploads, upload.id, 2, NULL), STATUS_NOT_FOUND));
    cr_expect(eq(int, uploads_remove(uploads, upload.id, 1, NULL), STATUS_OK));
    cr_expect(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_NOT_FOUND));
}

Test(uploads, only_one_writes_and_only_at_the_end)
{
    struct upload upload = create(1, 7, 1000);
    struct upload_writer *writer = write_to(&upload, 0, 500);
    struct upload_writer *second = NULL;

    cr_expect(eq(int, uploads_write(uploads, upload.id, 1, 500, &second, NULL), STATUS_BUSY));
    cr_expect(eq(int, uploads_remove(uploads, upload.id, 1, NULL), STATUS_BUSY));
    cr_expect(eq(int, upload_writer_add(writer, content, 501, NULL), STATUS_TOO_LARGE));
    cr_assert(eq(int, upload_writer_pause(writer, NULL), STATUS_OK));
    cr_expect(eq(int, uploads_write(uploads, upload.id, 1, 499, &second, NULL), STATUS_CONFLICT));
    cr_expect(eq(int, uploads_write(uploads, upload.id, 1, 501, &second, NULL), STATUS_CONFLICT));
}

Test(uploads, their_number_is_bounded_for_a_host_and_in_all)
{
    struct upload wanted = wish(1, 9, 10);
    struct upload upload;

    for (int64_t task = 1; task <= 3; task++)
        (void)create(1, task, 10);
    cr_expect(eq(int, uploads_create(uploads, &wanted, &upload, NULL), STATUS_LIMITED));
    (void)create(1, 3, 10); /* in place of the older one */
    (void)create(2, 1, 10);
    (void)create(2, 2, 10);
    wanted = wish(2, 3, 10);
    cr_expect(eq(int, uploads_create(uploads, &wanted, &upload, NULL), STATUS_LIMITED));
}

Test(uploads, they_expire_when_nobody_touches_them)
{
    struct upload upload = create(1, 7, 1000);

    time_s += 100;
    uploads_expire(uploads);
    cr_assert(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_OK));
    time_s += 1;
    uploads_expire(uploads);
    cr_expect(eq(int, uploads_look(uploads, upload.id, 1, &upload, NULL), STATUS_NOT_FOUND));
}

Test(uploads, leftovers_of_a_crash_are_removed_at_the_start)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    static const char *const leftovers[] = {
        "uploads/00112233445566778899aabbccddeeff.json",
        "uploads/00112233445566778899aabbccddee00.part",
        "uploads/00112233445566778899aabbccddee01.json.new",
        "uploads/80112233445566778899aabbccddee00.part",
        "uploads/something",
    };

    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++)
        cr_assert(
            eq(int, disk.base.write(&disk.base, leftovers[i], "{}", 2, 0600, NULL), STATUS_OK));
    for (size_t i = 3; i < sizeof leftovers / sizeof *leftovers; i++)
        cr_assert(zero(int, utimensat(AT_FDCWD, leftovers[i], long_ago, 0)),
                  "nobody's by its name");
    (void)create(1, 7, 1000);
    close_all();
    open_all();
    cr_assert(eq(int, disk.base.list(&disk.base, "uploads", &names, NULL), STATUS_OK));
    cr_expect(eq(sz, names.count, 2));
}

/* Two that share a folder: what is begun at one, or half made, is nothing to the other. */
Test(uploads, another_server_that_starts_disturbs_no_upload)
{
    static const char half_made[] = "uploads/00112233445566778899aabbccddee00.part";
    const struct upload_limits of_two = {.server = 2, .per_host = 3, .in_all = 5, .keep_s = 100};
    CLEANUP(uploads_freep) struct uploads *two = NULL;
    struct upload upload = create(1, 7, 1000), seen;
    struct error err = {0};

    cr_assert(eq(int, disk.base.write(&disk.base, half_made, "", 0, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, uploads_open(&env, "uploads", files, &of_two, &two, NULL), STATUS_OK));
    cr_expect(disk_has(&disk.base, half_made));
    cr_expect(eq(int, uploads_look(two, upload.id, 1, &seen, NULL), STATUS_NOT_FOUND));
    time_s += of_two.keep_s + 1;
    uploads_expire(two);
    cr_assert(eq(int, upload_writer_finish(write_to(&upload, 0, 1000), &err), STATUS_OK), "%s",
              err.text);
    cr_expect(eq(int, file_store_verify(files, &upload.digest, NULL), STATUS_OK));
}

/* Each step fails in turn; after the restart the upload can be gone on with, or begun anew. */
Test(uploads, a_power_cut_at_any_step_keeps_what_was_acknowledged)
{
    bool had_failed = true;
    int steps;

    for (steps = 0; had_failed && steps < 100; steps++) {
        struct upload wanted = wish(1, 7, 2000);
        struct upload upload = {0};
        struct upload_writer *writer = NULL;
        enum status paused = STATUS_BUSY;
        enum status finished = STATUS_BUSY;

        (void)files->remove(files, &wanted.digest, NULL);
        failing_disk_arm(&disk, FAILING_POWER, steps);
        if (uploads_create(uploads, &wanted, &upload, NULL) == STATUS_OK &&
            uploads_write(uploads, upload.id, 1, 0, &writer, NULL) == STATUS_OK) {
            (void)upload_writer_add(writer, content, 1000, NULL);
            paused = upload_writer_pause(writer, NULL);
        }
        if (paused == STATUS_OK &&
            uploads_write(uploads, upload.id, 1, 1000, &writer, NULL) == STATUS_OK) {
            if (upload_writer_add(writer, content + 1000, 1000, NULL) == STATUS_OK)
                finished = upload_writer_finish(writer, NULL);
            else
                (void)upload_writer_pause(writer, NULL);
        }
        had_failed = failing_disk_repair(&disk);
        close_all();
        open_all();
        if (file_store_has(files, &wanted.digest))
            cr_expect(eq(int, file_store_verify(files, &wanted.digest, NULL), STATUS_OK));
        else
            cr_expect(ne(int, finished, STATUS_OK), "step %d", steps);
        if (uploads_look(uploads, upload.id, 1, &upload, NULL) == STATUS_OK)
            cr_expect(ge(i64, upload.offset, paused == STATUS_OK ? 1000 : 0), "step %d", steps);
        else
            cr_expect(paused != STATUS_OK || file_store_has(files, &wanted.digest), "step %d",
                      steps);
        (void)uploads_remove(uploads, upload.id, 1, NULL);
    }
    cr_expect(lt(int, 8, steps));
    cr_expect(not(had_failed));
}

static enum status (*write_on)(struct disk *, const char *, const void *, size_t, unsigned,
                               struct error *);
static int asked;

/* What a net thread does while another request's files are synced. */
static enum status write_and_ask(struct disk *self, const char *path, const void *bytes,
                                 size_t length, unsigned mode, struct error *err)
{
    struct upload found;

    asked++;
    cr_expect(eq(int, uploads_look(uploads, "00", 7, &found, NULL), STATUS_NOT_FOUND));
    return write_on(self, path, bytes, length, mode, err);
}

/* Regression: the mutex was held over two syncs, and HEAD waited on a net thread. */
Test(uploads, nobody_waits_while_the_files_of_a_new_one_are_synced, .timeout = 20)
{
    struct upload wish = {.host = 7, .task = 1, .length = 10, .name = "out"};
    struct upload made = {0};

    write_on = disk.base.write;
    disk.base.write = write_and_ask;
    cr_assert(eq(int, uploads_create(uploads, &wish, &made, NULL), STATUS_OK));
    cr_expect(lt(int, 1, asked));
    cr_expect(eq(int, uploads_look(uploads, made.id, 7, &made, NULL), STATUS_OK));
}
