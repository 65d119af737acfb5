/*
 * For apps, if they like: how far a task is. No library is needed, and an app that does without, or
 * is not written in C, writes the same file (docs/APPS.md). Run outside of Dugnad it is a file that
 * nobody reads.
 */
#ifndef DUGNAD_H
#define DUGNAD_H

#include <stdio.h>

/* In the task's own folder; rewritten in place, so that its length never changes. */
#define DUGNAD_PROGRESS_FILE "dugnad-progress"

/*
 * `done` of `all` steps that take about as long each; 0 <= done <= all, all > 0. Cheap, but a file:
 * call it about once a second, or for each of some hundred steps. Returns 0; -1: the arguments are
 * wrong, or the file could not be written (errno), which an app may ignore.
 */
static inline int dugnad_progress(double done, double all)
{
    FILE *file;
    int is_bad;

    if (!(all > 0) || !(done >= 0) || done > all)
        return -1;
    file = fopen(DUGNAD_PROGRESS_FILE, "r+");
    if (file == NULL)
        file = fopen(DUGNAD_PROGRESS_FILE, "w");
    if (file == NULL)
        return -1;
    is_bad = fprintf(file, "%.4f\n", done / all) < 0;
    return fclose(file) != 0 || is_bad ? -1 : 0;
}

#endif
