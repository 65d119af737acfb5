/* sandbox/cgroup: what a control group allows, as both versions of them say it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "sandbox/cgroup.h"
#include "tests/support/ending.h"

static char root[] = "/tmp/dugnad-cgroup-XXXXXX";
static struct cgroup_roots roots;
static struct disk *disk;

static void set_up(void)
{
    disk = disk_real();
    cr_assert(mkdtemp(root) != NULL);
    roots = (struct cgroup_roots){.process = root, .groups = root};
}

static void tear_down(void)
{
    END_MUST(disk->remove_tree(disk, root, NULL) == STATUS_OK);
}

TestSuite(cgroup, .init = set_up, .fini = tear_down, .timeout = 60);

static void put(const char *name, const char *text)
{
    CLEANUP(freep) char *path = text_format("%s/%s", root, name);
    CLEANUP(freep) char *folder = text_copy_n(path, (size_t)(strrchr(path, '/') - path));

    cr_assert(eq(int, disk_make_folders(disk, folder, 0700, NULL), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, path, text, strlen(text), 0600, NULL), STATUS_OK));
}

static void expect(int64_t limit_bytes, int64_t kills)
{
    struct cgroup_memory memory = cgroup_memory(&roots);

    cr_expect(eq(i64, memory.limit_bytes, limit_bytes));
    cr_expect(eq(i64, memory.kills, kills));
}

Test(cgroup, where_nothing_can_be_read_nothing_is_limited)
{
    expect(INT64_MAX, 0);
    put("cgroup", "no colon\n0::/gone\n4:memory:/gone\n:\n");
    expect(INT64_MAX, 0);
}

Test(cgroup, of_version_2_the_least_above_the_process_counts)
{
    put("cgroup", "0::/jobs/client\n");
    put("jobs/client/memory.max", "max\n");
    put("jobs/client/memory.events", "low 0\nhigh 3\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n");
    expect(INT64_MAX, 2);
    put("jobs/memory.max", "536870912\n");
    expect(INT64_C(536870912), 2);
    put("jobs/client/memory.max", "268435456\n");
    expect(INT64_C(268435456), 2);
    put("memory.max", "1048576\n");
    expect(INT64_C(1048576), 2);
}

Test(cgroup, within_a_container_the_root_is_the_group)
{
    put("cgroup", "0::/\n");
    put("memory.max", "1073741824\n");
    put("memory.events", "oom_kill 1\n");
    expect(INT64_C(1073741824), 1);
}

Test(cgroup, version_1_names_the_same_otherwise)
{
    put("cgroup", "9:name=systemd:/\n5:cpu,cpuacct:/x\n4:memory:/jobs/client\n0::/\n");
    put("memory/jobs/client/memory.limit_in_bytes", "9223372036854771712\n");
    put("memory/jobs/client/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
    expect(INT64_MAX, 5);
    put("memory/jobs/memory.limit_in_bytes", "67108864\n");
    expect(INT64_C(67108864), 5);
}
