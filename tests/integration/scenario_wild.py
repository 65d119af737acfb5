"""Programs and machines that do not behave: what one task does, or one machine cannot, stays there."""
import os
import subprocess
import sys

from audit import audit
from grid import Grid, batch_ended, expect, in_mount_namespace, wait_for

WILD = {"removes": 'here=$PWD; cd /; rm -rf "$here"',
        "renames": 'mv "$PWD" "$PWD.moved"',
        "replaces": 'here=$PWD; cd /; rm -rf "$here"; ln -s /etc "$here"',
        "closes": 'mkdir deep; chmod 0 deep .'}


def add_script(grid, name, line):
    path = os.path.join(grid.folder, f"{name}.sh")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\n{line}\n")
    os.chmod(path, 0o755)
    grid.operator("app", "add", name, path)


def submit(grid, app, units):
    grid.operator("submit", app, "--name", app, "--range", f"0..{units}", "--max-failures", "1")


def prepared(build):
    grid = Grid(build)
    grid.start_server()
    grid.publish_project()
    add_script(grid, "tame", "echo tame")
    return grid


def scenario_wild_apps(build):
    """programs that remove, rename or replace their own folder fail alone: others go on, over a restart too"""
    with prepared(build) as grid:
        for name, line in WILD.items():
            add_script(grid, name, line)
            submit(grid, name, 1)
        for name in ("ann", "bob"):
            grid.machine(name).start()
        for name in WILD:
            status = wait_for(batch_ended(grid, name, 1), 120, f"{name} does not end\n{grid.machines[0].log()}", 0.5)
            expect(status["accepted"] == (name == "closes"), f"{name}: {status}")
            if name != "closes":
                said = grid.operator("explain", name)
                expect("the task's folder" in said, f"explain {name}: {said}")
        for machine in grid.machines:
            machine.kill()
            machine.start()
        submit(grid, "tame", 6)
        status = wait_for(batch_ended(grid, "tame", 6), 120, f"others do not go on\n{grid.machines[0].log()}", 0.5)
        expect(status["accepted"] == 6, f"the tame ones: {status}")
        for machine in grid.machines:
            strays = [name for _, folders, names in os.walk(machine.data) for name in folders + names if "moved" in name]
            expect(not strays, f"{machine.name} keeps {strays}")
        audit(grid)
        grid.stop_server()


def scenario_forbidden_folder(build):
    """on a folder mounted noexec no unit is charged: the client says why it runs nothing, and goes on when it may"""
    in_mount_namespace(__file__, build, "a folder that is mounted noexec")


def mount(folder, how):
    return subprocess.run(["mount", "-o", how, folder], capture_output=True, text=True)


def main(build):
    with prepared(build) as grid:
        ann, bob = grid.machine("ann"), grid.machine("bob")
        bound = subprocess.run(["mount", "--bind", ann.data, ann.data], capture_output=True, text=True)
        if bound.returncode != 0 or mount(ann.data, "remount,bind,noexec").returncode != 0:
            print(f"nothing can be mounted noexec here: {bound.stderr.strip()}", file=sys.stderr)
            return 77
        try:
            submit(grid, "tame", 8)
            ann.start()
            said = wait_for(lambda: [ann.status()["trouble"]] if "noexec" in ann.status()["trouble"] else None, 60,
                            "ann does not say why it runs nothing")[0]
            print(f"  the client says: {said}", flush=True)
            expect(said in ann.call("status"), "status for people does not say it")
            bob.start()
            wait_for(lambda: grid.operator_json("status", "tame")["tasks"] > 0, 60, "bob gets no work")
            expect(mount(ann.data, "remount,bind,exec").returncode == 0, "it stays noexec")
            status = wait_for(batch_ended(grid, "tame", 8), 240, f"ann does not go on\n{ann.log()}", 0.5)
            expect(status["accepted"] == 8 and status["task_outcomes"]["error"] == 0, f"what became of it: {status}")
            audit(grid)
        finally:
            for machine in grid.machines:
                machine.end()
            subprocess.run(["umount", "-l", ann.data], capture_output=True)
        grid.stop_server()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
