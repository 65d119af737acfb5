"""Sudden ends: whatever was acknowledged is still there afterwards."""
import os
import time

from audit import audit
from grid import Grid, batch_ended, expect, seeded, wait_for

KILLS = int(os.environ.get("DUGNAD_KILLS", "50"))
UNITS = 60


def kill_at_random(grid, chance):
    for count in range(1, KILLS + 1):
        time.sleep(chance.uniform(0.02, 0.5))
        target = chance.choice([grid, *grid.machines])
        if target is grid:
            grid.kill_server()
            grid.start_server()
        else:
            target.kill()
            target.start()
        if count % 10 == 0:
            print(f"  {count} kills", flush=True)


def scenario_kill_nine(build):
    """server and clients killed 50 times at random: every unit ends, right, and nothing acknowledged is lost"""
    chance = seeded()
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        for name in ("ann", "bob", "cid"):
            grid.machine(name).start()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "killed", "--range", f"0..{UNITS}000000", "--step", "1000000",
                      "--", "{from}", "{to}")
        kill_at_random(grid, chance)
        wait_for(batch_ended(grid, "killed", UNITS), 240,
                 f"the batch does not end\n{grid.server_log()}", 0.5)
        into = os.path.join(grid.folder, "results")
        grid.operator("fetch", "killed", "--into", into)
        total = 0
        for unit in os.listdir(into):
            folder = os.path.join(into, unit)
            if os.path.isdir(folder) and not unit.startswith("."):
                total += sum(int(open(os.path.join(folder, name)).read()) for name in os.listdir(folder))
        expect(total == 3562115, f"there are 3562115 primes below 60 million, not {total}")
        audit(grid, into)
        clones = grid.rows("SELECT id, visit FROM host WHERE withdrawn")
        expect(not clones, f"hosts that repeated themselves were taken for clones: {[tuple(row) for row in clones]}")
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")

