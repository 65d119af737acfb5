/* How the command ends. Scripts rely on these: a code keeps its meaning. */
#ifndef OPERATOR_EXIT_CODES_H
#define OPERATOR_EXIT_CODES_H

/*  X(symbol, code, words)  */
#define EXIT_TABLE(X)                                                                              \
    X(DONE, 0, "it is done")                                                                       \
    X(FAILED, 1, "it failed on this machine: a file, the disk")                                    \
    X(USAGE, 2, "the command line is wrong")                                                       \
    X(NOT_ALL, 3, "not everything is there: units failed, or the batch has not ended")             \
    X(UNREACHABLE, 4, "the server cannot be reached, or is too busy")                              \
    X(REFUSED, 5, "the server refused it")                                                         \
    X(UNTRUSTED, 6, "a signature, a certificate or a result does not hold")                        \
    X(HELD, 7, "another dugnad is at work on the profile, batch or folder; repeat it later")       \
    X(INTERRUPTED, 130, "it was interrupted; the same command goes on where it stopped")

enum operator_exit {
#define X(symbol, code, words) EXIT_##symbol = (code),
    EXIT_TABLE(X)
#undef X
};

#endif
