#include "server/site/database_log.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES   32
#define FRAME_BYTES    24          /* before each page */
#define MAGIC          0x377f0682u /* the lowest bit: the sums are of big-endian words */
#define PAGE_MIN       512
#define PAGE_MAX       65536
#define DATABASE_BYTES 100 /* of the database's own header */

struct sums {
    uint32_t a, b;
    bool is_big_endian;
};

struct frame {
    uint32_t page, commit; /* `commit`: pages of the database after the transaction; 0: goes on */
    uint32_t salts[2];
    uint32_t sums[2];
};

struct looking {
    struct disk *disk;
    struct disk_file *file; /* owned */
    uint32_t page_bytes;
    uint32_t salts[2];
    struct sums sums;     /* up to the last frame that holds */
    unsigned char *bytes; /* owned; of one frame with its page */
    uint32_t counter;     /* of the database's first page: rises with each of its changes */
    uint32_t first, last; /* the same in the log's frames of that page; 0: none yet */
    uint32_t database_page_bytes;
};

static void looking_clear(struct looking *it)
{
    disk_file_close(it->file);
    free(it->bytes);
}

static uint32_t big(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little(const unsigned char *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void add(struct sums *sums, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        sums->a += (sums->is_big_endian ? big(bytes + i) : little(bytes + i)) + sums->b;
        sums->b += (sums->is_big_endian ? big(bytes + i + 4) : little(bytes + i + 4)) + sums->a;
    }
}

static bool is_page_size(uint32_t bytes)
{
    return bytes >= PAGE_MIN && bytes <= PAGE_MAX && (bytes & (bytes - 1)) == 0;
}

static bool is_blank(const unsigned char *header, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (header[i] != 0)
            return false;
    return true;
}

static enum wal_kind take_header(struct looking *it, const unsigned char *header, size_t length)
{
    if (length < HEADER_BYTES || is_blank(header, length))
        return WAL_BLANK;
    it->sums = (struct sums){.is_big_endian = (header[3] & 1) != 0};
    it->page_bytes = big(header + 8);
    memcpy(it->salts, (uint32_t[]){big(header + 16), big(header + 20)}, sizeof it->salts);
    add(&it->sums, header, HEADER_BYTES - 8);
    if ((big(header) | 1) != (MAGIC | 1) || !is_page_size(it->page_bytes) ||
        big(header + 24) != it->sums.a || big(header + 28) != it->sums.b)
        return WAL_IS_NONE;
    return it->page_bytes == it->database_page_bytes ? WAL_FITS : WAL_OF_ANOTHER;
}

static enum status read_database(struct looking *it, const char *database, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    unsigned char header[DATABASE_BYTES] = {0};
    size_t count;

    TRY(it->disk->open_read(it->disk, database, &file, err));
    TRY(it->disk->read_at(file, 0, header, sizeof header, &count, err));
    it->database_page_bytes = (uint32_t)header[16] << 8 | header[17];
    if (it->database_page_bytes == 1)
        it->database_page_bytes = PAGE_MAX;
    it->counter = big(header + 24);
    return STATUS_OK;
}

/* *ret_is_there false: the file ends before it does. */
static enum status read_frame(struct looking *it, int64_t index, struct frame *ret_frame,
                              bool *ret_is_there, struct error *err)
{
    size_t length = FRAME_BYTES + it->page_bytes, count;
    const unsigned char *head = it->bytes;

    TRY(it->disk->read_at(it->file, HEADER_BYTES + index * (int64_t)length, it->bytes, length,
                          &count, err));
    *ret_is_there = count == length;
    *ret_frame = (struct frame){.page = big(head),
                                .commit = big(head + 4),
                                .salts = {big(head + 8), big(head + 12)},
                                .sums = {big(head + 16), big(head + 20)}};
    return STATUS_OK;
}

static bool is_of_this_round(const struct looking *it, const struct frame *frame)
{
    return frame->salts[0] == it->salts[0] && frame->salts[1] == it->salts[1];
}

/* With all before it. */
static bool holds(struct looking *it, const struct frame *frame)
{
    struct sums sums = it->sums;

    add(&sums, it->bytes, 8);
    add(&sums, it->bytes + FRAME_BYTES, it->page_bytes);
    if (frame->page == 0 || !is_of_this_round(it, frame) || sums.a != frame->sums[0] ||
        sums.b != frame->sums[1])
        return false;
    it->sums = sums;
    return true;
}

static void note_counter(struct looking *it, const struct frame *frame)
{
    if (frame->page != 1)
        return;
    it->last = big(it->bytes + FRAME_BYTES + 24);
    if (it->first == 0)
        it->first = it->last;
}

/* Pages of the log come into the database in their order: the first page is as it was when the log
 * was begun, or as one of the log's frames has it. */
static bool fits_database(const struct looking *it)
{
    return it->first == 0 || it->counter - (it->first - 1) <= it->last - (it->first - 1);
}

/* After the last that holds: is there a transaction that ended, and another after it? */
static enum status look_behind(struct looking *it, int64_t index, struct database_log *log,
                               struct error *err)
{
    struct frame frame, ended = {0};
    bool is_there;

    for (;; index++) {
        TRY(read_frame(it, index, &frame, &is_there, err));
        if (!is_there)
            return STATUS_OK;
        if (!is_of_this_round(it, &frame))
            continue;
        log->passed++;
        /* The frame that ends one may be repeated, to fill a sector. */
        if (ended.commit != 0 && (frame.page != ended.page || frame.commit != ended.commit))
            log->kind = WAL_DAMAGED;
        if (frame.commit != 0)
            ended = frame;
    }
}

static enum status look_at_frames(struct looking *it, struct database_log *log, struct error *err)
{
    int64_t index = 0;

    for (;; index++) {
        struct frame frame;
        bool is_there;

        TRY(read_frame(it, index, &frame, &is_there, err));
        if (!is_there || !holds(it, &frame))
            break;
        note_counter(it, &frame);
        if (frame.commit != 0)
            log->taken = index + 1;
    }
    log->passed = index - log->taken;
    if (log->taken > 0 && !fits_database(it))
        log->kind = WAL_OF_ANOTHER;
    return look_behind(it, index, log, err);
}

enum status database_log_look(struct disk *disk, const char *database, const char *log,
                              struct database_log *ret_log, struct error *err)
{
    CLEANUP(looking_clear) struct looking it = {.disk = disk};
    struct database_log found = {.kind = WAL_BLANK};
    unsigned char header[HEADER_BYTES];
    size_t count;

    TRY(read_database(&it, database, err));
    TRY(disk->open_read(disk, log, &it.file, err));
    TRY(disk->read_at(it.file, 0, header, sizeof header, &count, err));
    found.kind = take_header(&it, header, count);
    if (found.kind == WAL_FITS) {
        it.bytes = malloc(FRAME_BYTES + it.page_bytes);
        if (it.bytes == NULL)
            abort();
        TRY(look_at_frames(&it, &found, err));
    }
    *ret_log = found;
    return STATUS_OK;
}
