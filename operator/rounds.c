#include "operator/rounds.h"

#include <string.h>

#define BASE_BYTES  8
#define ENTRY_BYTES (BASE_BYTES + DIGEST_BYTES)

struct rounds {
    struct disk *disk; /* borrowed */
    struct disk_file *file;
    int64_t count;
};

static void rounds_close(struct rounds *rounds)
{
    disk_file_close(rounds->file);
}

static enum status rounds_open(const struct batch_record *record, struct rounds *ret_rounds,
                               struct error *err)
{
    struct disk_path path;
    int64_t size = 0;

    *ret_rounds = (struct rounds){.disk = record->disk};
    TRY(disk_join(&path, err, "%s/rounds", record->folder.text));
    TRY(record->disk->open_write(record->disk, path.text, 0600, &ret_rounds->file, err));
    TRY(record->disk->size(ret_rounds->file, &size, err));
    ret_rounds->count = size / ENTRY_BYTES; /* a torn last one never began */
    return STATUS_OK;
}

static enum status entry(const struct rounds *rounds, int64_t number, struct round *ret_round,
                         struct error *err)
{
    uint8_t bytes[ENTRY_BYTES];
    size_t count;

    TRY(rounds->disk->read_at(rounds->file, number * ENTRY_BYTES, bytes, sizeof bytes, &count,
                              err));
    if (count != sizeof bytes)
        return error_set(err, STATUS_STORAGE, "the list of a batch's submissions cannot be read");
    ret_round->base = 0;
    for (size_t i = 0; i < BASE_BYTES; i++)
        ret_round->base = ret_round->base * 256 + bytes[i];
    memcpy(ret_round->fingerprint.bytes, bytes + BASE_BYTES, DIGEST_BYTES);
    return STATUS_OK;
}

/* Of the last one that begins at or before `index`; -1: none does. */
static enum status find(const struct rounds *rounds, int64_t index, int64_t *ret_number,
                        struct round *ret_round, struct error *err)
{
    struct round round = {.base = INT64_MAX}, later;
    int64_t number = rounds->count;

    do {
        later = round;
        if (--number < 0)
            break;
        TRY(entry(rounds, number, &round, err));
    } while (round.base > index);
    *ret_number = number;
    *ret_round = round;
    ret_round->end = later.base;
    return STATUS_OK;
}

enum status rounds_begin(const struct batch_record *record, struct error *err)
{
    CLEANUP(rounds_close) struct rounds rounds = {0};
    uint8_t bytes[ENTRY_BYTES];
    uint64_t base = (uint64_t)record->base;
    struct round before;
    int64_t number;

    TRY(rounds_open(record, &rounds, err));
    TRY(find(&rounds, record->base, &number, &before, err));
    if (number >= 0 && before.base == record->base &&
        digest_equals(&before.fingerprint, &record->fingerprint))
        return STATUS_OK;
    if (number < 0 || before.base < record->base)
        number++;
    for (size_t i = BASE_BYTES; i > 0; i--, base /= 256)
        bytes[i - 1] = (uint8_t)(base % 256);
    memcpy(bytes + BASE_BYTES, record->fingerprint.bytes, DIGEST_BYTES);
    TRY(rounds.disk->truncate(rounds.file, number * ENTRY_BYTES, err));
    TRY(rounds.disk->write_at(rounds.file, number * ENTRY_BYTES, bytes, sizeof bytes, err));
    TRY(rounds.disk->sync(rounds.file, err));
    return rounds.disk->sync_folder(rounds.disk, record->folder.text, err);
}

enum status rounds_of(const struct batch_record *record, int64_t index, struct round *ret_round,
                      struct error *err)
{
    CLEANUP(rounds_close) struct rounds rounds = {0};
    int64_t number;

    TRY(rounds_open(record, &rounds, err));
    TRY(find(&rounds, index, &number, ret_round, err));
    if (number < 0)
        return error_set(err, STATUS_NOT_FOUND, "it is not known which submissions made the batch");
    return STATUS_OK;
}
