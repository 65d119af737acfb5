#include "server/engine/withdrawals.h"

#include "server/engine/reports.h"
#include "server/engine/settle.h"
#include "server/policy/allowance.h"
#include "server/policy/transition.h"
#include "server/policy/withdrawing.h"

#define DAY_SECONDS 86400

/* The allowance of the task's host, as it is by now. */
static void charge(struct cycle *cycle, const struct unit *unit, const struct task *task,
                   struct allowance_facts (*after)(const struct allowance_facts *facts,
                                                   int64_t granted_day))
{
    struct allowance *row;
    struct allowance_facts facts;

    if (work_host(&cycle->set, task->at_dispatch.host) == NULL)
        return;
    row = work_allowance(&cycle->set, task->at_dispatch.host, unit->app_version);
    facts = (struct allowance_facts){.per_day = row->per_day, .day = row->day, .used = row->used};
    facts = after(&facts, task->sent_s / DAY_SECONDS);
    row->is_changed = row->is_changed || row->used != facts.used;
    row->used = facts.used;
}

void withdraw_task(struct cycle *cycle, struct unit *unit, struct task *task)
{
    settle_task(cycle, unit, task, transition_task(task->state, EVENT_WITHDRAW));
    settle_unit(cycle, unit); /* so that one more of the unit is judged by what is wanted now */
    charge(cycle, unit, task, allowance_after_withdrawal); /* what was not computed is not used */
}

void withdraw_not(struct cycle *cycle, struct unit *unit, struct task *task)
{
    settle_task(cycle, unit, task, transition_task(task->state, EVENT_RESUME));
    unit->copies_wanted--;
    charge(cycle, unit, task, allowance_after_return);
    cycle_hint(cycle, (struct deadline_hint){
                          .up_s = task->deadline_up_s, .task = task->id, .unit = unit->id});
}

/* Those that are out stay by id where nothing can take their place. */
static void withdraw_all(struct cycle *cycle, int64_t host, struct withdraw_command *reply)
{
    size_t count;
    const struct cycle_holding *held = cycle_holdings(cycle, host, &count);

    for (size_t i = 0; i < count; i++) {
        struct unit *unit = NULL;
        struct task *task = reports_own_task(&cycle->set, host, held[i].task, &unit);

        if (task == NULL || task->state != TASK_SENT)
            continue;
        if (!withdrawing_is_allowed(unit, (size_t)(task - unit->tasks))) {
            reply->left++;
            continue;
        }
        withdraw_task(cycle, unit, task);
        reply->withdrawn++;
    }
}

void withdrawal_take(struct cycle *cycle, struct command *command)
{
    struct withdraw_command *reply = &command->withdraw;

    reply->withdrawn = reply->left = 0;
    command->status = STATUS_OK;
    if (work_host(&cycle->set, reply->host) == NULL) {
        command->status = error_set(&command->err, STATUS_NOT_FOUND, "there is no such host");
        return;
    }
    withdraw_all(cycle, reply->host, reply);
    if (reply->withdrawn > 0)
        cycle_note(cycle, JOURNAL_HOST_GONE, reply->host, reply->withdrawn);
}

void withdrawal_follow_up(struct engine *engine, const struct command *command)
{
    const struct host_part nothing = {0};
    struct stock empty = {0};

    if (command->status != STATUS_OK ||
        host_hints_find(&engine->hosts, command->withdraw.host) == NULL)
        return;
    host_hints_count(&engine->hosts, command->withdraw.host, &nothing);
    host_hints_stock(&engine->hosts, command->withdraw.host, &empty);
}
