#include "work-units/limits.h"

void limits_read(struct members *members, const char *name, struct limits *ret_limits)
{
    struct members part;

    members_object(members, name, &part);
    *ret_limits = (struct limits){
        .cores = members_integer(&part, "cores", 1, LIMITS_CORES_MAX),
        .memory_bytes = members_integer(&part, "memory_bytes", 1, LIMITS_BYTES_MAX),
        .disk_bytes = members_integer(&part, "disk_bytes", 0, LIMITS_BYTES_MAX),
        .output_bytes = members_integer(&part, "output_bytes", 0, LIMITS_BYTES_MAX),
        .cpu_s = members_integer(&part, "cpu_s", 1, LIMITS_SECONDS_MAX),
        .wall_s = members_integer(&part, "wall_s", 1, LIMITS_SECONDS_MAX),
    };
    members_end_part(&part);
}

json_t *limits_to_json(const struct limits *limits)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "cores", (json_int_t)limits->cores,
                     "memory_bytes", (json_int_t)limits->memory_bytes, "disk_bytes",
                     (json_int_t)limits->disk_bytes, "output_bytes",
                     (json_int_t)limits->output_bytes, "cpu_s", (json_int_t)limits->cpu_s, "wall_s",
                     (json_int_t)limits->wall_s);
}

const char *limits_exceeding(const struct limits *limits, const struct limits *ceilings)
{
    if (limits->cores > ceilings->cores)
        return "cores";
    if (limits->memory_bytes > ceilings->memory_bytes)
        return "memory_bytes";
    if (limits->disk_bytes > ceilings->disk_bytes)
        return "disk_bytes";
    if (limits->output_bytes > ceilings->output_bytes)
        return "output_bytes";
    if (limits->cpu_s > ceilings->cpu_s)
        return "cpu_s";
    return limits->wall_s > ceilings->wall_s ? "wall_s" : NULL;
}
