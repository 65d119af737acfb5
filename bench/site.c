#include "bench/site.h"

#include <inttypes.h>
#include <string.h>

#include "bench/world/child.h"
#include "common/base/env.h"
#include "common/base/text.h"

#define ARGUMENTS_MAX   24
#define START_PATIENT_S 60
#define STOP_PATIENT_MS 60000
#define ANSWER_MAX      (1024 * 1024)
#define LOG_MAX         (16 * 1024 * 1024)

/*
 * What keeps one peer from wasting a server would keep us from measuring it: every budget at its
 * largest. Nothing else differs from a new site.
 */
static const char settings[] = "\nenrolments_per_hour = 1000000\n"
                               "accounts_per_hour = 1000000\n"
                               "challenges_per_minute = 1000000\n"
                               "strangers_per_minute = 1000000\n"
                               "visits_per_minute = 1000000\n"
                               "requests_per_minute = 1000000\n"
                               "min_return = 1s\n"
                               "issue_floor_percent = 0\nissue_floor = 64M\n"
                               "upload_floor_percent = 0\nupload_floor = 64M\n"
                               "log_level = warn\n";

/* The last line that a program of ours left in the log, as detail of its failure. */
static void tell_log(const struct bench *bench, const struct bench_site *site, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer log = {.max = LOG_MAX};
    const char *text, *last;

    if (bench->env->disk->read(bench->env->disk, site->log.text, &log, NULL) != STATUS_OK)
        return;
    text = buffer_text(&log);
    while (log.length > 0 && log.bytes[log.length - 1] == '\n')
        log.bytes[--log.length] = '\0';
    last = strrchr(text, '\n');
    error_detail(err, "%s", last != NULL ? last + 1 : text);
}

enum status bench_site_run(const struct bench *bench, const struct bench_site *site,
                           const char *const *argv, const char *out, struct error *err)
{
    char path[512];
    const char *words[ARGUMENTS_MAX] = {path};
    enum status status;
    pid_t pid;

    TRY(child_path(argv[0], path, sizeof path, err));
    for (size_t i = 1; argv[i] != NULL && i + 1 < ARGUMENTS_MAX; i++)
        words[i] = argv[i];
    TRY(child_start(words, site->log.text, out, &pid, err));
    status = child_wait(pid, argv[0], err);
    if (status != STATUS_OK)
        tell_log(bench, site, err);
    return status;
}

static enum status make_folder(const struct bench *bench, const char *parent,
                               struct bench_site *site, struct error *err)
{
    struct env *env = bench->env;
    uint8_t bytes[6];
    char name[2 * sizeof bytes + 1];
    struct disk_path folder;

    env->random(env, bytes, sizeof bytes);
    text_from_bytes(bytes, sizeof bytes, name);
    TRY(disk_join(&folder, err, "%s/dugnad-bench-%s", parent, name));
    if (strlen(folder.text) >= sizeof site->folder)
        return error_set(err, STATUS_TOO_LARGE, "the --folder's path is too long");
    TRY(env->disk->make_folder(env->disk, folder.text, 0700, err));
    (void)text_fit(site->folder, sizeof site->folder, folder.text);
    TRY(disk_join(&site->site, err, "%s/site", site->folder));
    TRY(disk_join(&site->ca, err, "%s/site/tls/ca.pem", site->folder));
    TRY(disk_join(&site->crew, err, "%s/crew", site->folder));
    return disk_join(&site->log, err, "%s/log", site->folder);
}

static enum status configure(const struct bench *bench, const struct bench_site *site,
                             struct error *err)
{
    struct disk *disk = bench->env->disk;
    CLEANUP(buffer_clear) struct buffer text = {.max = 65536};
    struct disk_path path;

    TRY(disk_join(&path, err, "%s/site.conf", site->site.text));
    TRY(disk->read(disk, path.text, &text, err));
    TRY(buffer_append_text(&text, settings, err));
    return disk->write(disk, path.text, buffer_text(&text), text.length, 0600, err);
}

