/*
 * What tasks "compute": so many bytes that follow from the unit alone, so that honest hosts agree.
 * A liar's follow from the unit and himself.
 */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"

/* Bytes from..from+count of the output of `unit`; `lie` 0: the honest one. */
void output_fill(const struct digest *unit, uint64_t lie, size_t from, char *ret_bytes,
                 size_t count);

/* The digest of its first `size` bytes. */
struct digest output_digest(const struct digest *unit, uint64_t lie, size_t size);

#endif
