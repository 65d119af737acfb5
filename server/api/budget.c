#include "server/api/budget.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8 /* slots that one subject may be in */

struct slot {
    uint64_t subject;  /* hash; 0: free */
    int64_t used_ms;   /* when it was last spent from */
    int64_t filled_ms; /* up to when it was refilled */
    int64_t left;      /* in thousandths of one */
};

struct budget {
    struct budget_rate rate;
    uint64_t seed;
    size_t sets;
    pthread_mutex_t mutex;
    struct slot *slots; /* sets * WAYS */
};

struct budget *budget_new(const struct budget_rate *rate, size_t size, uint64_t seed)
{
    struct budget *budget = must_alloc(1, sizeof *budget);

    assert(rate->burst > 0 && rate->period_ms > 0);
    budget->rate = *rate;
    budget->seed = seed;
    budget->sets = size / WAYS > 0 ? size / WAYS : 1;
    budget->slots = must_alloc(budget->sets * WAYS, sizeof *budget->slots);
    if (pthread_mutex_init(&budget->mutex, NULL) != 0)
        abort();
    return budget;
}

void budget_free(struct budget *budget)
{
    if (budget == NULL)
        return;
    (void)pthread_mutex_destroy(&budget->mutex);
    free(budget->slots);
    free(budget);
}

/* FNV-1a over seed and text, then mixed (splitmix64's finish): enough to spread, nothing secret. */
static uint64_t hash_of(uint64_t seed, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ seed;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    hash ^= hash >> 31;
    return hash != 0 ? hash : 1;
}

static struct slot *slot_of(struct budget *budget, uint64_t subject, int64_t now_ms)
{
    struct slot *set = budget->slots + subject % budget->sets * WAYS;
    struct slot *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].subject == subject)
            return &set[i];
        if (set[i].subject == 0 || (oldest->subject != 0 && set[i].used_ms < oldest->used_ms))
            oldest = &set[i];
    }
    *oldest = (struct slot){.subject = subject,
                            .used_ms = now_ms,
                            .filled_ms = now_ms,
                            .left = budget->rate.burst * 1000};
    return oldest;
}

/* What does not make a whole thousandth yet is left in the time, so that asking often loses none.
 */
static void refill(const struct budget *budget, struct slot *slot, int64_t now_ms)
{
    int64_t full = budget->rate.burst * 1000;
    int64_t passed_ms = now_ms - slot->filled_ms;
    int64_t gained = passed_ms < budget->rate.period_ms ? passed_ms * full / budget->rate.period_ms
                                                        : full - slot->left;

    slot->used_ms = now_ms;
    if (gained <= 0)
        return;
    slot->left += gained;
    slot->filled_ms += gained * budget->rate.period_ms / full;
    if (slot->left >= full) {
        slot->left = full;
        slot->filled_ms = now_ms;
    }
}

static int64_t wait_s(const struct budget *budget, const struct slot *slot, uint32_t chance)
{
    int64_t full = budget->rate.burst * 1000;
    int64_t wait_ms = (1000 - slot->left) * budget->rate.period_ms / full + 1000;

    wait_ms += wait_ms / 2 * (int64_t)(chance % 1024) / 1024;
    return (wait_ms + 999) / 1000;
}

enum status budget_spend(struct budget *budget, const char *subject, int64_t now_mono_ms,
                         uint32_t chance, struct error *err)
{
    int64_t later_s = 0;
    struct slot *slot;

    pthread_mutex_lock(&budget->mutex);
    slot = slot_of(budget, hash_of(budget->seed, subject), now_mono_ms);
    refill(budget, slot, now_mono_ms);
    if (slot->left >= 1000)
        slot->left -= 1000;
    else
        later_s = wait_s(budget, slot, chance);
    pthread_mutex_unlock(&budget->mutex);
    if (later_s == 0)
        return STATUS_OK;
    error_set(err, STATUS_LIMITED, "too often; come back in %lld s", (long long)later_s);
    error_retry_after(err, later_s);
    return STATUS_LIMITED;
}
