/* The command line of dugnad-bench, and what it does. */
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/site.h"
#include "common/base/env.h"
#include "common/json/build.h"

#define PAGE_MAX_BYTES (256 * 1024)

static int fail(const struct bench *bench, const struct error *err)
{
    bench_say(bench, "dugnad-bench: %s", err->text);
    if (*err->detail != '\0')
        bench_say(bench, "  (%s)", err->detail);
    return 1;
}

/* A run, and what bounds it if that was asked for. */
struct table {
    struct outcome outcome;
    struct limits_table limits;
};

static void print_json(const struct bench *bench, const struct table *table)
{
    json_t *json = report_outcome_json(&table->outcome);
    char *dumped;

    if (table->limits.count > 0)
        build_set(json, "limits", report_limits_json(&table->outcome, &table->limits));
    dumped = json_dumps(json, JSON_INDENT(2));
    (void)fprintf(bench->out, "%s\n", dumped);
    free(dumped);
    json_decref(json);
}

static void print_text(const struct bench *bench, const struct table *table)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = PAGE_MAX_BYTES};

    report_outcome(&table->outcome, &text);
    if (table->limits.count > 0)
        report_limits(&table->outcome, &table->limits, &text);
    (void)fputs(buffer_text(&text), bench->out);
}

static enum status play_site(const struct bench *bench, const struct plan *plan,
                             struct bench_site *site, struct outcome *outcome, struct error *err)
{
    CLEANUP(opponent_clear)
    struct opponent opponent = {
        .url = site->url, .ca = site->ca.text, .pid = site->server, .has_metrics = true};
    struct outcome_wish wish = {.name = plan->is_fresh ? "fresh TLS per visit" : "keep-alive TLS",
                                .plan = plan,
                                .opponent = &opponent,
                                .crew = site->crew.text};

    TRY(bench_meet(bench, &opponent, err));
    return bench_play(bench, &wish, outcome, err);
}

static enum status with_own_site(const struct bench *bench, const struct plan *plan,
                                 struct table *table, struct error *err)
{
    struct bench_site site;
    enum status status = bench_site_open(bench, plan, &site, err);

    if (status == STATUS_OK)
        status = play_site(bench, plan, &site, &table->outcome, err);
    bench_site_stop(&site);
    if (status == STATUS_OK && plan->has_limits)
        status = limits_measure(bench, plan, &site, &table->outcome, &table->limits, err);
    bench_site_close(bench, &site, plan->keeps_site);
    return status;
}

static enum status with_running_site(const struct bench *bench, const struct plan *plan,
                                     struct table *table, struct error *err)
{
    CLEANUP(opponent_clear)
    struct opponent opponent = {
        .url = plan->url, .ca = plan->ca, .pid = plan->server_pid, .has_metrics = true};
    struct outcome_wish wish = {.name = plan->is_fresh ? "fresh TLS per visit" : "keep-alive TLS",
                                .plan = plan,
                                .opponent = &opponent,
                                .crew = plan->crew};

    TRY(bench_meet(bench, &opponent, err));
    return bench_play(bench, &wish, &table->outcome, err);
}

static int run(void *context, const struct options *options)
{
    const struct bench *bench = context;
    struct table *table = must_alloc(1, sizeof *table);
    struct plan plan;
    struct error err = {0};
    int code = OPTIONS_EXIT_OK;

    if (plan_read(options, &plan, &err) != STATUS_OK) {
        (void)fail(bench, &err);
        code = OPTIONS_EXIT_USAGE;
    } else if ((plan.is_site ? with_own_site(bench, &plan, table, &err)
                             : with_running_site(bench, &plan, table, &err)) != STATUS_OK) {
        code = fail(bench, &err);
    } else if (plan.is_json) {
        print_json(bench, table);
    } else {
        print_text(bench, table);
    }
    free(table);
    return code;
}

