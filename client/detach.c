/*
 * The verb `detach`: the last visit is the daemon's (client/daemon/leave.h); here it is begun,
 * waited for, and said what it left behind.
 */
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/control/verbs.h"
#include "common/base/text.h"

#define WAIT_S  60 /* by default */
#define LOOK_MS 200

/* What the server has not been told of one project, or does not have. */
struct behind {
    bool is_attached;
    bool is_stopped;
    bool is_paused;     /* the daemon: what is unfinished does not run */
    int64_t unfinished; /* copies that still run */
    int64_t handed;     /* handed back or failed, and not reported */
    int64_t results;    /* done, and not reported; or reported, with outputs that were asked for */
    int64_t kept;       /* reported by digest alone, when it was left */
    char why[256];      /* the server could not be told so far; "": no failure */
};

struct leave {
    struct client_world *world;
    const struct options *options;
    struct detach_order order;
    bool gives_up; /* --yes */
    char id[DIGEST_CHARS + 1];
    struct behind behind;
};

static const char *text_of(json_t *it, const char *name)
{
    const char *value = json_string_value(json_object_get(it, name));

    return value != NULL ? value : "";
}

static bool is(json_t *it, const char *name, const char *value)
{
    return strcmp(text_of(it, name), value) == 0;
}

static void count_task(json_t *task, struct behind *behind)
{
    bool is_done = is(task, "outcome", "done");
    bool is_wanted = json_integer_value(json_object_get(task, "uploads")) > 0;

    if (text_of(task, "outcome")[0] == '\0')
        behind->unfinished++;
    else if (is_wanted || (is(task, "phase", "finished") && is_done))
        behind->results++;
    else if (is(task, "phase", "finished"))
        behind->handed++;
}

static json_t *find(json_t *status, const char *id)
{
    json_t *it;
    size_t i;

    json_array_foreach(json_object_get(status, "projects"), i, it)
    {
        if (is(it, "project", id))
            return it;
    }
    return NULL;
}

static void take_left(struct leave *it, json_t *answer)
{
    if (is(answer, "left", it->id))
        it->behind.kept = json_integer_value(json_object_get(answer, "left_bodies"));
}

static enum status look(struct leave *it, struct error *err)
{
    json_auto_t *request = verb_plain("status");
    json_auto_t *answer = NULL;
    json_t *project, *task;
    struct behind behind = {.is_attached = false};
    size_t i;

    TRY(ask(it->world, it->options, request, &answer, err));
    project = find(answer, it->id);
    if (project != NULL) {
        behind.is_attached = true;
        behind.is_paused = json_is_true(json_object_get(answer, "is_paused"));
        behind.is_stopped = text_of(project, "stopped")[0] != '\0';
        (void)text_fit(behind.why, sizeof behind.why,
                       text_of(project, behind.is_stopped ? "stopped" : "trouble"));
        json_array_foreach(json_object_get(project, "tasks"), i, task)
        {
            count_task(task, &behind);
        }
    }
    behind.kept = it->behind.kept;
    it->behind = behind;
    take_left(it, answer);
    return STATUS_OK;
}

static enum status order(struct leave *it, enum detach_how how, struct error *err)
{
    json_auto_t *request = NULL;
    json_auto_t *answer = NULL;

    it->order.how = how;
    request = verb_detach(&it->order);
    TRY(ask(it->world, it->options, request, &answer, err));
    if (!answer_is_ok(answer, err))
        return err->status;
    (void)text_fit(it->id, sizeof it->id, text_of(answer, "project"));
    it->order.project = it->id;
    take_left(it, answer);
    return STATUS_OK;
}

/* Nothing is left to wait for: it is gone, cannot be told, or goes on computing by itself. */
static bool is_settled(const struct leave *it)
{
    const struct behind *behind = &it->behind;
    bool only_computes = behind->unfinished > 0 && behind->handed == 0 && behind->results == 0;

    return !behind->is_attached || behind->is_stopped ||
           (it->order.how == DETACH_FINISH && only_computes);
}

static enum status wait_for_server(struct leave *it, struct error *err)
{
    struct env *env = it->world->env;
    int64_t until = env->now_mono_ms(env) + it->order.wait_s * 1000;

    TRY(look(it, err));
    while (!is_settled(it) && env->now_mono_ms(env) < until) {
        env->sleep_ms(env, LOOK_MS);
        TRY(look(it, err));
    }
    return STATUS_OK;
}

static enum status refuse(const struct behind *behind, struct error *err)
{
    return error_set(err, STATUS_UNREACHABLE,
                     "%lld finished results have not reached the server%s%s. Nothing is lost: the "
                     "daemon leaves the project as soon as it could report them. To give them up, "
                     "repeat with --yes; to stay, attach again",
                     (long long)behind->results, behind->why[0] != '\0' ? ": " : " yet",
                     behind->why);
}

static void say_behind(const struct behind *behind)
{
    int64_t copies = behind->handed + behind->unfinished;

    if (copies > 0)
        (void)printf(
            "The server was not told%s%s. It waits for %lld copies until their deadline.\n",
            behind->why[0] != '\0' ? ": " : "", behind->why, (long long)copies);
    if (behind->results > 0)
        (void)printf("%lld finished results were given up.\n", (long long)behind->results);
    if (behind->kept > 0)
        (void)printf("The outputs of %lld reported results stay behind: the server had not asked "
                     "for them, and has to ask another host.\n",
                     (long long)behind->kept);
}

