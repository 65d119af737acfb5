/* What a program file is for, by its first bytes. */
#ifndef OPERATOR_PLATFORM_H
#define OPERATOR_PLATFORM_H

#include <stddef.h>

#define PLATFORM_HERE "x86_64-linux-gnu" /* of scripts, which name no machine */
#define PLATFORM_WASM "wasm32-wasi"
#define PLATFORM_HEAD 20 /* bytes that are looked at */

/* Static; NULL: a binary of a kind that no client runs. */
const char *platform_of(const unsigned char *head, size_t length);

#endif
