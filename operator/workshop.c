#include "operator/workshop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "sandbox/task_slot.h"

#define LOOK_MS       (RUN_POLL_MS / 4) /* between two looks at what runs while something takes long */
#define COLLECT_BYTES (16 << 20)        /* copied between two of them */

/* --- opening and closing --- */

static enum status place(const struct workshop *workshop, struct disk_path *ret_path,
                         struct error *err, const char *folder, const char *name)
{
    return disk_join(ret_path, err, "%s/%s/%s", workshop->folder.text, folder, name);
}

static enum status hold(struct workshop *workshop, struct error *err)
{
    struct disk *disk = workshop->profile->session->env->disk;
    struct disk_path path;
    enum status status;

    TRY(profile_path(workshop->profile, &path, err, "audit.lock"));
    status = disk->lock(disk, path.text, &workshop->lock, err);
    if (status != STATUS_BUSY)
        return status;
    error_set(err, STATUS_BUSY, "another dugnad audits with this profile");
    error_code(err, SESSION_HELD);
    return STATUS_BUSY;
}

static enum status make_folders(const struct workshop *workshop, struct error *err)
{
    struct disk *disk = workshop->profile->session->env->disk;
    struct disk_path files, slots;

    TRY(disk->remove_tree(disk, workshop->folder.text, err)); /* what a cut left */
    TRY(disk_join(&files, err, "%s/files", workshop->folder.text));
    TRY(disk_join(&slots, err, "%s/slots", workshop->folder.text));
    TRY(disk_make_folders(disk, files.text, 0700, err));
    return disk->make_folder(disk, slots.text, 0700, err);
}

static enum status name_slots(struct workshop *workshop, size_t count, struct error *err)
{
    assert(count > 0 && count <= WORKSHOP_SLOTS_MAX);
    workshop->slots = must_alloc(count, sizeof *workshop->slots);
    workshop->slot_count = count;
    for (size_t i = 0; i < count; i++)
        TRY(disk_join(&workshop->slots[i].folder, err, "%s/slots/%zu", workshop->folder.text, i));
    return STATUS_OK;
}