static void say_finishing(const struct behind *behind)
{
    if (behind->is_paused)
        (void)printf("%lld tasks are paused, and do not run to their end before 'dugnad-client "
                     "resume'; after that the daemon leaves the project.\n",
                     (long long)behind->unfinished);
    else
        (void)printf("%lld tasks run to their end; then the daemon leaves the project.\n",
                     (long long)behind->unfinished);
}

static enum status end(struct leave *it, struct error *err)
{
    struct behind left = it->behind;

    if (it->order.how == DETACH_FINISH && is_settled(it) && left.is_attached && !left.is_stopped) {
        say_finishing(&left);
        return STATUS_OK;
    }
    if (left.is_attached && left.results > 0 && !it->gives_up)
        return refuse(&left, err);
    if (left.is_attached)
        TRY(order(it, DETACH_FORGET, err));
    left.kept = it->behind.kept;
    (void)printf("Detached; its files are removed.\n");
    say_behind(&left);
    return STATUS_OK;
}

static enum status leave(struct client_world *world, const struct options *options,
                         const struct detach_order *what, struct error *err)
{
    struct leave it = {.world = world,
                       .options = options,
                       .order = *what,
                       .gives_up = options_has(options, "yes")};

    TRY(order(&it, what->how, err));
    TRY(wait_for_server(&it, err));
    return end(&it, err);
}

/* One that cannot be left does not keep the others; the first failure is what is told. */
static enum status leave_all(struct client_world *world, const struct options *options,
                             struct detach_order *what, struct error *err)
{
    json_auto_t *request = verb_plain("status");
    json_auto_t *answer = NULL;
    enum status first = STATUS_OK;
    json_t *it;
    size_t i;

    TRY(ask(world, options, request, &answer, err));
    json_array_foreach(json_object_get(answer, "projects"), i, it)
    {
        struct error own = {0};
        enum status status;

        (void)printf("%s  %s\n", text_of(it, "name"), text_of(it, "url"));
        what->project = text_of(it, "project");
        status = leave(world, options, what, &own);
        if (status == STATUS_OK)
            continue;
        if (first != STATUS_OK)
            (void)fail(&own);
        else if (err != NULL)
            *err = own;
        first = first == STATUS_OK ? status : first;
    }
    if (json_array_size(json_object_get(answer, "projects")) == 0)
        (void)printf("No project is attached.\n");
    return first;
}

static enum status read_order(const struct options *options, struct detach_order *ret_order,
                              struct error *err)
{
    bool is_all = options_has(options, "all");
    struct detach_order it = {.how = options_has(options, "finish") ? DETACH_FINISH
                                                                    : DETACH_HAND_BACK};

    TRY(options_seconds(options, "wait", 0, DETACH_WAIT_MAX_S, WAIT_S, &it.wait_s, err));
    if (is_all != (options->operand_count == 0))
        return error_set(err, STATUS_INVALID, "name one project, or give --all");
    if (!is_all)
        it.project = options->operands[0];
    if (!is_all && !text_is_utf8(it.project, strlen(it.project)))
        return error_set(err, STATUS_INVALID,
                         "PROJECT is not UTF-8: give its name, URL or id as status shows them");
    *ret_order = it;
    return STATUS_OK;
}

static int run_detach(void *context, const struct options *options)
{
    struct detach_order what;
    struct error err = {0};
    enum status status;

    if (read_order(options, &what, &err) != STATUS_OK)
        return fail_usage(options, &err);
    status = what.project != NULL ? leave(context, options, &what, &err)
                                  : leave_all(context, options, &what, &err);
    return status == STATUS_OK ? OPTIONS_EXIT_OK : fail(&err);
}

static const struct option_rule detach_options[] = {
    {.name = "all", .help = "Every project, one after the other."},
    {.name = "finish",
     .help = "Let what was started run to its end first; the daemon then leaves by itself. What is "
             "paused runs once it is resumed."},
    {.name = "wait",
     .argument = "TIME",
     .help = "How long the server is waited for: \"30\", \"5m\", \"2h\"; default 1m."},
    {.name = "yes", .help = "Even if finished work does not reach the server in that time."},
};

const struct command command_detach = {
    .name = "detach",
    .operands = "[PROJECT]",
    .operand_max = 1,
    .summary = "Take part in a project no more, and remove its files",
    .description =
        "PROJECT is the project's name, URL or id, as status shows them, its attach link, or "
        "another "
        "URL at which it is or was. What is finished is "
        "reported, and uploaded if the server asked for it; what is not finished is handed back, "
        "so that another host gets it at once; then its files are removed. A server that cannot "
        "be told waits for the copies until their deadline.\n\n"
        "To take this client off a computer, run `dugnad-client detach --all` first. Stopping the "
        "daemon alone is no leave: it goes on with its work when it is started again.",
    .examples = "Before the package is removed, whatever the servers say within a minute:\n"
                "  dugnad-client detach --all --yes\n",
    .options = detach_options,
    .option_count = sizeof detach_options / sizeof *detach_options,
    .run = run_detach,
};
