/* The settings of dugnad-client, from a file and the command line. The table is config.def. */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/disk.h"
#include "common/base/error.h"

#define CONFIG_FILE_MAX (64 * 1024)

/* Counts, bytes or seconds, as config.def says. */
struct config {
#define X(name, kind, least, most, absent, words) int64_t name;
#include "client/config.def"
#undef X
    uint64_t given; /* which were set: one bit each, in the order of the table */
};

void client_config_init(struct config *ret_config);

/* STATUS_INVALID: an unknown name, or a value outside its bounds; the words say which. */
enum status client_config_set(struct config *config, const char *name, const char *value,
                              struct error *err) MUST_USE;

/* "name=value", as after --set. */
enum status client_config_set_pair(struct config *config, const char *pair, struct error *err)
    MUST_USE;

/*
 * Holds the settings to each other, once all are set. retry_last is no less than retry_first: a
 * default gives way to what was given, and of two given ones STATUS_INVALID names both.
 */
enum status client_config_settle(struct config *config, struct error *err) MUST_USE;

/*
 * A file of lines "name = value" and comments (# or ;). STATUS_INVALID also names the line; the
 * lines before it have been taken.
 */
enum status client_config_read(struct config *config, struct disk *disk, const char *path,
                               struct error *err) MUST_USE;

/* The table in words, one setting after the other: for --help and the manual. */
void client_config_describe(struct buffer *text);

/* A file with every setting at its default, commented out. */
void client_config_sample(struct buffer *text);

#endif
