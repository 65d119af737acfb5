"""A volunteer's life: weeks offline, pauses, restores, clones, keys that end."""
import contextlib
import os
import shutil
import signal
import subprocess

from audit import audit, audit_rows
from grid import PATIENCE, Grid, Machine, batch_ended, expect, free_port, wait_for

WRONG_USAGE, NOT_AGREED, BUSY = 2, 5, 6
REFUSED = 5
LONG = 600  # seconds of sleep that no scenario waits for: wake() ends them when what it wants to see has been seen


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


def wake(machine):
    """End the sleep of every task that runs there."""
    for pid in children(machine.daemon.pid) if machine.daemon else []:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/comm") as f:
                if f.read() == "sleep\n":
                    os.kill(pid, signal.SIGTERM)


def waking(grid, condition):
    """A condition for wait_for(): that one, while nobody sleeps on."""

    def ask():
        for machine in grid.machines:
            wake(machine)
        answer = condition()
        ask.progress = getattr(condition, "progress", None)
        return answer

    return ask


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
        sleep_units(grid, "offline", LONG, 2)
        for machine in grid.machines:
            machine.start()
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        grid.stop_server()
        wait_for(waking(grid, lambda: all("finished" in phases(machine) for machine in grid.machines)), 60,
                 "nothing is finished")
        for machine in grid.machines:
            machine.kill()
            machine.start()
            wait_for(lambda: machine.status()["is_running"], 60, f"{machine.name} does not run")
        grid.start_server()
        wait_for(waking(grid, batch_ended(grid, "offline", 2)), 90, f"it is not delivered\n{grid.machines[0].log()}", 0.5)
        audit(grid)
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def scenario_pause_and_kill(build):
    """pause stops computing, also over a restart; resume goes on; a second daemon is refused; kill -9 leaves no task"""
    with prepared(build) as grid:
        ann, bob = grid.machines
        ann.call("pause")
        sleep_units(grid, "pause", LONG, 1)
        ann.start()
        bob.start()
        wait_for(lambda: "running" in phases(bob), 60, "bob computes nothing")
        expect(ann.status()["is_paused"] and "running" not in phases(ann), f"ann is paused: {ann.status()}")
        second = grid.run("dugnad-client", "run", "--data", ann.data)
        expect(second.returncode == BUSY, f"a second daemon ends with {second.returncode}: {second.stderr}")
        ann.kill()
        ann.start()
        wait_for(lambda: ann.status()["is_running"], 60, "ann's daemon does not run")
        expect(ann.status()["is_paused"], "the pause did not survive")
        ann.call("resume")
        wait_for(lambda: "running" in phases(ann), 60, f"ann does not go on: {ann.status()}")
        family = wait_for(lambda: [pid for pid in children(ann.daemon.pid) if alive(pid)], 60, "no process of a task")
        ann.kill()
        wait_for(lambda: not [pid for pid in family if alive(pid)], 60, "a task outlived its daemon")
        ann.start()
        wait_for(waking(grid, batch_ended(grid, "pause", 1)), 90, f"it does not end\n{ann.log()}", 0.5)
        grid.stop_server()


def interrupt_attach(grid, probe):
    """Ctrl-C ends an attach that waits to try again, at once; also where the shell began us with SIGINT ignored"""
    link = grid.link.replace(grid.url, f"https://127.0.0.1:{free_port()}")
    words = [grid.program("dugnad-client"), "attach", link, "--yes", "--data", probe.data]
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        attach = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, heard)
    with attach:
        expect("trying again" in attach.stderr.readline(), "attach does not say that it tries again")
        attach.send_signal(signal.SIGINT)
        # Not ended by it, it would find no server, and say so by its exit code.
        expect(attach.wait(60 * PATIENCE) == -signal.SIGINT, f"Ctrl-C: {attach.returncode}")


