"""A site that is put back from an older copy: publishing goes on, and nothing that hosts keep is computed again."""
import os
import re
import shutil
import subprocess

from audit import audit_rows
from grid import PATIENCE, Grid, batch_ended, expect, wait_for
from scenario_postgres import Postgres

UNITS = 24
KNOWN = ("submit", "primes", "--name", "known", "--range", f"0..{UNITS}00000", "--step", "100000", "--", "{from}", "{to}")
LATER = ("submit", "primes", "--name", "later", "--range", f"0..{UNITS}0000", "--step", "10000", "--", "{from}", "{to}")
PRIMES = {"known": 176302, "later": 21221}  # below 2,400,000 and 240,000


def started(grid):
    """How many tasks the machines have begun to compute so far."""
    count = 0
    for machine in grid.machines:
        with open(os.path.join(grid.folder, f"{machine.name}.log"), errors="replace") as log:
            count += len(re.findall("event=task.started", log.read()))
    return count


def total(grid, batch):
    into = os.path.join(grid.folder, f"results-{batch}")
    shutil.rmtree(into, ignore_errors=True)
    grid.operator("fetch", batch, "--into", into)
    found = 0
    for unit in os.listdir(into):
        folder = os.path.join(into, unit)
        if os.path.isdir(folder) and not unit.startswith("."):
            found += sum(int(open(os.path.join(folder, name)).read()) for name in os.listdir(folder))
    return found


def tool(*command):
    """One of PostgreSQL's own."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 * PATIENCE)
    expect(done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}")


def copy_site(grid, copy):
    shutil.copytree(grid.site, copy)
    if grid.postgres:
        tool("pg_dump", "--format=custom", f"--file={copy}.dump", grid.postgres)


def put_back(grid, copy):
    """As OPERATIONS says."""
    grid.stop_server()
    shutil.rmtree(grid.site)
    shutil.copytree(copy, grid.site)
    if grid.postgres:
        tool("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={grid.postgres}", f"{copy}.dump")
    grid.call("dugnad-server", "restore", grid.site)
    grid.start_server()


def scenario_restored_copy(build):
    """a site is put back from a copy of before a batch and half of another: all is accepted, nothing computed in vain"""
    restored_copy(build, None)


def scenario_restored_copy_on_postgres(build):
    """the same with the rows in PostgreSQL, dumped and put back by its own tools; refused while a server runs"""
    with Postgres() as postgres:
        restored_copy(build, postgres.url)


def refused_beside_a_server(grid):
    """Another server's folder of the same site: its own lock says nothing of the server that runs."""
    other = os.path.join(grid.folder, "other")
    shutil.copytree(grid.site, other)
    with open(os.path.join(other, "site.conf"), "a") as f:
        f.write("server = 2\n")
    done = grid.run("dugnad-server", "restore", other)
    expect(done.returncode != 0 and "stop" in done.stderr, f"restore beside a server: {done.returncode} {done.stdout}{done.stderr}")


def looks_restored(grid):
    return "event=site.looks-restored" in grid.server_log()


def scenario_restore_untold(build):
    """a site is put back from an older copy and nobody says so: hosts of three volunteers show it, and it asks for `restore`"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        for name in ("ann", "bob", "cat"):
            grid.machine(name).start()
        grid.operator(*KNOWN)
        wait_for(batch_ended(grid, "known", UNITS), 240, f"known does not end\n{grid.server_log()}", 0.5)
        grid.stop_server()
        copy = os.path.join(grid.folder, "copy")
        copy_site(grid, copy)
        grid.start_server()
        grid.operator(*LATER)
        wait_for(batch_ended(grid, "later", UNITS), 240, f"later does not end\n{grid.server_log()}", 0.5)
        expect(not looks_restored(grid), f"nothing was put back\n{grid.server_log()}")

        grid.stop_server()
        shutil.rmtree(grid.site)
        shutil.copytree(copy, grid.site)
        grid.start_server()
        wait_for(lambda: looks_restored(grid), 240, f"it does not say what hosts show\n{grid.server_log()}", 0.5)
        expect(grid.wire().request("GET", "/healthz")[0] == 200, "it is not well, though visits are committed")
        restarted_it_still_says_so(grid)


def metric_looks_restored(grid):
    return b"\ndugnad_looks_restored 1\n" in grid.wire().request("GET", "/metrics")[1]


def restarted_it_still_says_so(grid):
    """until it is told"""
    grid.stop_server()
    done = grid.run("dugnad-server", "check", grid.site)
    expect(done.returncode != 0 and "put back from an older copy" in done.stdout, f"check: {done.returncode} {done.stdout}{done.stderr}")
    grid.start_server()
    wait_for(lambda: metric_looks_restored(grid), 60, f"forgotten\n{grid.server_log()}", 0.5)
    grid.stop_server()
    grid.call("dugnad-server", "restore", grid.site)
    grid.call("dugnad-server", "check", grid.site)
    grid.start_server()
    expect(not metric_looks_restored(grid), "it was told, and says so still")


def restored_copy(build, database):
    with Grid(build, database=database) as grid:
        grid.start_server()
        grid.publish_project()
        ann, bob = grid.machine("ann"), grid.machine("bob")
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator(*KNOWN)
        ann.start()
        wait_for(lambda: grid.rows("SELECT count(*) AS n FROM task WHERE state = 2")[0]["n"] >= 4, 120, "no report comes")
        grid.stop_server()
        copy = os.path.join(grid.folder, "copy")
        copy_site(grid, copy)
        known_to_copy = grid.rows("SELECT count(*) AS n FROM task")[0]["n"]
        grid.start_server()
        bob.start()
        grid.operator(*LATER)
        for batch in ("known", "later"):
            wait_for(batch_ended(grid, batch, UNITS), 240, f"{batch} does not end\n{grid.server_log()}", 0.5)
        before = started(grid)

        if grid.postgres:
            refused_beside_a_server(grid)
        put_back(grid, copy)
        done = grid.run("dugnad", "key", "publish")
        expect(done.returncode == 0, f"publishing after a restore: {done.stderr}")
        expect("restored from an older copy" in done.stderr, f"it does not say that the site is behind: {done.stderr}")
        said = grid.operator(*LATER)
        expect("0 new" not in said, f"the batch was not sent again: {said}")
        for batch in ("known", "later"):
            wait_for(batch_ended(grid, batch, UNITS), 240, f"{batch} does not end again\n{grid.server_log()}", 0.5)
            status = grid.operator_json("status", batch)
            expect(status["accepted"] == UNITS, f"{batch}: {status}")
            expect(total(grid, batch) == PRIMES[batch], f"{batch}: {total(grid, batch)} primes, not {PRIMES[batch]}")
        kept = grid.rows("SELECT count(*) AS n FROM journal WHERE kind = 13")[0]["n"]
        again = started(grid) - before
        print(f"  {known_to_copy} tasks are in the copy; of {before} results {kept} were taken over, {again} computed again", flush=True)
        expect(kept >= 3 * UNITS, f"only {kept} results were taken over from what hosts keep")
        expect(again == 0, f"{again} tasks were computed again though their hosts keep the results")
        expect(not grid.rows("SELECT 1 FROM host WHERE withdrawn"), "an honest host was taken for a clone")
        audit_rows(grid)
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")
