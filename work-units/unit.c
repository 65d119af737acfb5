#include "work-units/unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

static const char *const task_states[] = {
    [TASK_SENT] = "sent",
    [TASK_REPORTED] = "reported",
    [TASK_AGREED] = "agreed",
    [TASK_OUTVOTED] = "outvoted",
    [TASK_INCONCLUSIVE] = "inconclusive",
    [TASK_ERROR] = "error",
    [TASK_OVERDUE] = "overdue",
    [TASK_DROPPED] = "dropped",
    [TASK_ABANDONED] = "abandoned",
};

static const char *const limits[] = {
    [LIMIT_NONE] = "none",           [LIMIT_CPU] = "cpu",   [LIMIT_WALL] = "wall",
    [LIMIT_MEMORY] = "memory",       [LIMIT_DISK] = "disk", [LIMIT_OUTPUT] = "output",
    [LIMIT_PROCESSES] = "processes",
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

int64_t identity_named(const struct identity *identity, enum independence independence)
{
    switch (independence) {
    case INDEPENDENCE_HOST:
        return identity->host;
    case INDEPENDENCE_VOLUNTEER:
        return identity->volunteer;
    case INDEPENDENCE_ORGANISATION:
        return identity->organisation;
    }
    abort();
}

/* One that failed, and was forgiven, is DROPPED and was reported. */
static bool is_without_evidence(const struct task *task)
{
    return task->state == TASK_ABANDONED || (task->state == TASK_DROPPED && task->reported_s == 0);
}

uint32_t unit_tasks_charged(const struct unit *unit)
{
    uint32_t count = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        count += !is_without_evidence(&unit->tasks[i]);
    return count;
}

uint32_t unit_room(const struct unit *unit)
{
    uint32_t charged = unit_tasks_charged(unit);
    uint32_t by_rule = charged < unit->rule.max_tasks ? unit->rule.max_tasks - charged : 0;
    uint32_t places = UNIT_TASKS_MAX - (uint32_t)unit->task_count;

    return by_rule < places ? by_rule : places;
}

void task_clear(struct task *task)
{
    for (size_t i = 0; i < task->output_count; i++)
        free(task->outputs[i].name);
    free(task->outputs);
    free(task->prefix);
    *task = (struct task){0};
}

void unit_clear(struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++)
        task_clear(&unit->tasks[i]);
    free(unit->classes);
    free(unit->platforms);
    free(unit->pinned_class);
    *unit = (struct unit){0};
}

struct digest result_digest(const struct output *outputs, size_t count)
{
    static const char head[] = "dugnad-result-v1\n";
    CLEANUP(hasher_clear) struct hasher hasher;

    hasher_init(&hasher);
    hasher_add(&hasher, head, strlen(head));
    for (size_t i = 0; i < count; i++) {
        struct digest_text digest = digest_format(&outputs[i].digest);
        char rest[DIGEST_CHARS + 32];

        (void)snprintf(rest, sizeof rest, "\n%s\n%lld\n", digest.text,
                       (long long)outputs[i].size_bytes);
        hasher_add(&hasher, outputs[i].name, strlen(outputs[i].name));
        hasher_add(&hasher, rest, strlen(rest));
    }
    return hasher_end(&hasher);
}

const char *task_state_name(enum task_state state)
{
    assert(state >= 1 && state < COUNT_OF(task_states));
    return task_states[state];
}

const char *unit_state_name(enum unit_state state)
{
    static const char *const names[] = {
        [UNIT_OPEN] = "open",         [UNIT_JUDGING] = "judging", [UNIT_AGREED] = "agreed",
        [UNIT_ACCEPTED] = "accepted", [UNIT_FAILED] = "failed",
    };

    assert(state >= 1 && state < COUNT_OF(names));
    return names[state];
}

const char *unit_failure_name(enum unit_failure failure)
{
    static const char *const names[] = {
        [FAILURE_NONE] = "none",       [FAILURE_ERRORS] = "errors",
        [FAILURE_DISSENT] = "dissent", [FAILURE_SPLIT] = "split",
        [FAILURE_EXPIRED] = "expired", [FAILURE_CANCELLED] = "cancelled",
        [FAILURE_REVOKED] = "revoked",
    };

    assert(failure < COUNT_OF(names));
    return names[failure];
}

const char *task_limit_name(enum task_limit limit)
{
    assert(limit < COUNT_OF(limits));
    return limits[limit];
}

bool task_state_parse(const char *name, enum task_state *ret_state)
{
    for (size_t i = 1; i < COUNT_OF(task_states); i++) {
        if (strcmp(name, task_states[i]) == 0) {
            *ret_state = (enum task_state)i;
            return true;
        }
    }
    return false;
}

bool task_limit_parse(const char *name, enum task_limit *ret_limit)
{
    for (size_t i = 1; i < COUNT_OF(limits); i++) {
        if (strcmp(name, limits[i]) == 0) {
            *ret_limit = (enum task_limit)i;
            return true;
        }
    }
    return false;
}
