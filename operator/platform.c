#include "operator/platform.h"

#include <string.h>

/* Where an ELF header says which machine it is for, little-endian. */
#define ELF_MACHINE 18

const char *platform_of(const unsigned char *head, size_t length)
{
    static const struct {
        unsigned machine;
        const char *platform;
    } machines[] = {
        {62, "x86_64-linux-gnu"}, {183, "aarch64-linux-gnu"}, {243, "riscv64-linux-gnu"}};

    if (length >= 4 && memcmp(head, "\0asm", 4) == 0)
        return PLATFORM_WASM;
    if (length >= 2 && memcmp(head, "#!", 2) == 0)
        return PLATFORM_HERE;
    if (length < PLATFORM_HEAD || memcmp(head, "\177ELF", 4) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].machine == (unsigned)(head[ELF_MACHINE] | head[ELF_MACHINE + 1] << 8))
            return machines[i].platform;
    return NULL;
}
