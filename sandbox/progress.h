/*
 * How far a task is, as it says itself (work-units/sdk/dugnad.h): a file in its slot that holds a
 * fraction of one, and a newline. Hostile ground, as for outputs: no link is followed, nothing but
 * a regular file is read, and no more of it than such a number has.
 */
#ifndef SANDBOX_PROGRESS_H
#define SANDBOX_PROGRESS_H

#define PROGRESS_FILE "dugnad-progress"

/* In thousandths, 0..1000; 0 as well where there is no such file, or where its first line is
 * anything else. Never waits. `slot`: the folder's descriptor. */
int progress_of_slot(int slot);

#endif