def scenario_attach_and_detach(build):
    """no fragment and no terminal, a wrong fragment, no --yes: refused; detach asks when work would be lost"""
    with prepared(build, machines=()) as grid:
        probe = Machine(grid, "probe")
        for link, code, words in ((grid.url, NOT_AGREED, "project id"), (grid.link[:-1] + "?", WRONG_USAGE, "43"),
                                  (grid.url + "/#" + "B" * 42 + "E", 4, "another project")):
            done = grid.run("dugnad-client", "attach", link, "--yes", "--data", probe.data)
            expect(done.returncode == code and words in done.stderr, f"attach {link}: {done.returncode} {done.stderr}")
        done = grid.run("dugnad-client", "attach", grid.link, "--data", probe.data)
        expect(done.returncode == NOT_AGREED and "--yes" in done.stderr, f"without --yes: {done.stderr}")
        done = grid.run("dugnad-client", "status", "--data", probe.data)
        expect(done.returncode == 1 and "no project was ever attached" in done.stderr,
               f"a refused attach left something: {done.stdout}{done.stderr}")
        interrupt_attach(grid, probe)
        ann = grid.machine("ann")
        sleep_units(grid, "detach", 1, 1, "--quorum", "2")
        ann.start()
        wait_for(lambda: {"reported", "finished", "stored"} & set(phases(ann)), 60, f"nothing is finished: {ann.status()}")
        ann.call("detach", grid.url)
        expect(ann.status()["projects"] == [], "detach left the project")
        ann.stop()
        grid.stop_server()


def leave(machine, *how):
    said = machine.call("detach", *how)
    expect("Detached" in said and "not told" not in said, f"{machine.name} leaves: {said}")
    expect(machine.status()["projects"] == [], f"{machine.name} did not leave")


def scenario_leaving(build):
    """hosts that leave, with a daemon and without, hand their copies back at once: their batch waits for no deadline"""
    with prepared(build, machines=("ann", "bob")) as grid:
        ann, bob = grid.machines
        sleep_units(grid, "leaving", LONG, 6)
        for machine in (ann, bob):
            machine.start()
            wait_for(lambda: "running" in phases(machine), 60, f"{machine.name} computes nothing")
        leave(ann, grid.url)
        bob.kill()
        leave(bob, "--all")
        out = grid.rows("select count(*) from task where state = 1")[0][0]
        expect(out == 0, f"{out} copies are still with hosts that left")
        for name in ("cid", "dan"):
            grid.machine(name).start()
        wait_for(waking(grid, batch_ended(grid, "leaving", 6)), 120, f"it waits for who left\n{grid.machines[-1].log()}", 0.5)
        status = grid.operator_json("status", "leaving")
        expect(status["failed"] == 0 and status["task_outcomes"]["abandoned"] > 0, f"what became of it: {status}")
        audit(grid)
        cid = grid.machines[-1]
        sleep_units(grid, "alone", LONG, 1)
        wait_for(lambda: "running" in phases(cid), 60, "cid computes nothing")
        grid.stop_server()
        said = cid.call("detach", "--all", "--wait", "1s")
        expect("until their deadline" in said, f"without a server: {said}")
        expect(cid.status()["projects"] == [], "cid did not leave")


def scenario_machine_gone(build):
    """a machine is gone for good: its operator says so, and others compute what it had, with no deadline passed"""
    with prepared(build, machines=("ann", "bob", "cid")) as grid:
        ann, bob, cid = grid.machines
        sleep_units(grid, "gone", LONG, 4)
        ann.start()
        wait_for(lambda: "running" in phases(ann), 60, "ann computes nothing")
        ann.kill()
        held = [tuple(row) for row in grid.rows("select host, count(*) from task where state = 1 group by host")]
        expect(len(held) == 1, f"who has what: {held}")
        (number, copies), = held
        expect(grid.run("dugnad", "hosts", "withdraw", str(number + 99), "--yes").returncode == REFUSED, "of no host")
        expect(grid.run("dugnad", "hosts", "withdraw", str(number)).returncode == WRONG_USAGE, "nobody was asked")
        for expected in (copies, 0):
            said = grid.operator_json("hosts", "withdraw", str(number), "--yes")
            expect(said == {"host": number, "withdrawn": expected, "left": 0}, f"withdrawing {number}: {said}")
        bob.start()
        cid.start()
        wait_for(waking(grid, batch_ended(grid, "gone", 4)), 120, f"it waits for who is gone\n{cid.log()}", 0.5)
        status = grid.operator_json("status", "gone")
        expect(status["accepted"] == 4 and status["task_outcomes"]["dropped"] > 0, f"what became of it: {status}")
        audit(grid)