static enum status ask_variants(struct workshop *workshop, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep) char *path = NULL;
    char hex[2 * DIGEST_BYTES + 1];
    struct error why = {0};

    text_from_bytes(workshop->app->digest.bytes, DIGEST_BYTES, hex);
    path = text_format("/v1/apps/%s", hex);
    TRY(remote_get(workshop->profile, path, APPS_MAX, &body, err));
    if (apps_decode(buffer_text(&body), body.length, &workshop->listed, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static void look_again(void *context)
{
    struct workshop *workshop = context;
    struct env *env = workshop->profile->session->env;

    if (env->now_mono_ms(env) - workshop->looked_mono_ms >= LOOK_MS)
        workshop_look(workshop);
}

static enum status set_up(struct workshop *workshop, size_t slots, struct error *err)
{
    struct session *session = workshop->profile->session;
    struct disk_path files;

    TRY(profile_path(workshop->profile, &workshop->folder, err, "audit"));
    TRY(name_slots(workshop, slots, err));
    TRY(hold(workshop, err));
    TRY(make_folders(workshop, err));
    TRY(disk_join(&files, err, "%s/files", workshop->folder.text));
    supply_init(&workshop->supply, workshop->profile, &files, slots);
    TRY(ask_variants(workshop, err));
    TRY(session->open_launcher(session->env, NULL, &workshop->launcher, err));
    session->meanwhile = look_again;
    session->meanwhile_context = workshop;
    return STATUS_OK;
}

enum status workshop_open(struct workshop *ret_workshop, struct profile *profile,
                          const struct envelope *app, size_t slot_count, struct error *err)
{
    enum status status;

    *ret_workshop = (struct workshop){.profile = profile, .app = app};
    status = set_up(ret_workshop, slot_count, err);
    if (status != STATUS_OK)
        workshop_close(ret_workshop);
    return status;
}

static void release_all(struct workshop *workshop)
{
    for (size_t i = 0; i < workshop->slot_count; i++)
        if (workshop->slots[i].task != NULL)
            workshop->launcher->release(TAKE(workshop->slots[i].task));
}

void workshop_close(struct workshop *workshop)
{
    struct disk *disk;

    if (workshop->profile != NULL)
        workshop->profile->session->meanwhile = NULL;
    supply_clear(&workshop->supply);
    release_all(workshop);
    free(workshop->slots);
    launcher_close(workshop->launcher);
    apps_clear(&workshop->listed);
    if (workshop->lock != NULL) {
        disk = disk_file_disk(workshop->lock);
        (void)disk->remove_tree(disk, workshop->folder.text, NULL);
        disk_file_close(workshop->lock);
    }
    *workshop = (struct workshop){0};
}

int64_t workshop_memory(const struct workshop *workshop)
{
    int64_t allowed = workshop->launcher->memory_bytes(workshop->launcher);
    int64_t machine = workshop->profile->session->memory_bytes;

    return machine > 0 && machine < allowed ? machine : allowed;
}

/* --- which program --- */

struct candidate {
    struct envelope envelope; /* owned */
    struct prepared prepared; /* owned; if it can run here */
};

static void candidate_clear(struct candidate *candidate)
{
    envelope_clear(&candidate->envelope);
    prepared_clear(&candidate->prepared);
}

static struct trust_moment now(const struct workshop *workshop)
{
    struct env *env = workshop->profile->session->env;

    /* Once more what was started before: that it has run out meanwhile is no reason against it. */
    return (struct trust_moment){.purpose = TRUST_FINISH, .now_s = env->now_s(env)};
}

static enum refusal prepare(const struct workshop *workshop, const char *variant,
                            const struct envelope *unit, struct candidate *candidate,
                            struct error *err)
{
    const struct trust_moment moment = now(workshop);
    const struct machine machine = {.platform = platform_here(),
                                    .layers = launcher_layers(workshop->launcher)};
    struct signed_task task = {
        .unit = unit, .app_version = workshop->app, .variant = &candidate->envelope};
    struct digest refused;

    if (envelope_decode(variant, strlen(variant), ENVELOPE_PAYLOAD_MAX, &candidate->envelope,
                        err) != STATUS_OK)
        return REFUSAL_MALFORMED;
    return verify_task(&workshop->profile->trust, &task, &moment, &machine, &candidate->prepared,
                       &refused, err);
}

enum refusal workshop_prepare(const struct workshop *workshop, const struct envelope *unit,
                              struct prepared *ret_prepared, struct error *err)
{
    enum refusal refusal = REFUSAL_NOT_ALLOWED_HERE;

    (void)error_set(err, STATUS_NOT_FOUND, "the site has no program of its app");
    for (size_t i = 0; i < workshop->listed.count; i++) {
        const struct texts *variants = &workshop->listed.apps[i].variants;

        for (size_t j = 0; j < variants->count; j++) {
            CLEANUP(candidate_clear) struct candidate candidate = {0};

            refusal = prepare(workshop, variants->texts[j], unit, &candidate, err);
            if (refusal != REFUSAL_NONE)
                continue;
            *ret_prepared = candidate.prepared;
            candidate.prepared = (struct prepared){0};
            return REFUSAL_NONE;
        }
    }
    return refusal;
}

/* Is it of the class that ran? What nobody signed for, or may not run the unit, is no other. */
static bool is_other_class(const struct workshop *workshop, const struct prepared *prepared,
                           const char *text, struct word *ret_class)
{
    const struct trust *trust = &workshop->profile->trust;
    const struct trust_moment moment = now(workshop);
    const struct checked_app app = {.digest = workshop->app->digest, .app = &prepared->app};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(variant_clear) struct variant variant = {0};

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL) != STATUS_OK ||
        trust_check_variant(trust, &envelope, &app, &moment, &variant, NULL) != REFUSAL_NONE ||
        trust_check_pair(&prepared->unit, &variant, NULL) != REFUSAL_NONE)
        return false;
    *ret_class = variant.class_name;
    return strcmp(variant.class_name.text, prepared->variant.class_name.text) != 0;
}

