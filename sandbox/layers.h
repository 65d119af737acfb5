/*
 * What keeps a task in its place, one layer per thing. Each is used where the kernel has it, and
 * reported. Today's layers end a task with its client, keep it from the network, and bound what it
 * may use. They do NOT yet hide files: a task can read and write what its user can.
 *
 * A new layer is a row here, a row in layers.c and the function it names.
 */
#ifndef SANDBOX_LAYERS_H
#define SANDBOX_LAYERS_H

#include <stdint.h>

/*  X(symbol, name, what it does, in words that follow "This machine")  */
#define LAYER_TABLE(X)                                                                             \
    X(USER_NAMESPACE, "user-namespace", "gives a task no rights beyond its own processes")         \
    X(PID_NAMESPACE, "pid-namespace", "ends all of a task's processes at once")                    \
    X(NETWORK_NAMESPACE, "network-namespace", "gives a task no network")                           \
    X(SUBREAPER, "subreaper", "finds the processes a task left behind")                            \
    X(PARENT_DEATH, "parent-death", "ends a task when its client ends")                            \
    X(NO_NEW_PRIVILEGES, "no-new-privileges", "makes set-user-id programs useless to a task")      \
    X(CAPABILITIES, "capabilities", "takes every capability from a task")                          \
    X(RESOURCE_LIMITS, "resource-limits", "bounds what each process of a task uses")               \
    X(IDLE_PRIORITY, "idle-priority", "lets everything else run first")                            \
    X(DESCRIPTORS, "descriptors", "passes a task no open file but its own")

enum layer {
#define X(symbol, name, words) LAYER_##symbol,
    LAYER_TABLE(X)
#undef X
        LAYER_COUNT,
};

/* A set of layers is a uint32_t: bit i stands for the layer of value i. */
#define LAYER_BIT(layer) (UINT32_C(1) << (layer))
#define LAYERS_ALL       (LAYER_BIT(LAYER_COUNT) - 1)

/* As app versions and the client's report name it. */
const char *layer_name(enum layer layer);

/* What it does; begins with a verb in the third person. */
const char *layer_words(enum layer layer);

/* The layer of this name; LAYER_COUNT: none. */
enum layer layer_from_name(const char *name);

#endif
