/*
 * What stands after `--`: arguments with places for what differs between units.
 *
 *   {from} {to}  the unit's part of --range          {name}   the unit's name
 *   {input}      its input file's name               {index}  its number in the batch
 *
 * An argument that is exactly "{input}" becomes as many arguments as the unit has inputs; within
 * other text a unit must have one input. All else in braces stays as it is (awk '{print $1}').
 */
#ifndef OPERATOR_TEMPLATE_H
#define OPERATOR_TEMPLATE_H

#include "common/base/error.h"
#include "work-units/names.h"

struct template_values {
    const char *name;
    int64_t index;
    bool has_range;
    int64_t from, to;
    const struct texts *inputs; /* their names in the task's folder */
};

/* Append what `text` becomes. STATUS_INVALID names the place that is unknown or has no value here.
 */
enum status template_expand(const char *text, const struct template_values *values,
                            struct texts *arguments, struct error *err) MUST_USE;

/* STATUS_INVALID names a word in braces that is no place, the known ones, and how to write it. */
enum status template_check(const char *text, struct error *err) MUST_USE;

#endif
