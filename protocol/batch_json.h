/* A batch's status as part of other messages. Only protocol/ uses it. */
#ifndef PROTOCOL_BATCH_JSON_H
#define PROTOCOL_BATCH_JSON_H

#include "protocol/batch.h"
#include "protocol/reading.h"
#include "protocol/writer.h"

struct batch_status read_batch_status(struct members *members);
void write_batch_status(struct writer *writer, const struct batch_status *status);
enum batch_phase read_batch_phase(struct members *members, const char *name);

#endif
