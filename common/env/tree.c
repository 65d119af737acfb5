#define _GNU_SOURCE 1 /* O_PATH */
#include "common/base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

/* What lies deeper than one level below the root is moved up there, so that neither descriptors nor
 * paths run out, however deep it was. */
struct removal {
    int root;
    unsigned long moved; /* folders so far: their new names */
};

static void close_descriptor(int *descriptor)
{
    int cause = errno;

    if (*descriptor >= 0)
        (void)close(*descriptor);
    errno = cause;
}

static void close_listing(DIR **listing)
{
    int cause = errno;

    if (*listing != NULL)
        (void)closedir(*listing);
    errno = cause;
}

/* An O_PATH descriptor needs no permission and follows no link; /proc leads from it to the folder
 * itself. Where it is not ours to change, opening says so. */
int tree_open(int parent, const char *path)
{
    CLEANUP(close_descriptor)
    int handle = openat(parent, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char self[64];

    if (handle < 0)
        return -1;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", handle);
    (void)chmod(self, 0700);
    return openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int move_up(struct removal *it, int folder, const char *name)
{
    /* Only a folder that we may write to can get another parent. */
    CLEANUP(close_descriptor) int child = tree_open(folder, name);
    char to[32];

    if (child < 0)
        return -1;
    do {
        (void)snprintf(to, sizeof to, "moved-%lu", it->moved++);
        if (renameat(folder, name, it->root, to) == 0)
            return 0;
    } while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
    return -1;
}

static int remove_plainly(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0)
        return 0;
    return errno == EISDIR || errno == EPERM ? unlinkat(folder, name, AT_REMOVEDIR) : -1;
}

static bool is_entry(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The folders in it become children of the root. */
static int empty_child(struct removal *it, const char *name)
{
    CLEANUP(close_descriptor) int child = tree_open(it->root, name);
    CLEANUP(close_listing) DIR *listing = child >= 0 ? fdopendir(child) : NULL;
    const struct dirent *entry;
    int folder = child;

    if (listing == NULL)
        return -1;
    child = -1; /* the listing's now */
    while ((entry = readdir(listing)) != NULL)
        if (is_entry(entry->d_name) && remove_plainly(folder, entry->d_name) != 0 &&
            ((errno != ENOTEMPTY && errno != EEXIST) || move_up(it, folder, entry->d_name) != 0))
            return -1;
    return unlinkat(it->root, name, AT_REMOVEDIR);
}

/* One pass; < 0: failed, else how many entries it met. */
static long remove_children(struct removal *it)
{
    CLEANUP(close_descriptor) int again = openat(it->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_listing) DIR *listing = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *entry;
    long met = 0;

    if (listing == NULL)
        return -1;
    again = -1;
    while ((entry = readdir(listing)) != NULL) {
        if (!is_entry(entry->d_name))
            continue;
        met++;
        if (remove_plainly(it->root, entry->d_name) != 0 && errno != ENOENT &&
            ((errno != ENOTEMPTY && errno != EEXIST) || empty_child(it, entry->d_name) != 0))
            return -1;
    }
    return met;
}

static int remove_folder(const char *path)
{
    CLEANUP(close_descriptor) int root = tree_open(AT_FDCWD, path);
    struct removal it = {.root = root};
    long met;

    if (root < 0)
        return -1;
    while ((met = remove_children(&it)) > 0)
        continue;
    return met < 0 ? -1 : rmdir(path);
}

int tree_remove(const char *path)
{
    if (remove_plainly(AT_FDCWD, path) == 0)
        return 0;
    return errno == ENOTEMPTY || errno == EEXIST ? remove_folder(path) : -1;
}
