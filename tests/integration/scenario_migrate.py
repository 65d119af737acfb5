"""A site that outgrew its embedded database, moved to PostgreSQL while work is out, and back."""
import os
import subprocess
import time

from audit import audit
from grid import Grid, PATIENCE, batch_ended, expect, seeded, wait_for
from scenario_postgres import Postgres

UNITS = 40


def is_switched(grid):
    with open(os.path.join(grid.site, "site.conf")) as f:
        return any(line.startswith("database = postgres") for line in f)


def kill_some(grid, to, chance):
    """Begun and killed at any moment: either nothing happened, or all of it."""
    for _ in range(8):
        command = [grid.program("dugnad-server"), "migrate", grid.site, "--to", to]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.0, 0.5))
        process.kill()
        process.wait(10 * PATIENCE)
        if is_switched(grid):
            return


def migrated(grid, to, words, code):
    done = grid.run("dugnad-server", "migrate", grid.site, "--to", to)
    expect(done.returncode == code and words in done.stdout + done.stderr,
           f"migrate --to {to}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def scenario_migration(build):
    """a site moves from SQLite to PostgreSQL with work out, the move killed on the way; clients go on, credit once; and back"""
    chance = seeded()
    with Postgres() as postgres, Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        for name in ("ann", "bob", "cid"):
            grid.machine(name).start()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "moved", "--range", f"0..{UNITS}000000", "--step", "1000000",
                      "--", "{from}", "{to}")
        wait_for(lambda: grid.operator_json("status", "moved")["accepted"] >= 5, 120, "no unit is accepted", 0.3)
        migrated(grid, postgres.url, "stop it first", 4)
        grid.stop_server()
        before = grid.rows("SELECT count(*) FROM journal")[0][0]
        migrated(grid, "mysql://x", "--to takes", 2)
        kill_some(grid, postgres.url, chance)
        if not is_switched(grid):
            migrated(grid, postgres.url, "alike", 0)
        migrated(grid, postgres.url, "already", 1)
        expect(grid.rows("SELECT count(*) FROM journal")[0][0] == before, "the old database is not as it was")
        grid.postgres = postgres.url
        grid.start_server()
        wait_for(batch_ended(grid, "moved", UNITS), 240, f"the batch does not end\n{grid.server_log()}", 0.5)
        into = os.path.join(grid.folder, "results")
        grid.operator("fetch", "moved", "--into", into)
        audit(grid, into)
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")
        migrated(grid, "sqlite", "holds a site already", 1)
        os.remove(os.path.join(grid.site, "dugnad.db"))
        migrated(grid, "sqlite", "alike", 0)
        grid.postgres = None
        grid.call("dugnad-server", "check", grid.site, "--deep")
        grid.start_server()
        expect(grid.operator_json("status", "moved")["accepted"] == UNITS, "the batch is not what it was")
        grid.stop_server()
