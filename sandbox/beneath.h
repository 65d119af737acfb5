/* Files of a slot, which is hostile ground: a name in it may be a link to a file of the owner's. */
#ifndef SANDBOX_BENEATH_H
#define SANDBOX_BENEATH_H

/*
 * Open what is there for reading, without following any link, and without waiting for the other end
 * of a pipe. `name` has no slash. Returns a descriptor, to be closed; -1: errno. What it is, a
 * regular file or not, is the caller's to look at.
 */
int open_beneath(int slot, const char *name);

#endif
