/* What every decoder of a message promises: what it took can be written, and read as the same. */
#ifndef TESTS_FUZZ_ROUND_TRIP_H
#define TESTS_FUZZ_ROUND_TRIP_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Defines check_<name>(): true if the bytes were taken. `clear` releases a struct <type>. */
#define ROUND_TRIP(name, type, decode, encode, clear)                                              \
    static bool check_##name(const char *body, size_t length)                                      \
    {                                                                                              \
        struct type first = {0}, second = {0};                                                     \
        char *text, *again;                                                                        \
                                                                                                   \
        if (decode(body, length, &first, NULL) != STATUS_OK)                                       \
            return false;                                                                          \
        text = encode(&first);                                                                     \
        assert(decode(text, strlen(text), &second, NULL) == STATUS_OK);                            \
        again = encode(&second);                                                                   \
        assert(strcmp(text, again) == 0);                                                          \
        free(text);                                                                                \
        free(again);                                                                               \
        clear(&first);                                                                             \
        clear(&second);                                                                            \
        return true;                                                                               \
    }

#define OWNS_NOTHING(message) ((void)(message))

#endif