static const struct option_rule options[] = {
    {"site", NULL, "Make a throw-away site, play against it, and remove it.", false},
    {"limit", NULL, "With --site: measure in the same run what bounds it, too.", false},
    {"keep", NULL, "With --site: leave the site's folder there.", false},
    {"folder", "DIR", "Where the throw-away site is made (/var/tmp).", false},
    {"database", "URL",
     "With --site: the PostgreSQL to keep it in, without a site as yet; its tables stay there.",
     false},
    {"units", "N", "With --site: units that it has (100000), of quorum 2.", false},
    {"ca", "FILE", "The site's CA in PEM; without it the system's store counts.", false},
    {"crew", "FILE", "Where hosts' keys are kept, so that they are enrolled but once.", false},
    {"server-pid", "PID", "The server's process on this machine, for what it uses.", false},
    {"platform", "NAME", "What the hosts say to be (x86_64-linux-gnu).", false},
    {"hosts", "N", "Hosts that are played, each with an account of its own (1000).", false},
    {"connections", "N", "At once (256); hosts take turns on them.", false},
    {"threads", "N", "That play (1).", false},
    {"tasks", "N", "Wanted per visit (1); each visit reports those of the last.", false},
    {"output-bytes", "SIZE",
     "Of each task's output (64). Above 64K: digest first, uploaded when asked for.", false},
    {"fresh", NULL, "A new connection, with a full handshake, for each visit.", false},
    {"verify", NULL, "Check each unit's signatures as a client does.", false},
    {"rate", "N", "Visits begun per second; without it each follows the one before.", false},
    {"ramp", "TIME", "With --rate: grow to it for so long, before measuring (0s).", false},
    {"seconds", "TIME", "Measured (20s).", false},
    {"warm-up", "TIME", "Before, once every host has work (2s).", false},
    {"liars", "PERCENT", "Hosts that report wrong outputs (0).", false},
    {"vanishing", "PERCENT", "Hosts that take work once and never come back (0).", false},
    {"slow", "PERCENT", "Hosts that come a tenth as often (0).", false},
    {"json", NULL, "Figures for programs.", false},
};

static const struct command command_run = {
    .name = "",
    .operands = "[URL]",
    .operand_max = 1,
    .summary = "play volunteers against a server",
    .description =
        "Plays volunteers against a server with the real protocol: enrols, visits with signed "
        "statements, reports outputs and takes tasks. Every answer is read as a client reads "
        "it.\n\n"
        "URL is a running site. It counts visits of a host and enrolments of a prefix like any "
        "other site: raise visits_per_minute, enrolments_per_hour, accounts_per_hour, "
        "challenges_per_minute and strangers_per_minute in its site.conf, or it will refuse, and "
        "rightly so. Never play against a site that is not yours.\n\n"
        "The generator's own processor time is printed: if it comes near the number of its "
        "threads, it is what was measured.",
    .examples = "A table of this machine, nothing to set up:\n"
                "  dugnad-bench --site\n"
                "Sixteen tasks a visit, 6250 hosts:\n"
                "  dugnad-bench --site --tasks 16 --hosts 6250\n"
                "On PostgreSQL:\n"
                "  dugnad-bench --site --database postgres://dugnad@db.example/bench\n"
                "Against a server that runs:\n"
                "  dugnad-bench https://127.0.0.1:8443 --ca site/tls/ca.pem --crew crew\n",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};

static int run_manual(void *context, const struct options *given)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = PAGE_MAX_BYTES};
    const struct bench *bench = context;

    program_manual(given->program, &text);
    (void)fputs(buffer_text(&text), bench->out);
    return OPTIONS_EXIT_OK;
}

static const struct command command_manual = {
    .name = "manual",
    .summary = "print this manual page, for man(1)",
    .run = run_manual,
};

static const struct command *const commands[] = {&command_run, &command_manual};

const struct program bench_program = {
    .name = "dugnad-bench",
    .version = PACKAGE_VERSION,
    .summary = "Measure a Dugnad server: play volunteers against it, and print what it did.",
    .description = "Exit codes: 0 measured, 1 it could not be (stderr says why), 2 wrong command "
                   "line.",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
};
