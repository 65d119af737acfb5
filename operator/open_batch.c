#include "operator/open_batch.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/batches.h"
#include "operator/rounds.h"

struct opening {
    struct profile *profile;
    const struct submission *submission;
    struct batch_record *record;
    struct known_app *app;
};

static enum status make_name(struct opening *opening, char *ret_name, size_t size)
{
    struct env *env = opening->profile->session->env;
    const char *name = opening->submission->name;
    uint8_t random[3];
    char hex[2 * sizeof random + 1];

    env->random(env, random, sizeof random);
    text_from_bytes(random, sizeof random, hex);
    if (name != NULL)
        (void)snprintf(ret_name, size, "%s", name);
    else
        (void)snprintf(ret_name, size, "%s-%s", opening->app->app.name.text, hex);
    return STATUS_OK;
}

static enum status new_record(struct opening *opening, struct error *err)
{
    struct env *env = opening->profile->session->env;
    struct batch_record *record = opening->record;
    const struct submission *submission = opening->submission;
    int64_t now_s = env->now_s(env);

    *record = (struct batch_record){
        .app_version = opening->app->envelope.digest,
        .created_s = now_s,
        .not_after_s = now_s + submission->valid_s,
        .keyring_version = opening->profile->trust.keyring.version,
        .needed_by_s = submission->needed_by_s > 0 ? now_s + submission->needed_by_s : 0,
        .fingerprint = submission_fingerprint(submission),
    };
    env->random(env, record->batch.bytes, sizeof record->batch.bytes);
    TRY(make_name(opening, record->name, sizeof record->name));
    TRY(batch_record_make(opening->profile, record, &opening->app->envelope, err));
    return rounds_begin(record, err);
}

static enum status continue_record(struct opening *opening, struct error *err)
{
    struct digest fingerprint = submission_fingerprint(opening->submission);
    struct batch_record *record = opening->record;

    if (!record->is_sent && digest_equals(&record->fingerprint, &fingerprint))
        return rounds_begin(record, err); /* an attempt that was cut short, maybe before this */
    if (!record->is_sent)
        return error_set(
            err, STATUS_CONFLICT,
            "an earlier 'submit --name %.60s' did not come to its end: repeat that one, "
            "with the options it had",
            record->name);
    if (!opening->submission->is_appending)
        return error_set(err, STATUS_CONFLICT,
                         "the batch \"%.60s\" was submitted with other options or inputs: use "
                         "another --name, or --append",
                         record->name);
    TRY(batch_record_count(record, &record->base, err));
    record->fingerprint = fingerprint;
    record->is_sent = false;
    TRY(rounds_begin(record, err));
    return batch_record_save(record, err);
}

/* A batch goes on with the app version that it began with. */
static enum status recall_app(struct opening *opening, struct error *err)
{
    const struct envelope *envelope = &opening->app->envelope;

    known_app_clear(opening->app);
    TRY(batch_record_app(opening->record, &opening->app->envelope, err));
    TRY(app_version_decode(envelope->payload, envelope->payload_length, &opening->app->app, err));
    if (strcmp(opening->app->app.name.text, opening->submission->options->operands[0]) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT, "the batch is of the app \"%s\"",
                     opening->app->app.name.text);
}

static enum status open_record(struct opening *opening, struct error *err)
{
    const char *name = opening->submission->name;
    enum status status = STATUS_NOT_FOUND;

    if (name != NULL)
        status = batch_record_open(opening->profile, name, opening->record, err);
    if (status == STATUS_NOT_FOUND) {
        TRY(apps_find_runnable(opening->profile, opening->submission->options->operands[0],
                               &opening->submission->common.only, opening->app, err));
        return new_record(opening, err);
    }
    TRY(status);
    TRY(recall_app(opening, err));
    return continue_record(opening, err);
}

enum status open_batch(struct profile *profile, const struct submission *submission,
                       struct batch_record *record, struct known_app *app, struct error *err)
{
    struct opening opening = {profile, submission, record, app};

    return open_record(&opening, err);
}

enum status create_batch(struct profile *profile, const struct submission *submission,
                         const struct batch_record *record, int64_t *ret_known, struct error *err)
{
    struct batch_request request = {
        .batch = record->batch,
        .app_version = record->app_version,
        .priority = (int32_t)submission->priority,
        .needed_by_s = record->needed_by_s,
    };
    struct batch_status status;
    enum status answer;

    memcpy(request.name, record->name, sizeof request.name);
    answer = batch_create(profile, &request, &status, err);
    if (answer == STATUS_CONFLICT && record->base > 0) /* appended with another priority */
        answer = batch_ask(profile, batch_format(&record->batch).text, &status, err);
    if (answer == STATUS_NOT_FOUND)
        (void)error_set(err, answer,
                        "the site does not know the app version of this batch: 'dugnad app add' it "
                        "again, with the program and options it had");
    TRY(answer);
    if (status.units < record->base)
        return error_set(err, STATUS_CONFLICT,
                         "the site lost units of \"%.60s\" meanwhile: repeat this command",
                         record->name);
    *ret_known = status.units - record->base;
    return STATUS_OK;
}