bool workshop_has_other_class(const struct workshop *workshop, const struct prepared *prepared,
                              struct word *ret_class)
{
    for (size_t i = 0; i < workshop->listed.count; i++) {
        const struct texts *variants = &workshop->listed.apps[i].variants;

        for (size_t j = 0; j < variants->count; j++)
            if (is_other_class(workshop, prepared, variants->texts[j], ret_class))
                return true;
    }
    return false;
}

/* --- its files, and running it --- */

enum status workshop_fill(struct workshop *workshop, size_t slot, const struct prepared *prepared,
                          struct error *err)
{
    struct disk *disk = workshop->profile->session->env->disk;
    const struct disk_path *folder = &workshop->slots[slot].folder;

    TRY(workshop_empty(workshop, slot, err));
    TRY(disk->make_folder(disk, folder->text, 0700, err));
    supply_begin(&workshop->supply, slot, prepared, folder);
    return STATUS_OK;
}

enum status workshop_start(struct workshop *workshop, size_t slot, const struct prepared *prepared,
                           struct error *err)
{
    struct workshop_slot *it = &workshop->slots[slot];
    CLEANUP(task_command_clear) struct task_command command = {.owned_count = 0};

    assert(supply_end(&workshop->supply, slot) != NULL);
    TRY(task_command_make(&command, prepared, it->folder.text, err));
    return workshop->launcher->start(workshop->launcher, &command.spec, &it->task, err);
}

void workshop_look(struct workshop *workshop)
{
    struct launcher *launcher = workshop->launcher;
    struct env *env = workshop->profile->session->env;

    workshop->looked_mono_ms = env->now_mono_ms(env);
    for (size_t i = 0; i < workshop->slot_count; i++) {
        struct workshop_slot *slot = &workshop->slots[i];

        if (slot->task == NULL || !launcher->poll(slot->task, &slot->outcome))
            continue;
        launcher->release(TAKE(slot->task));
        slot->has_ended = true;
    }
}

static enum status collect_all(struct workshop *workshop, const struct collect_request *request,
                               struct collected *ret_collected, struct error *err)
{
    struct launcher *launcher = workshop->launcher;
    struct collection *work = NULL;

    do {
        int64_t bytes = COLLECT_BYTES;

        TRY(launcher->collect(launcher, request, &work, &bytes, ret_collected, err));
        session_meanwhile(workshop->profile->session);
    } while (work != NULL);
    return STATUS_OK;
}

enum status workshop_collect(struct workshop *workshop, size_t slot,
                             const struct app_output *output, struct collected *ret_collected,
                             struct error *err)
{
    struct disk *disk = workshop->profile->session->env->disk;
    struct disk_path to;
    struct collect_request request = {.slot = workshop->slots[slot].folder.text,
                                      .name = output->name.text,
                                      .max_bytes = output->max_bytes,
                                      .to = to.text,
                                      .disk = disk};

    assert(workshop->slots[slot].has_ended);
    TRY(disk_join(&to, err, "%s/spool", workshop->folder.text));
    TRY(disk->remove_tree(disk, to.text, err));
    TRY(disk->make_folder(disk, to.text, 0700, err));
    TRY(place(workshop, &to, err, "spool", output->name.text));
    return collect_all(workshop, &request, ret_collected, err);
}

enum status workshop_empty(struct workshop *workshop, size_t slot, struct error *err)
{
    struct disk *disk = workshop->profile->session->env->disk;
    struct workshop_slot *it = &workshop->slots[slot];

    assert(it->task == NULL);
    it->has_ended = false;
    return disk->remove_tree(disk, it->folder.text, err);
}
