/*
 * A disk in front of the real one that fails when told to: at one step of those that change
 * something, as a power cut or for want of room; or at every reading of some files. A power cut
 * also takes back what was written to a file and never synced, and the files and folders that were
 * made in a folder and it never synced.
 */
#ifndef TESTS_SUPPORT_FAILING_DISK_H
#define TESTS_SUPPORT_FAILING_DISK_H

#include "common/base/disk.h"

#define FAILING_FILES_MAX 1024

enum failing_kind {
    FAILING_POWER, /* from that step on everything fails */
    FAILING_ROOM,  /* that step and every later one that needs room: STATUS_FULL */
};

struct failing_disk {
    struct disk base; /* first */
    struct disk *real;
    enum failing_kind kind;
    int steps_left; /* changes that still succeed; < 0: all */
    bool is_down;
    struct disk_space told; /* what it says of its space; total_bytes 0: as it is */
    int64_t moved_bytes;    /* read and written in pieces, ever */
    int64_t syncs;          /* that the real disk does, ever: of files and of folders */
    int64_t renames;        /* likewise */
    const char *unreadable; /* what ends so cannot be read (STATUS_STORAGE); NULL: all can */
    struct {
        char path[DISK_PATH_MAX]; /* "": free */
        int64_t synced;           /* bytes that a power cut would leave */
    } unsynced[FAILING_FILES_MAX];
    char made[FAILING_FILES_MAX][DISK_PATH_MAX]; /* their folder was not synced since; "": free */
    size_t next_made;                            /* the oldest; it gives way */
};

void failing_disk_init(struct failing_disk *ret_disk, struct disk *real);

/* From now on: the step after `steps` changes fails. */
void failing_disk_arm(struct failing_disk *disk, enum failing_kind kind, int steps);

/* Power is back, the disk as the cut left it. True: it had failed. */
bool failing_disk_repair(struct failing_disk *disk);

#endif
