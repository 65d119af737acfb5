/* The verbs `status`, `pause` and `resume`. */
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/control/verbs.h"

static long long number(json_t *it, const char *name)
{
    return (long long)json_integer_value(json_object_get(it, name));
}

static const char *text(json_t *it, const char *name)
{
    const char *value = json_string_value(json_object_get(it, name));

    return value != NULL ? value : "";
}

struct phase_count {
    const char *words;
    const char *phases[4];
};

static void print_counts(json_t *tasks)
{
    static const struct phase_count counts[] = {
        {"computing", {"running", "collecting"}},
        {"waiting", {"offered", "fetching", "ready"}},
        {"finished", {"finished"}},
        {"reported", {"reported"}},
        {"kept", {"stored"}},
    };
    json_t *task;
    size_t i;

    (void)printf("  tasks:   ");
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int count = 0;

        json_array_foreach(tasks, i, task)
        {
            for (size_t p = 0; p < 4 && counts[c].phases[p] != NULL; p++)
                count += strcmp(text(task, "phase"), counts[c].phases[p]) == 0 ? 1 : 0;
        }
        (void)printf("%s%d %s", c > 0 ? ", " : "", count, counts[c].words);
    }
    (void)printf("\n");
}

/* "42 % done, ", where the program says so. */
static void print_progress(json_t *task)
{
    if (number(task, "progress_permille") > 0)
        (void)printf("%lld %% done, ", number(task, "progress_permille") / 10);
}

static void print_one_running(json_t *task)
{
    (void)printf("    task %lld  %s  ", number(task, "task"), text(task, "name"));
    print_progress(task);
    (void)printf("%lld s of processor, %lld MiB\n", number(task, "cpu_ms") / 1000,
                 number(task, "memory_bytes") / (1024 * 1024));
}

static void print_running(json_t *tasks)
{
    json_t *task;
    size_t i;

    json_array_foreach(tasks, i, task)
    {
        if (strcmp(text(task, "phase"), "running") == 0)
            print_one_running(task);
        else if (strcmp(text(task, "outcome"), "refused") == 0 ||
                 strcmp(text(task, "outcome"), "error") == 0 ||
                 strcmp(text(task, "outcome"), "abandoned") == 0)
            (void)printf("    task %lld  %s: %s\n", number(task, "task"), text(task, "outcome"),
                         text(task, "why"));
    }
}

static void print_project(json_t *it)
{
    json_t *tally = json_object_get(it, "tally"), *tasks = json_object_get(it, "tasks");

    (void)printf("%s  %s\n", text(it, "name"), text(it, "url"));
    if (text(it, "place_why")[0] != '\0')
        (void)printf("  place:   %s\n", text(it, "place_why"));
    if (number(it, "host") > 0)
        (void)printf("  host:    %lld of volunteer %lld, %lld visits\n", number(it, "host"),
                     number(it, "volunteer"), number(it, "visits"));
    print_counts(tasks);
    print_running(tasks);
    (void)printf("  results: %lld accepted, %lld outvoted, %lld inconclusive, %lld failed; credit "
                 "%lld\n",
                 number(tally, "accepted"), number(tally, "outvoted"),
                 number(tally, "inconclusive"),
                 number(tally, "errors") + number(tally, "unit_failed"), number(tally, "credit"));
    if (strcmp(text(it, "leaving"), "finish") == 0)
        (void)printf("  leaving: as soon as what was started is done and reported\n");
    else if (text(it, "leaving")[0] != '\0')
        (void)printf("  leaving: as soon as the server was told\n");
    if (text(it, "clock_why")[0] != '\0')
        (void)printf("  clock:   %s; set it right\n", text(it, "clock_why"));
    if (text(it, "why_idle")[0] != '\0')
        (void)printf("  note:    %s\n", text(it, "why_idle"));
    if (json_object_get(it, "asks_again_s") != NULL)
        (void)printf("  next:    asks the server again in %lld s\n", number(it, "asks_again_s"));
}