/* --- a submission that came to its end, or was cut after others did --- */

/* A profile from before rounds were listed knows of those since, and of the last one. */
static enum status round_of(const struct batch_record *record, int64_t index,
                            struct round *ret_round, struct error *err)
{
    enum status status = rounds_of(record, index, ret_round, err);

    if (status != STATUS_NOT_FOUND)
        return status;
    if (index < record->base)
        return error_set(err, STATUS_CONFLICT,
                         "the site lacks units of \"%.60s\" from number %" PRId64
                         " on, and this profile does not know which 'submit' made them: use "
                         "another --name",
                         record->name, index);
    *ret_round = (struct round){record->base, INT64_MAX, record->fingerprint};
    return STATUS_OK;
}

/* Rounds are sent again in the order in which they were sent first. */
static enum status begin_again(const struct opening *opening, const struct digest *fingerprint,
                               int64_t known, struct error *err)
{
    struct batch_record *record = opening->record;
    struct round round;

    TRY(round_of(record, known, &round, err));
    if (!digest_equals(&round.fingerprint, fingerprint))
        return error_set(err, STATUS_CONFLICT,
                         "the site lacks units of \"%.60s\" from number %" PRId64
                         " on: repeat first the 'submit' that began with unit %" PRId64
                         ", with the options and inputs it had, then those after it",
                         record->name, known, round.base);
    session_say(opening->profile->session, opening->submission->options,
                "The site lacks batch %s or a part of it: it is sent again.", record->name);
    record->base = round.base;
    record->fingerprint = round.fingerprint;
    record->is_sent = false;
    return batch_record_save(record, err);
}

/*
 * A site that was restored from an older copy may have nothing of it, or a part. Signed again it is
 * what it was, byte for byte: hosts keep what they computed under these digests.
 */
static enum status look_for_lost(const struct opening *opening, const struct digest *fingerprint,
                                 bool *ret_is_lost, struct error *err)
{
    struct batch_record *record = opening->record;
    struct batch_status status = {0};
    int64_t due = record->base; /* one that was cut goes on by itself */
    enum status answer =
        batch_ask(opening->profile, batch_format(&record->batch).text, &status, err);

    if (answer == STATUS_NOT_FOUND)
        opening->profile->session->was_refused = false; /* it is an answer: none of its units */
    else
        TRY(answer);
    if (record->is_sent)
        TRY(batch_record_count(record, &due, err));
    *ret_is_lost = status.units < due;
    return *ret_is_lost ? begin_again(opening, fingerprint, status.units, err) : STATUS_OK;
}

enum status open_sent_batch(struct profile *profile, const struct submission *submission,
                            struct batch_record *record, struct known_app *app, bool *ret_is_sent,
                            struct error *err)
{
    struct opening opening = {profile, submission, record, app};
    struct digest fingerprint = submission_fingerprint(submission);
    bool is_lost = false;
    enum status status;

    *ret_is_sent = false;
    if (submission->name == NULL)
        return STATUS_OK;
    status = batch_record_open(profile, submission->name, record, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    if (record->is_sent || record->base > 0)
        TRY(look_for_lost(&opening, &fingerprint, &is_lost, err));
    *ret_is_sent = record->is_sent && !is_lost && !submission->is_appending &&
                   digest_equals(&record->fingerprint, &fingerprint);
    if (*ret_is_sent)
        return recall_app(&opening, err);
    batch_record_clear(record);
    return STATUS_OK;
}

static enum status compare_unit(const struct batch_record *record, const struct digest *digest,
                                int64_t index, struct error *err)
{
    struct digest listed;

    TRY(batch_record_unit(record, index, &listed, err));
    if (digest_equals(&listed, digest))
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT,
                     "unit %" PRId64
                     " is not what it was when \"%.60s\" was submitted: use another "
                     "--name",
                     index, record->name);
}

enum status compare_sent_batch(struct profile *profile, const struct submission *submission,
                               const struct batch_record *record, struct unit_source *source,
                               int64_t *ret_units, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    int64_t listed, index = record->base;

    TRY(batch_record_count(record, &listed, err));
    for (; !session_is_interrupted(profile->session); index++) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
        CLEANUP(prepared_unit_clear) struct prepared_unit prepared = {0};
        bool is_there;

        TRY(unit_source_next(source, &draft, &is_there, err));
        if (!is_there && index == listed) {
            *ret_units = listed - record->base;
            return STATUS_OK;
        }
        if (!is_there || index == listed)
            return error_set(err, STATUS_CONFLICT,
                             "%" PRId64 " units of \"%.60s\" were submitted, and there are %s now: "
                             "use another --name",
                             listed - record->base, record->name, is_there ? "more" : "fewer");
        TRY(submission_prepare(submission, disk, &draft, index, &prepared, err));
        TRY(compare_unit(record, &prepared.digest, index, err));
    }
    return error_set(err, STATUS_CONFLICT, "interrupted");
}
