/*
 * What the control group that this process was put into lets it have (a container, a unit of
 * systemd, a batch system): memory that the machine has and we may not use, and the kernel's kills
 * when it is used up. Read from cgroups v2 and v1 (the kernel's admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst); what cannot be read says nothing.
 */
#ifndef SANDBOX_CGROUP_H
#define SANDBOX_CGROUP_H

#include <stdint.h>

/* Where to look; tests have folders of their own. */
struct cgroup_roots {
    const char *process; /* "/proc/self": holds `cgroup` */
    const char *groups;  /* "/sys/fs/cgroup" */
};
extern const struct cgroup_roots cgroup_real;

struct cgroup_memory {
    int64_t limit_bytes; /* the least of the group and those above it; INT64_MAX: none */
    int64_t kills;       /* processes of the group that the kernel killed for want of memory */
};

struct cgroup_memory cgroup_memory(const struct cgroup_roots *roots);

#endif
