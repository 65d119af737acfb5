/*
 * main() of a fuzz target that is built without a fuzzer: gives it every file of its corpus, and
 * every file cut short at each of its first bytes, for decoders fail most at the edges.
 *
 * Usage: fuzz_NAME [FOLDER]; without it, $DUGNAD_SOURCE/tests/fuzz/corpus/NAME.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "tests/fuzz/fuzz.h"

#define SEED_MAX_BYTES (1 << 20)
#define CUTS_MAX       512

/* Copied to its exact size, so that AddressSanitizer sees a read beyond the end. */
static void give(const char *bytes, size_t length)
{
    CLEANUP(freep) char *exact = must_alloc(length, 1);

    memcpy(exact, bytes, length);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, length);
}

static bool replay(struct disk *disk, const char *folder, const char *name)
{
    CLEANUP(buffer_clear) struct buffer seed;
    struct disk_path path;
    struct error err;

    buffer_init(&seed, SEED_MAX_BYTES);
    if (disk_join(&path, &err, "%s/%s", folder, name) != STATUS_OK ||
        disk->read(disk, path.text, &seed, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", name, err.text);
        return false;
    }
    give(buffer_text(&seed), seed.length);
    for (size_t cut = 0; cut < seed.length && cut < CUTS_MAX; cut++)
        give(seed.bytes, cut);
    return true;
}

static char *corpus_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash != NULL ? slash + 1 : program;
    const char *source = getenv("DUGNAD_SOURCE");

    return text_format("%s/tests/fuzz/corpus/%s", source != NULL ? source : ".",
                       name + (text_starts_with(name, "fuzz_") ? strlen("fuzz_") : 0));
}

int main(int argc, char **argv)
{
    CLEANUP(freep) char *folder = argc > 1 ? text_copy(argv[1]) : corpus_of(argv[0]);
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk *disk = disk_real();
    struct error err;

    if (disk->list(disk, folder, &names, &err) != STATUS_OK || names.count == 0) {
        (void)fprintf(stderr, "%s: no corpus\n", folder);
        return 1;
    }
    for (size_t i = 0; i < names.count; i++)
        if (!replay(disk, folder, names.names[i]))
            return 1;
    (void)printf("%zu seeds of %s\n", names.count, folder);
    return 0;
}