def scenario_moving(build):
    """a project goes to another URL: clients follow its keyring there, the link names it, connect takes it"""
    with prepared(build) as grid:
        old = grid.url
        for machine in grid.machines:
            machine.start()
        sleep_units(grid, "before", 0, 2)
        wait_for(batch_ended(grid, "before", 2), 90, f"nothing is done\n{grid.machines[0].log()}", 0.5)
        sleep_units(grid, "meanwhile", LONG, 4)
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        port = free_port()
        new = f"https://127.0.0.1:{port}"
        grid.operator("key", "publish", "--url", old, "--url", new)
        wait_for(lambda: all(p["keyring_version"] == 2 for m in grid.machines for p in m.status()["projects"]), 60,
                 "the new keyring is not heard of")
        grid.stop_server()
        grid.port, grid.url = port, new
        grid.configure({"url": new, "listen": f"127.0.0.1:{port}"})
        grid.start_server()
        said = grid.operator("connect", new)
        expect("Connected" in said or said == "", f"connect: {said}")
        wait_for(waking(grid, batch_ended(grid, "meanwhile", 4)), 120, f"nobody comes\n{grid.machines[0].log()}", 0.5)
        for machine in grid.machines:
            project = machine.status()["projects"][0]
            expect(project["url"] == new and old in project["place_why"], f"{machine.name}: {project}")
        expect(new in grid.operator("key", "publish", "--url", new), "the link names the old place")
        audit(grid)
        grid.stop_server()


def scenario_two_projects(build):
    """one daemon computes for two sites at once, and goes on with one when the other is away"""
    with prepared(build) as one, prepared(build, machines=()) as two:
        ann, bob = one.machines
        for machine in (ann, bob):
            account = machine.call("account new", two.link).strip().split()[-1]
            machine.call("attach", two.link, "--yes", "--account", account)
            machine.start()
        sleep_units(one, "both", 0, 4)
        sleep_units(two, "both", 0, 4)
        for grid in (one, two):
            wait_for(batch_ended(grid, "both", 4), 90, f"a project starves\n{ann.log()}", 0.5)
        one.stop_server()
        sleep_units(two, "alone", 0, 2)
        wait_for(batch_ended(two, "alone", 2), 90, f"one project's absence stops the other\n{ann.log()}", 0.5)
        two.stop_server()


def copied(grid, machine, name):
    clone = Machine(grid, name, settings={"visit_interval": "3s"})
    shutil.copytree(machine.data, clone.data, ignore=shutil.ignore_patterns("control.sock", "lock"))
    grid.machines.append(clone)
    return clone


def spoil_host_record(machine):
    """It has the key and nothing else of the host: it enrols again, and that takes the other's token away."""
    for folder, _, files in os.walk(machine.data):
        if "host.json" in files:
            with open(os.path.join(folder, "host.json"), "w") as f:
                f.write("{}")
            return
    expect(False, "there is no host.json")