static enum status init(const struct bench *bench, const struct plan *plan, struct bench_site *site,
                        struct error *err)
{
    const char *address = site->url + strlen("https://");
    const char *const argv[] = {"dugnad-server",
                                "init",
                                site->site.text,
                                "--name",
                                "bench",
                                "--url",
                                site->url,
                                "--listen",
                                address,
                                "--yes",
                                plan->database != NULL ? "--database" : NULL,
                                plan->database,
                                NULL};

    TRY(bench_site_run(bench, site, argv, NULL, err));
    return configure(bench, site, err);
}

static enum status fill(const struct bench *bench, const struct plan *plan,
                        const struct bench_site *site, struct error *err)
{
    char hosts[24], units[24], bytes[24];
    const char *const argv[] = {"dugnad-bench-server",
                                "seed",
                                site->site.text,
                                "--crew",
                                site->crew.text,
                                "--hosts",
                                hosts,
                                "--units",
                                units,
                                "--output-bytes",
                                bytes,
                                NULL};

    (void)snprintf(hosts, sizeof hosts, "%" PRId64, plan->hosts);
    (void)snprintf(units, sizeof units, "%" PRId64, plan->units);
    (void)snprintf(bytes, sizeof bytes, "%" PRId64, plan->output_bytes);
    bench_say(bench, "seeding %s units and %s hosts …", units, hosts);
    return bench_site_run(bench, site, argv, NULL, err);
}

static enum status wait_for_answer(const struct bench *bench, const struct bench_site *site,
                                   const char *path, struct error *err)
{
    struct opponent opponent = {.url = site->url, .ca = site->ca.text};
    int64_t end_ms = bench->env->now_mono_ms(bench->env) + START_PATIENT_S * 1000;
    int code;

    while (bench->env->now_mono_ms(bench->env) < end_ms && !bench_is_interrupted(bench)) {
        CLEANUP(buffer_clear) struct buffer body = {.max = ANSWER_MAX};

        if (bench_get(bench, &opponent, path, &body, err) == STATUS_OK)
            return STATUS_OK;
        if (child_has_ended(site->server, &code))
            return error_set(err, STATUS_UNREACHABLE, "the server ended with %d; see %.100s", code,
                             site->log.text);
        bench->env->sleep_ms(bench->env, 50);
    }
    return error_set(err, STATUS_UNREACHABLE, "the server does not answer; see %.150s",
                     site->log.text);
}

enum status bench_site_serve(const struct bench *bench, struct bench_site *site,
                             const char *const *argv, const char *path, struct error *err)
{
    char program[512];
    const char *words[ARGUMENTS_MAX] = {program};

    TRY(child_path(argv[0], program, sizeof program, err));
    for (size_t i = 1; argv[i] != NULL && i + 1 < ARGUMENTS_MAX; i++)
        words[i] = argv[i];
    TRY(child_start(words, site->log.text, NULL, &site->server, err));
    return wait_for_answer(bench, site, path, err);
}

enum status bench_site_open(const struct bench *bench, const struct plan *plan,
                            struct bench_site *ret_site, struct error *err)
{
    const char *const argv[] = {"dugnad-server", "run", ret_site->site.text, NULL};
    int port;

    *ret_site = (struct bench_site){0};
    TRY(make_folder(bench, plan->folder, ret_site, err));
    TRY(child_free_port(&port, err));
    (void)snprintf(ret_site->url, sizeof ret_site->url, "https://127.0.0.1:%d", port);
    TRY(init(bench, plan, ret_site, err));
    TRY(fill(bench, plan, ret_site, err));
    return bench_site_serve(bench, ret_site, argv, "/healthz", err);
}

void bench_site_stop(struct bench_site *site)
{
    if (site->server != 0)
        child_stop(site->server, STOP_PATIENT_MS);
    site->server = 0;
}

void bench_site_close(const struct bench *bench, struct bench_site *site, bool is_kept)
{
    bench_site_stop(site);
    if (*site->folder == '\0')
        return;
    if (is_kept)
        bench_say(bench, "kept: %s", site->folder);
    else
        (void)bench->env->disk->remove_tree(bench->env->disk, site->folder, NULL);
    *site->folder = '\0';
}
