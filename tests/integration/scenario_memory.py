"""A control group whose memory is used up: the kernel's kill is the machine's, and no unit is charged."""
import contextlib
import os
import subprocess
import sys
import time

from audit import audit
from grid import PATIENCE, Grid, NotRun, batch_ended, expect, wait_for

MIB = 1 << 20
GROUP = 256 * MIB    # of which the client offers seven eighths
OTHERS = 200 * MIB   # that something beside the client has taken
TASK_MIB = 100       # within the task's own limit, and not within what is left of the group
ROOT = "/sys/fs/cgroup"
EAT = f"dd if=/dev/zero of=/dev/null bs={TASK_MIB}M count=1 status=none"  # into a buffer of that size
APPS = {"itself": f"exec {EAT}", "child": f"{EAT} || exit 3; echo well"}
HOG = f"import sys; sys.stdin.readline(); x = b'x' * {OTHERS}; print('here', flush=True); sys.stdin.readline()"


def memory_hierarchy():
    """Where the kernel counts memory, as sandbox/cgroup.c looks for it: (folder, file of the limit, file that counts kills)."""
    with contextlib.suppress(OSError):
        with open(os.path.join(ROOT, "cgroup.controllers")) as f:
            if "memory" in f.read().split():
                return ROOT, "memory.max", "memory.events"
    if os.path.isdir(os.path.join(ROOT, "memory")):
        return os.path.join(ROOT, "memory"), "memory.limit_in_bytes", "memory.oom_control"
    raise NotRun("the kernel counts no memory by control groups here")


class Group:
    """A control group of its own with GROUP bytes of memory, and no swap."""

    def __init__(self):
        parent, limit, self.events = memory_hierarchy()
        self.path = os.path.join(parent, f"dugnad-test-{os.getpid()}")
        try:
            if parent == ROOT:
                with contextlib.suppress(OSError):  # it may be so already; the limit's file tells
                    self.put(os.path.join(parent, "cgroup.subtree_control"), "+memory")
            os.mkdir(self.path)
            self.put(limit, GROUP)
        except OSError as error:
            self.end()
            raise NotRun(f"a control group cannot be made here: {error}") from error
        for name, value in (("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", GROUP)):
            with contextlib.suppress(OSError):  # of a kernel without swap
                self.put(name, value)

    def put(self, name, value):
        with open(os.path.join(self.path, name), "w") as f:
            f.write(f"{value}\n")

    def take(self, process):
        self.put("cgroup.procs", process.pid)

    def kills(self):
        with open(os.path.join(self.path, self.events)) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("oom_kill "))

    def end(self):
        end = time.monotonic() + 30 * PATIENCE  # its processes have ended, and are not all reaped yet
        while os.path.isdir(self.path):
            with contextlib.suppress(OSError):
                os.rmdir(self.path)
                return
            expect(time.monotonic() < end, f"{self.path} cannot be removed")
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.end()


@contextlib.contextmanager
def others_memory(group):
    """Somebody else in the group, who has taken most of its memory."""
    with subprocess.Popen([sys.executable, "-c", HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as hog:
        group.take(hog)
        hog.stdin.write("\n")
        hog.stdin.flush()
        expect(hog.stdout.readline() == "here\n", "the group has no room for somebody else")
        yield hog
        hog.stdin.close()


def add_app(grid, name):
    path = os.path.join(grid.folder, f"{name}.sh")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\n{APPS[name]}\n")
    os.chmod(path, 0o755)
    grid.operator("app", "add", name, path, "--memory", "200M")


def words_of(machine):
    """What its tasks say of the group, while none of them is charged."""
    for project in machine.status()["projects"]:
        expect(project["tally"]["errors"] == 0, f"it is charged to the unit\n{machine.call('status')}{machine.log()}")
    troubles = [task.get("trouble", "") for project in machine.status()["projects"] for task in project["tasks"]]
    return [words for words in troubles if "control group" in words]


def out_of_memory(grid, group, ann, name):
    """One unit: ann's copy is killed while somebody else has the group's memory, and done when that has ended."""
    with others_memory(group) as hog:
        before = group.kills()
        grid.operator("submit", name, "--name", name, "--range", "0..1")
        said = wait_for(lambda: words_of(ann), 120,
                        lambda: f"ann does not name the group's memory\n{ann.call('status')}{ann.log()}")
        print(f"  {name}: the client says: {said[0]}", flush=True)
        expect(group.kills() > before, "the kernel killed nobody of the group")
        expect(hog.poll() is None and ann.daemon.poll() is None, "the kernel killed another than the task")
    status = wait_for(batch_ended(grid, name, 1), 240, f"{name} does not go on\n{ann.log()}", 0.5)
    expect(status["accepted"] == 1 and status["task_outcomes"]["error"] == 0, f"{name} became: {status}")


def scenario_group_out_of_memory(build):
    """the kernel kills a task, or its child, for want of its control group's memory: named, charged to nobody, done later"""
    with Group() as group, Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        ann, bob = grid.machine("ann"), grid.machine("bob")
        for name in APPS:
            add_app(grid, name)
        ann.start()
        group.take(ann.daemon)
        bob.start()
        for name in APPS:
            out_of_memory(grid, group, ann, name)
        audit(grid)
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