def scenario_cloned_machine(build):
    """copied data folders, one damaged, become hosts of their own; what all did is agreed by the rules, credit is right"""
    with prepared(build, machines=("ann", "bob", "cid")) as grid:
        ann, bob, cid = grid.machines
        sleep_units(grid, "cloned", 1, 12)
        ann.start()
        wait_for(lambda: {"running", "finished", "reported", "stored"} & set(phases(ann)), 60, "ann computes nothing")
        ann.kill()
        clones = [copied(grid, ann, name) for name in ("clone", "spoilt")]
        spoil_host_record(clones[1])
        for machine in grid.machines:
            machine.start()
        wait_for(batch_ended(grid, "cloned", 12), 150, f"it does not end\n{clones[0].log()}", 0.5)
        wait_for(lambda: len({machine.status()["projects"][0]["host"] for machine in (ann, *clones)}) == 3, 60,
                 "a clone is still the same host", 0.5)
        audit_rows(grid)
        hosts = grid.rows("SELECT volunteer, count(*) FROM host GROUP BY volunteer ORDER BY 2 DESC")
        expect(hosts[0][1] >= 2 and len(hosts) == 3, f"hosts of volunteers: {[tuple(row) for row in hosts]}")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def scenario_signed_anew(build):
    """the key of an app is revoked and the same app added again: running clients take the new signature"""
    with prepared(build) as grid:
        for machine in grid.machines:
            machine.start()
        sleep_units(grid, "before", 0, 2)
        wait_for(batch_ended(grid, "before", 2), 120, "the first batch does not end")
        version = grid.operator_json("status", "before")["app_version"]
        grid.operator("key", "revoke", "app")
        done = grid.run("dugnad", "submit", "sleeper", "--name", "between", "--range", "0..1", "--", "0", "{from}")
        expect(done.returncode != 0, "work for an app that a revoked key signed was accepted")
        add_sleeper(grid)
        sleep_units(grid, "after", 0, 2)
        status = grid.operator_json("status", "after")
        expect(status["app_version"] == version, "the same app became another version")
        status = wait_for(batch_ended(grid, "after", 2), 120, "the second batch does not end")
        expect(status["accepted"] == 2, f"after the app was signed anew: {status}")
        audit(grid)
        grid.stop_server()


def scenario_revoked_work_key(build):
    """the work key is revoked: running work stops and is charged to nobody, what waits is not given out and says why"""
    with prepared(build) as grid:
        for machine in grid.machines:
            machine.start()
        sleep_units(grid, "stolen", LONG, 2)
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        grid.operator("key", "revoke", "work")
        wait_for(lambda: not any("running" in phases(machine) for machine in grid.machines), 60,
                 "what the revoked key signed goes on", 0.5)
        sleep_units(grid, "again", 0, 2)
        status = wait_for(batch_ended(grid, "again", 2), 120, "what was submitted again does not end")
        expect(status["accepted"] == 2, f"submitted again: {status}")
        status = grid.operator_json("status", "stolen")
        expect(status["failed"] == 0 and status["state"] != "paused", f"what the revoked key signed: {status}")
        reasons = grid.operator_json("explain", "stolen")["waits_for"]
        expect(any("the key that signed it was revoked" in reason for reason in reasons), f"explain says {reasons}")
        errors = grid.rows("SELECT coalesce(sum(errors), 0) FROM host")[0][0]
        expect(errors == 0, f"{errors} refusals were charged to hosts")
        grid.stop_server()


def scenario_revocation(build):
    """a cancelled batch and a revoked app version: running clients drop the work within seconds"""
    with prepared(build) as grid:
        for machine in grid.machines:
            machine.start()
        sleep_units(grid, "cancelled", LONG, 2)
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        grid.operator("cancel", "cancelled", "--yes")
        wait_for(lambda: not any("running" in phases(machine) for machine in grid.machines), 60,
                 "cancelled work goes on", 0.5)
        status = grid.operator_json("status", "cancelled")
        expect(status["state"] == "cancelled" and status["cancelled"] == 2, f"after cancel: {status}")
        sleep_units(grid, "revoked", LONG, 2)
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs again")
        version = grid.operator_json("status", "revoked")["app_version"]
        grid.operator("key", "revoke", version)
        wait_for(lambda: not any("running" in phases(machine) for machine in grid.machines), 60,
                 "revoked work goes on", 0.5)
        done = grid.run("dugnad", "submit", "sleeper", "--name", "more", "--range", "0..1", "--", "0", "{from}")
        expect(done.returncode != 0, "work for a revoked app version was accepted")
        add_sleeper(grid)
        sleep_units(grid, "mended", 0, 2)
        wait_for(batch_ended(grid, "mended", 2), 120, "the version after the revoked one is not computed")
        expect(grid.operator_json("status", "mended")["app_version"] != version, "a revoked app version is used again")
        grid.stop_server()
