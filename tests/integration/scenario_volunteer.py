"""A volunteer's life: weeks offline, pauses, sudden ends, coming and going."""
import os
import time

from audit import audit
from grid import Grid, Machine, batch_ended, expect, wait_for

NOT_AGREED, BUSY = 5, 6


def add_sleeper(grid):
    """An app that takes as many seconds as it is told: a shell script, as a filter could be."""
    path = os.path.join(grid.folder, "sleeper.sh")
    with open(path, "w") as f:
        f.write("#!/bin/sh\nsleep \"$1\"\necho \"slept, for $2\"\n")
    os.chmod(path, 0o755)
    grid.operator("app", "add", "sleeper", path)


def sleep_units(grid, name, seconds, units, *more):
    grid.operator("submit", "sleeper", "--name", name, "--range", f"0..{units}", *more, "--", str(seconds), "{from}")


def phases(machine):
    return [task["phase"] for project in machine.status()["projects"] for task in project["tasks"]]


def children(pid):
    """All descendants of a process."""
    found, parents = [], {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parents[int(entry)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    wanted = {pid}
    while wanted:
        wanted = {child for child, parent in parents.items() if parent in wanted}
        found += wanted
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def prepared(build, machines=("ann", "bob"), settings=None):
    grid = Grid(build, settings)
    try:
        grid.start_server()
        grid.publish_project()
        add_sleeper(grid)
        for name in machines:
            grid.machine(name)
    except BaseException as error:
        grid.__exit__(type(error), error, None)
        raise
    return grid


def scenario_offline(build):
    """tasks finish while the server is away; the daemons restart, too; all is delivered when it is back"""
    with prepared(build) as grid:
        sleep_units(grid, "offline", 3, 2)
        for machine in grid.machines:
            machine.start()
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        grid.stop_server()
        wait_for(lambda: all("finished" in phases(machine) for machine in grid.machines), 60, "nothing is finished")
        for machine in grid.machines:
            machine.kill()
            machine.start()
        time.sleep(3)
        grid.start_server()
        wait_for(batch_ended(grid, "offline", 2), 90, f"it is not delivered\n{grid.machines[0].log()}", 0.5)
        audit(grid)
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def scenario_pause_and_kill(build):
    """pause stops computing, also over a restart; resume goes on; a second daemon is refused; kill -9 leaves no task"""
    with prepared(build) as grid:
        ann, bob = grid.machines
        ann.call("pause")
        sleep_units(grid, "pause", 4, 1)
        ann.start()
        bob.start()
        wait_for(lambda: "running" in phases(bob), 60, "bob computes nothing")
        expect(ann.status()["is_paused"] and "running" not in phases(ann), f"ann is paused: {ann.status()}")
        second = grid.run("dugnad-client", "run", "--data", ann.data, timeout=20)
        expect(second.returncode == BUSY, f"a second daemon ends with {second.returncode}: {second.stderr}")
        ann.kill()
        ann.start()
        wait_for(lambda: ann.status()["is_running"], 20, "ann's daemon does not run")
        expect(ann.status()["is_paused"], "the pause did not survive")
        ann.call("resume")
        wait_for(lambda: "running" in phases(ann), 60, f"ann does not go on: {ann.status()}")
        family = wait_for(lambda: [pid for pid in children(ann.daemon.pid) if alive(pid)], 10, "no process of a task")
        ann.kill()
        wait_for(lambda: not [pid for pid in family if alive(pid)], 10, "a task outlived its daemon")
        ann.start()
        wait_for(batch_ended(grid, "pause", 1), 90, f"it does not end\n{ann.log()}", 0.5)
        grid.stop_server()


def scenario_attach_and_detach(build):
    """no fragment and no terminal, a wrong fragment, no --yes: refused; detach asks when work would be lost"""
    with prepared(build, machines=()) as grid:
        probe = Machine(grid, "probe")
        for link, code, words in ((grid.url, NOT_AGREED, "project id"), (grid.link[:-1] + "?", 1, "43"),
                                  (grid.url + "/#" + "B" * 42 + "E", 4, "another project")):
            done = grid.run("dugnad-client", "attach", link, "--yes", "--data", probe.data)
            expect(done.returncode == code and words in done.stderr, f"attach {link}: {done.returncode} {done.stderr}")
        done = grid.run("dugnad-client", "attach", grid.link, "--data", probe.data)
        expect(done.returncode == NOT_AGREED and "--yes" in done.stderr, f"without --yes: {done.stderr}")
        expect(probe.status()["projects"] == [], "a refused attach left a project")
        ann = grid.machine("ann")
        sleep_units(grid, "detach", 1, 1, "--quorum", "2")
        ann.start()
        wait_for(lambda: {"reported", "finished"} & set(phases(ann)), 60, f"nothing is finished: {ann.status()}")
        done = grid.run("dugnad-client", "detach", grid.url, "--data", ann.data)
        if done.returncode != 0:
            expect("--yes" in done.stderr, f"detach says: {done.stderr}")
            ann.call("detach", grid.url, "--yes")
        expect(ann.status()["projects"] == [], "detach left the project")
        ann.stop()
        grid.stop_server()