static void print_disk(json_t *it)
{
    const long long mebibyte = 1024 * 1024;

    if (it != NULL)
        (void)printf("Disk: %lld MiB of results and %lld MiB for running tasks, of %lld MiB; cache "
                     "%lld MiB; %lld MiB free\n",
                     (number(it, "finished_bytes") + number(it, "kept_bytes")) / mebibyte,
                     number(it, "running_bytes") / mebibyte, number(it, "may_use_bytes") / mebibyte,
                     number(it, "cache_bytes") / mebibyte, number(it, "free_bytes") / mebibyte);
}

static void print_unloaded(json_t *projects)
{
    json_t *it;
    size_t i;

    json_array_foreach(projects, i, it)
    {
        (void)printf(
            "%s\n  not loaded: %s\n  It is tried again each minute; nothing of it is given "
            "up.\n",
            text(it, "project"), text(it, "why"));
    }
}

static void print_status(json_t *answer)
{
    json_t *projects = json_object_get(answer, "projects"), *it;
    size_t i;

    if (!json_is_true(json_object_get(answer, "is_running")))
        (void)printf(
            "The daemon does not run; this is what it left. Start it: dugnad-client run\n");
    if (json_is_true(json_object_get(answer, "is_paused")))
        (void)printf("Paused. Go on with: dugnad-client resume\n");
    if (text(answer, "trouble")[0] != '\0')
        (void)printf("Trouble: %s\n", text(answer, "trouble"));
    print_disk(json_object_get(answer, "disk"));
    print_unloaded(json_object_get(answer, "not_loaded"));
    if (json_array_size(projects) + json_array_size(json_object_get(answer, "not_loaded")) == 0)
        (void)printf("No project is attached. Take part: dugnad-client attach URL#ID\n");
    json_array_foreach(projects, i, it)
    {
        print_project(it);
    }
}

static int run_status(void *context, const struct options *options)
{
    json_auto_t *request = verb_plain("status");
    json_auto_t *answer = NULL;
    struct error err = {0};

    if (ask(context, options, request, &answer, &err) != STATUS_OK || !answer_is_ok(answer, &err))
        return fail(&err);
    if (!options_has(options, "json")) {
        print_status(answer);
        return OPTIONS_EXIT_OK;
    }
    if (json_dumpf(answer, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        return EXIT_FAILED;
    return OPTIONS_EXIT_OK;
}

static const struct option_rule status_options[] = {
    {.name = "json", .help = "For programs: one line of JSON."},
};

const struct command command_status = {
    .name = "status",
    .summary = "Show projects, tasks, results, and why nothing is computed",
    .options = status_options,
    .option_count = sizeof status_options / sizeof *status_options,
    .run = run_status,
};

/* --- pause, resume --- */

static int ask_and_say(struct client_world *world, const struct options *options, json_t *request,
                       const char *words)
{
    json_auto_t *answer = NULL;
    struct error err = {0};

    if (ask(world, options, request, &answer, &err) != STATUS_OK || !answer_is_ok(answer, &err))
        return fail(&err);
    return puts(words) == EOF ? EXIT_FAILED : OPTIONS_EXIT_OK;
}

static int run_pause(void *context, const struct options *options)
{
    json_auto_t *request = verb_plain("pause");

    return ask_and_say(context, options, request, "Paused: nothing is computed or asked for.");
}

const struct command command_pause = {
    .name = "pause",
    .summary = "Compute nothing until resumed, also after a restart",
    .description = "Running tasks stand still; finished ones are still reported.",
    .run = run_pause,
};

static int run_resume(void *context, const struct options *options)
{
    json_auto_t *request = verb_plain("resume");

    return ask_and_say(context, options, request, "Resumed.");
}

const struct command command_resume = {
    .name = "resume",
    .summary = "Go on after a pause",
    .run = run_resume,
};
