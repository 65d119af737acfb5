#include "client/daemon/proof.h"

#include <errno.h>
#include <string.h>

#include "client/agent/delay.h"
#include "client/agent/talk.h"
#include "common/base/log.h"
#include "common/base/text.h"

#define RETRY_FIRST_MS 30000
#define RETRY_LAST_MS  (30 * 60000)
#define WALL_S         600 /* of the script: a machine may be slow */
#define MEMORY_BYTES   (INT64_C(64) << 20)
#define DISK_BYTES     (INT64_C(1) << 20)

/* It writes, too: a task that cannot is as useless as one that cannot run. */
static const char script[] = "#!/bin/sh\necho good >said\n";

static enum status path_of(const struct daemon *daemon, const char *name,
                           struct disk_path *ret_path, struct error *err)
{
    return data_folder_join(daemon->parts.folder, ret_path, err, "proof%s%s",
                            name[0] != '\0' ? "/" : "", name);
}

static enum status make_slot(struct daemon *daemon, struct disk_path *ret_slot,
                             struct disk_path *ret_program, struct error *err)
{
    struct disk *disk = daemon->env->disk;

    TRY(path_of(daemon, "", ret_slot, err));
    TRY(path_of(daemon, PROOF_PROGRAM, ret_program, err));
    TRY(disk->remove_tree(disk, ret_slot->text, err));
    TRY(disk->make_folder(disk, ret_slot->text, 0700, err));
    return disk->write(disk, ret_program->text, script, strlen(script), 0500, err);
}

static enum status start(struct daemon *daemon, struct error *err)
{
    struct launcher *launcher = daemon->parts.launcher;
    static const char *const arguments[] = {PROOF_PROGRAM, NULL};
    struct disk_path slot, program;
    const struct run_spec spec = {
        .slot = slot.text,
        .executable = program.text,
        .arguments = arguments,
        .limits = {.memory_bytes = MEMORY_BYTES, .disk_bytes = DISK_BYTES, .wall_s = WALL_S}};

    TRY(make_slot(daemon, &slot, &program, err));
    return launcher->start(launcher, &spec, &daemon->proof.running, err);
}

/* --- what came of it --- */

static void found_bad(struct daemon *daemon, const char *why)
{
    const struct delay_rule rule = {.first_ms = RETRY_FIRST_MS, .last_ms = RETRY_LAST_MS};
    struct proof *proof = &daemon->proof;

    proof->state = PROOF_BAD;
    proof->failures++;
    proof->retry_at = daemon_now(daemon) + delay_ms(&rule, proof->failures, 0, daemon_draw(daemon));
    set_words(proof->why, why);
    LOG(LOG_ERROR, "machine.cannot-run", LOG_S("why", why));
}

static void found_good(struct daemon *daemon)
{
    struct proof *proof = &daemon->proof;

    if (proof->failures > 0)
        LOG(LOG_INFO, "machine.can-run", LOG_N("failures", proof->failures));
    *proof = (struct proof){.state = PROOF_GOOD, .goods = proof->goods + 1};
    daemon->is_due = true;
}

static const char *hint_of(int cause)
{
    if (cause == EACCES || cause == EPERM)
        return "; is the folder on a disk that is mounted noexec, or may not everybody enter the "
               "folders above it?";
    return "";
}

static void not_started(struct daemon *daemon, const struct run_outcome *outcome)
{
    CLEANUP(freep)
    char *why =
        text_format("no program can be run in %s (%s: %s)%s", daemon->parts.folder->path.text,
                    outcome->failed_step, strerror(outcome->code), hint_of(outcome->code));

    found_bad(daemon, why);
}

static bool has_said_good(struct daemon *daemon)
{
    CLEANUP(buffer_clear) struct buffer said = {0};
    struct disk *disk = daemon->env->disk;
    struct disk_path path;

    buffer_init(&said, 64);
    return path_of(daemon, "said", &path, NULL) == STATUS_OK &&
           disk->read(disk, path.text, &said, NULL) == STATUS_OK &&
           strcmp(buffer_text(&said), "good\n") == 0;
}

static void ended(struct daemon *daemon, const struct run_outcome *outcome)
{
    CLEANUP(freep) char *why = NULL;

    if (outcome->end == RUN_NOT_STARTED) {
        not_started(daemon, outcome);
        return;
    }
    if (outcome->end == RUN_EXITED && outcome->code == 0 && has_said_good(daemon)) {
        found_good(daemon);
        return;
    }
    why = text_format("a script of this client's own, run as a task is in %s, %s %d",
                      daemon->parts.folder->path.text,
                      outcome->end == RUN_EXITED ? "ended with code" : "was ended by signal",
                      outcome->code);
    found_bad(daemon, why);
}

static void poll_it(struct daemon *daemon)
{
    struct launcher *launcher = daemon->parts.launcher;
    struct run_outcome *outcome = must_alloc(1, sizeof *outcome);
    struct disk_path slot;

    if (launcher->poll(daemon->proof.running, outcome)) {
        launcher->release(TAKE(daemon->proof.running));
        ended(daemon, outcome);
        if (path_of(daemon, "", &slot, NULL) == STATUS_OK)
            (void)daemon->env->disk->remove_tree(daemon->env->disk, slot.text, NULL);
    }
    free(outcome);
}

static bool is_due(const struct daemon *daemon)
{
    const struct proof *proof = &daemon->proof;

    return proof->state == PROOF_DUE ||
           (proof->state == PROOF_BAD && daemon_now(daemon) >= proof->retry_at);
}

void proof_step(struct daemon *daemon)
{
    struct error err = {0};

    if (daemon->proof.running != NULL)
        poll_it(daemon);
    if (daemon->proof.running != NULL || !is_due(daemon))
        return;
    if (start(daemon, &err) != STATUS_OK) {
        found_bad(daemon, err.text);
        return;
    }
    poll_it(daemon);
}

void proof_doubt(struct daemon *daemon)
{
    if (daemon->proof.state == PROOF_GOOD)
        daemon->proof.state = PROOF_DUE;
    daemon->is_due = true;
}

bool proof_is_good(const struct daemon *daemon)
{
    return daemon->proof.state == PROOF_GOOD;
}

int64_t proof_goods(const struct daemon *daemon)
{
    return daemon->proof.goods;
}

const char *proof_trouble(const struct daemon *daemon)
{
    return daemon->proof.why;
}

int64_t proof_wake(struct daemon *daemon, int64_t now)
{
    const struct proof *proof = &daemon->proof;

    if (proof->running != NULL)
        return now + RUN_POLL_MS;
    if (proof->state == PROOF_DUE)
        return now;
    return proof->state == PROOF_BAD ? proof->retry_at : TALK_NEVER;
}

void proof_stop(struct daemon *daemon)
{
    daemon->parts.launcher->release(TAKE(daemon->proof.running));
}
