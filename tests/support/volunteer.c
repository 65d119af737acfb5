#include "tests/support/volunteer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/control/verbs.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/env/real.h"

#define STEPS_MAX 200000 /* of one volunteer_live(): more is a loop without end */
#define LOOK_MS   1000   /* between two looks at what is slow on its way */

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

void volunteer_init(struct volunteer *it, size_t units)
{
    log_init(NULL, LOG_ERROR, 2);
    /* Memory, where there is some: thousands of syncs. */
    *it = (struct volunteer){.path = "/dev/shm/dugnad-volunteer-XXXXXX"};
    if (mkdtemp(it->path) == NULL) {
        (void)text_fit(it->path, sizeof it->path, "/tmp/dugnad-volunteer-XXXXXX");
        MUST(mkdtemp(it->path) != NULL);
    }
    fake_env_init(&it->env, 42);
    failing_disk_init(&it->disk, disk_real());
    failing_disk_arm(&it->disk, FAILING_POWER, -1);
    it->disk.told =
        (struct disk_space){.total_bytes = INT64_C(1) << 40, .free_bytes = INT64_C(1) << 39};
    it->env.base.disk = &it->disk.base;
    it->env.now_s = SAMPLE_NOW_S;
    fake_launcher_init(&it->launcher, &it->env.base);
    fake_site_init(&it->site, units);
    it->site.clock_ms = &it->env.now_mono_ms;
    it->site.clock_begun_ms = it->env.now_mono_ms;
    client_config_init(&it->config);
    MUST(volunteer_start(it));
    volunteer_attach(it);
}

void volunteer_clear(struct volunteer *it)
{
    volunteer_stop(it);
    fake_site_clear(&it->site);
    MUST(disk_real()->remove_tree(disk_real(), it->path, NULL) == STATUS_OK);
}

bool volunteer_start(struct volunteer *it)
{
    struct daemon_parts parts = {.folder = &it->folder,
                                 .http = &it->site.net.base,
                                 .launcher = &it->launcher.base,
                                 .config = &it->config,
                                 .platform = "x86_64-linux-gnu",
                                 .client = "a test"};

    if (data_folder_open(&it->env.base, it->path, &it->folder, NULL) != STATUS_OK)
        return false;
    if (daemon_open(&parts, &it->daemon, NULL) == STATUS_OK)
        return true;
    data_folder_close(&it->folder);
    return false;
}

void volunteer_stop(struct volunteer *it)
{
    if (it->daemon == NULL)
        return;
    daemon_close(it->daemon);
    it->daemon = NULL;
    MUST(it->launcher.alive == 0 && it->site.net.open == 0 && it->site.net.slow == 0);
    data_folder_close(&it->folder);
}

void volunteer_end(struct volunteer *it)
{
    MUST(it->site.broken[0] == '\0');
    volunteer_clear(it);
    MUST(it->launcher.alive == 0 && it->site.net.open == 0);
}

void volunteer_restart(struct volunteer *it)
{
    volunteer_stop(it);
    MUST(volunteer_start(it));
}

void volunteer_attach(struct volunteer *it)
{
    struct project_record record = {.project = it->site.sample.project,
                                    .url = FAKE_SITE_URL,
                                    .name = "A sample",
                                    .native_allowed = true,
                                    .attached_s = SAMPLE_NOW_S};
    struct trust trust;
    json_t *request, *answer;

    sample_trust(&it->site.sample, &trust);
    request = verb_attach(&record, &trust);
    answer = daemon_answer(it->daemon, request);
    MUST(json_is_true(json_object_get(answer, "ok")));
    json_decref(request);
    json_decref(answer);
    trust_clear(&trust);
}

static void live(struct volunteer *it, int64_t ms)
{
    int64_t until = it->env.now_mono_ms + ms;

    for (int i = 0; i < STEPS_MAX; i++) {
        int64_t wake = daemon_step(it->daemon);
        int64_t now = it->env.now_mono_ms;

        /* What the network brought is there at once: step again before time passes. */
        if (it->site.net.open > 0)
            continue;
        if (it->site.net.slow > 0 && wake > now + LOOK_MS)
            wake = now + LOOK_MS;
        if (wake > until) {
            fake_env_pass(&it->env, until - now);
            return;
        }
        fake_env_pass(&it->env, wake > now ? wake - now : 0);
        if (it->env.now_mono_ms >= until)
            return;
    }
    abort();
}

void volunteer_live(struct volunteer *it, int64_t ms)
{
    live(it, ms);
    if (it->site.broken[0] == '\0')
        return;
    (void)fprintf(stderr, "the client broke its word: %s\n", it->site.broken);
    abort();
}

json_t *volunteer_ask(struct volunteer *it, const char *verb)
{
    json_t *request = verb_plain(verb);
    json_t *answer = daemon_answer(it->daemon, request);

    json_decref(request);
    return answer;
}

static json_t *first_project(json_t *status)
{
    json_t *project = json_array_get(json_object_get(status, "projects"), 0);

    MUST(project != NULL);
    return project;
}

const char *volunteer_text(struct volunteer *it, const char *member)
{
    static char text[1024];
    json_t *status = volunteer_ask(it, "status");
    const char *value = json_string_value(json_object_get(first_project(status), member));

    (void)text_fit(text, sizeof text, value != NULL ? value : "(none)");
    json_decref(status);
    return text;
}

int64_t volunteer_number(struct volunteer *it, const char *member)
{
    json_t *status = volunteer_ask(it, "status");
    int64_t value = json_integer_value(json_object_get(first_project(status), member));

    json_decref(status);
    return value;
}

int64_t volunteer_tally(struct volunteer *it, const char *member)
{
    json_t *status = volunteer_ask(it, "status");
    json_t *tally = json_object_get(first_project(status), "tally");
    int64_t value = json_integer_value(json_object_get(tally, member));

    json_decref(status);
    return value;
}

size_t volunteer_phase(struct volunteer *it, const char *phase)
{
    json_t *status = volunteer_ask(it, "status"), *task;
    size_t count = 0, i;

    json_array_foreach(json_object_get(first_project(status), "tasks"), i, task)
    {
        const char *is = json_string_value(json_object_get(task, "phase"));

        count += is != NULL && strcmp(is, phase) == 0 ? 1 : 0;
    }
    json_decref(status);
    return count;
}
