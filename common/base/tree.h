/*
 * Folders that belong to someone hostile: a task may take away its own permissions, nest folders
 * deeper than a path is long, and leave links. Nothing of it may be alive any more.
 *
 * For those alone who touch the real file system: the real disk (common/env/, where this is done)
 * and sandbox/, whose slots are on no other.
 */
#ifndef COMMON_BASE_TREE_H
#define COMMON_BASE_TREE_H

/*
 * Open a folder to be read, its permissions made 0700 before if it is ours. The last part of the
 * path is not followed if it is a link. Returns a descriptor; < 0: errno says why.
 */
int tree_open(int parent, const char *path);

/* Remove it with all it holds; never follows a link. 0, or < 0: errno says why. */
int tree_remove(const char *path);

#endif
