#include "bench/plan.h"

#include "common/base/options.h"

static enum status read_loop(const struct options *options, struct plan *plan, struct error *err)
{
    TRY(options_integer(options, "hosts", 1, PLAN_HOSTS_MAX, 1000, &plan->hosts, err));
    TRY(options_integer(options, "connections", 1, PLAN_CONNECTIONS_MAX, 256, &plan->connections,
                        err));
    TRY(options_integer(options, "threads", 1, PLAN_THREADS_MAX, 1, &plan->threads, err));
    TRY(options_integer(options, "tasks", 1, PLAN_TASKS_MAX, 1, &plan->tasks, err));
    TRY(options_integer(options, "rate", 1, 1000000, 0, &plan->per_s, err));
    TRY(options_seconds(options, "ramp", 0, SCHEDULE_RAMP_MAX_US / 1000000, 0, &plan->ramp_s, err));
    TRY(options_seconds(options, "seconds", 0, PLAN_SECONDS_MAX, 20, &plan->seconds, err));
    TRY(options_seconds(options, "warm-up", 0, PLAN_SECONDS_MAX, 2, &plan->warm_s, err));
    if (plan->seconds == 0)
        return error_set(err, STATUS_INVALID, "--seconds is at least 1");
    if (plan->ramp_s > 0 && plan->per_s == 0)
        return error_set(err, STATUS_INVALID, "--ramp goes with --rate");
    if (plan->connections > plan->hosts)
        plan->connections = plan->hosts;
    if (plan->threads > plan->connections)
        plan->threads = plan->connections;
    return STATUS_OK;
}

static enum status read_shares(const struct options *options, struct shares *shares,
                               struct error *err)
{
    int64_t liars, vanishing, slow;

    TRY(options_integer(options, "liars", 0, 100, 0, &liars, err));
    TRY(options_integer(options, "vanishing", 0, 100, 0, &vanishing, err));
    TRY(options_integer(options, "slow", 0, 100, 0, &slow, err));
    if (liars + vanishing + slow > 100)
        return error_set(err, STATUS_INVALID,
                         "--liars, --vanishing and --slow are more than 100 %% together");
    if (vanishing == 100)
        return error_set(err, STATUS_INVALID, "with --vanishing 100 nobody is left to measure");
    *shares = (struct shares){.liars = liars * 10, .vanishing = vanishing * 10, .slow = slow * 10};
    return STATUS_OK;
}

static enum status read_site(const struct options *options, struct plan *plan, struct error *err)
{
    plan->is_site = options_has(options, "site");
    plan->has_limits = options_has(options, "limit");
    plan->keeps_site = options_has(options, "keep");
    plan->folder = options_text_or(options, "folder", "/var/tmp");
    plan->database = options_text(options, "database");
    plan->url = options->operand_count > 0 ? options->operands[0] : NULL;
    plan->ca = options_text(options, "ca");
    plan->crew = options_text(options, "crew");
    TRY(options_integer(options, "units", 1, INT64_C(10000000), 100000, &plan->units, err));
    TRY(options_integer(options, "server-pid", 1, INT32_MAX, 0, &plan->server_pid, err));
    if (plan->is_site == (plan->url != NULL))
        return error_set(err, STATUS_INVALID, "give the URL of a site, or --site to make one");
    if (plan->url != NULL && (plan->has_limits || plan->keeps_site || plan->database != NULL))
        return error_set(err, STATUS_INVALID, "--limit, --keep and --database go with --site");
    if (plan->is_site && (plan->ca != NULL || plan->crew != NULL || plan->server_pid != 0))
        return error_set(err, STATUS_INVALID,
                         "--site has a CA, a crew and a server of its own: leave out --ca, --crew "
                         "and --server-pid");
    return STATUS_OK;
}

enum status plan_read(const struct options *options, struct plan *ret_plan, struct error *err)
{
    struct plan plan = {.platform = options_text_or(options, "platform", "x86_64-linux-gnu"),
                        .is_fresh = options_has(options, "fresh"),
                        .verifies = options_has(options, "verify"),
                        .is_json = options_has(options, "json")};

    TRY(read_loop(options, &plan, err));
    TRY(read_shares(options, &plan.shares, err));
    TRY(read_site(options, &plan, err));
    TRY(options_bytes(options, "output-bytes", 0, PLAN_OUTPUT_MAX, 64, &plan.output_bytes, err));
    *ret_plan = plan;
    return STATUS_OK;
}
