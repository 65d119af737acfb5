"""What an operator finds out on his own machine about results that volunteers agreed on."""
import json
import os

from grid import Grid, batch_ended, expect, wait_for


def add_app(grid, words, *more):
    """An app that is a shell script; what it says is told by `words`."""
    path = os.path.join(grid.folder, "counter.sh")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nread -r first <notes.txt\necho \"{words} $first $1 $DUGNAD_SEED\"\necho warned >&2\n")
    os.chmod(path, 0o755)
    grid.operator("app", "add", "counter", path, *more)


def submit(grid, name, units):
    """Units with an input each, so that audit has to fetch more than the program."""
    folder = os.path.join(grid.folder, "notes.txt")
    with open(folder, "w") as f:
        f.write("dear diary\n")
    lines = "".join(json.dumps({"name": f"{name}-{i}", "inputs": [folder], "args": [str(i)]}) + "\n" for i in range(units))
    grid.operator("submit", "counter", "--units", "-", "--name", name, stdin=lines)


def scenario_audit(build):
    """two volunteers lie alike and their results are accepted: audit computes some again and names them"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        add_app(grid, "once")
        liars = [grid.machine(name, lies="1") for name in ("max", "mia")]
        for machine in liars:
            machine.start()
        submit(grid, "lied", 4)
        status = wait_for(batch_ended(grid, "lied", 4), 120, "the liars do not agree", 0.5)
        expect(status["accepted"] == 4, f"the liars agree, and nothing is accepted: {status}")
        into = os.path.join(grid.folder, "lied")
        grid.operator("fetch", "lied", "--into", into)  # which finds nothing wrong: enough hosts signed them
        for machine in liars:
            machine.stop()

        add_app(grid, "twice")  # the version of the batch is not the newest any more
        done = grid.run("dugnad", "audit", "lied", "--sample", "3", "--json")
        expect(done.returncode == 6, f"audit of lies ends with {done.returncode}: {done.stdout}{done.stderr}")
        found = json.loads(done.stdout)
        expect((found["sampled"], found["different"], found["accepted"]) == (3, 3, 4), f"audit says {found}")
        volunteers = {row["id"] for row in grid.rows("SELECT id FROM volunteer")}
        for unit in found["units"]:
            expect({task["volunteer"] for task in unit["tasks"]} == volunteers, f"those who agreed: {unit}")
            shown = os.path.join(into, unit["name"], "stdout")
            expect(os.path.getsize(shown) == unit["outputs"][0]["accepted_size"], f"what was fetched: {unit}")
        again = grid.run("dugnad", "audit", "lied", "--sample", "3", "--json", "--seed", found["seed"])
        expect({u["name"] for u in json.loads(again.stdout)["units"]} == {u["name"] for u in found["units"]},
               "the same seed draws other units")

        for name in ("ann", "bob"):
            grid.machine(name).start()
        submit(grid, "told", 4)
        status = wait_for(batch_ended(grid, "told", 4), 120, "the honest do not agree", 0.5)
        expect(status["accepted"] == 4, f"of the honest: {status}")
        found = json.loads(grid.operator("audit", "told", "--json"))
        expect((found["sampled"], found["equal"]) == (4, 4), f"audit of the truth says {found}")
        expect(not os.path.exists(os.path.join(grid.profile, "audit")), "audit left its folder behind")
        grid.stop_server()
