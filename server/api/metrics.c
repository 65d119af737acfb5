/* GET /metrics: counters as OpenMetrics text. */
#include <inttypes.h>
#include <string.h>

#include "db/query.h"
#include "db/store.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/engine/engine.h"

#define METRICS_MAX (64 * 1024)

static void head(struct buffer *text, const char *name, const char *type, const char *help)
{
    (void)buffer_printf(text, NULL, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void gauge(struct buffer *text, const char *name, const char *help, int64_t value)
{
    head(text, name, "gauge", help);
    (void)buffer_printf(text, NULL, "%s %" PRId64 "\n", name, value);
}

static void counter(struct buffer *text, const char *name, const char *help, int64_t value)
{
    head(text, name, "counter", help);
    (void)buffer_printf(text, NULL, "%s_total %" PRId64 "\n", name, value);
}

static void add_store(struct buffer *text, const struct metrics *metrics)
{
    head(text, "dugnad_units", "gauge", "Units by state.");
    for (int state = UNIT_OPEN; state <= UNIT_FAILED; state++)
        (void)buffer_printf(text, NULL, "dugnad_units{state=\"%s\"} %" PRId64 "\n",
                            unit_state_name((enum unit_state)state), metrics->units[state]);
    head(text, "dugnad_tasks", "gauge", "Tasks by state.");
    for (int state = TASK_SENT; state <= TASK_ABANDONED; state++)
        (void)buffer_printf(text, NULL, "dugnad_tasks{state=\"%s\"} %" PRId64 "\n",
                            task_state_name((enum task_state)state), metrics->tasks[state]);
    gauge(text, "dugnad_hosts", "Hosts that ever enrolled.", metrics->hosts);
    gauge(text, "dugnad_volunteers", "Volunteers.", metrics->volunteers);
    gauge(text, "dugnad_files", "Files the database knows.", metrics->files);
    gauge(text, "dugnad_file_bytes", "Their size.", metrics->file_bytes);
    gauge(text, "dugnad_journal_seq", "The newest entry of the journal.", metrics->journal_seq);
    gauge(text, "dugnad_database_bytes", "Size of the database.", metrics->database_bytes);
}

static void add_engine(struct buffer *text, const struct engine_counts *counts)
{
    counter(text, "dugnad_cycles", "Transactions of the engine.", counts->cycles);
    counter(text, "dugnad_cycle_conflicts", "Those run again.", counts->cycle_conflicts);
    counter(text, "dugnad_cycle_failures", "Those that failed.", counts->cycle_failures);
    counter(text, "dugnad_visits", "Visits of hosts.", counts->commands[COMMAND_VISIT]);
    counter(text, "dugnad_visits_repeated", "Visits answered again.", counts->visits_repeated);
    counter(text, "dugnad_clones", "Hosts found cloned or restored.", counts->clones);
    counter(text, "dugnad_tasks_sent", "Tasks sent.", counts->tasks_sent);
    counter(text, "dugnad_tasks_reported", "Good reports.", counts->tasks_reported);
    counter(text, "dugnad_tasks_failed", "Reports of failure.", counts->tasks_failed);
    counter(text, "dugnad_tasks_overdue", "Deadlines passed.", counts->tasks_overdue);
    counter(text, "dugnad_tasks_resent", "Sent again: hosts had lost them.", counts->tasks_resent);
    counter(text, "dugnad_tasks_moved", "Withdrawn unstarted, for an idle host.",
            counts->tasks_moved);
    counter(text, "dugnad_tasks_moved_back", "Of these: begun before it had them.",
            counts->tasks_moved_back);
    counter(text, "dugnad_last_copies", "Wanted once more, of units that are late.",
            counts->last_copies);
    counter(text, "dugnad_units_accepted", "Units accepted.", counts->units_accepted);
    counter(text, "dugnad_units_failed", "Units failed.", counts->units_failed);
    counter(text, "dugnad_credit", "Credit given, in declared operations.", counts->credit);
    gauge(text, "dugnad_ready", "Units in the queue.", counts->ready_now);
    gauge(text, "dugnad_up_seconds", "The clock of deadlines.", counts->up_s_now);
    gauge(text, "dugnad_looks_restored",
          "1: hosts of several volunteers know more than this site does.",
          counts->looks_restored_now);
    gauge(text, "dugnad_free_bytes", "Free space of the site's disk.", counts->free_bytes_now);
}

static void add_http(struct buffer *text, const struct call *call)
{
    struct http_server *server = atomic_load(&call->api->server);
    struct http_counts counts = {0};

    if (server != NULL)
        counts = http_server_counts(server);
    gauge(text, "dugnad_connections", "Connections that are open.", counts.open_now);
    counter(text, "dugnad_connections_accepted", "Connections.", counts.accepted);
    counter(text, "dugnad_connections_turned_away", "For want of room.", counts.turned_away);
    counter(text, "dugnad_handshakes", "TLS handshakes.", counts.handshakes);
    counter(text, "dugnad_handshakes_failed", "Those that failed.", counts.handshakes_failed);
    counter(text, "dugnad_requests_refused", "That were not HTTP.", counts.refused);
    counter(text, "dugnad_timeouts", "Connections cut by a deadline.", counts.timeouts);
    head(text, "dugnad_answers", "counter", "Answers by hundreds of the status.");
    for (int i = 2; i < 6; i++)
        (void)buffer_printf(text, NULL, "dugnad_answers_total{status=\"%dxx\"} %" PRId64 "\n", i,
                            (int64_t)atomic_load(&call->api->answers[i]));
}

/* Those that never came are left out: there are a hundred. */
static void add_told(struct buffer *text, const struct call *call)
{
    head(text, "dugnad_offers_refused", "counter",
         "Keyrings, freshness and envelopes that clients say they refused.");
    for (int what = 1; what <= REFUSED_KINDS; what++)
        for (int code = 0; code < REFUSAL_COUNT; code++) {
            int64_t count =
                told_count(&call->api->told, (enum refused_kind)what, (enum refusal)code);

            if (count > 0)
                (void)buffer_printf(text, NULL,
                                    "dugnad_offers_refused_total{what=\"%s\",refusal=\"%s\"} "
                                    "%" PRId64 "\n",
                                    refused_kind_name((enum refused_kind)what),
                                    refusal_code((enum refusal)code), count);
        }
}

static void print(struct call *call, struct store *store)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = METRICS_MAX};
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct metrics metrics = {0};
    struct engine_counts counts = engine_counts(call->api->engine);
    struct error err;
    size_t length;

    if (store->query->metrics(store, &metrics, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    add_store(&text, &metrics);
    add_engine(&text, &counts);
    add_http(&text, call);
    add_told(&text, call);
    (void)buffer_append_text(&text, "# EOF\n", NULL);
    length = text.length;
    http_reply_init(&reply, 200);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_memory(&reply, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                      buffer_take(&text), length);
    call_reply(call, &reply);
}

void metrics_get(struct call *call)
{
    call_read(call, print);
}
