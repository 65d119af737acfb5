"""Sudden ends: whatever was acknowledged is still there afterwards."""
import os
import time

from grid import Grid, batch_ended, expect, seeded, wait_for

KILLS = int(os.environ.get("DUGNAD_KILLS", "50"))
UNITS = 60


def audit(grid):
    """Compare the rows with what every client and the operator were told."""
    twice = grid.rows("SELECT subject FROM journal WHERE kind = 12 GROUP BY subject HAVING count(*) > 1")
    expect(not twice, f"credit was given twice for tasks {[row[0] for row in twice]}")
    shared = grid.rows("SELECT a.id FROM task a JOIN task b ON a.id / 16 = b.id / 16 AND a.id < b.id"
                       " WHERE a.volunteer = b.volunteer")
    expect(not shared, f"copies of one unit went to one volunteer: {[row[0] for row in shared]}")
    lonely = grid.rows("SELECT u.id FROM unit u WHERE u.state = 4 AND u.quorum > (SELECT count(DISTINCT t.volunteer)"
                       " FROM acceptance_task x JOIN task t ON t.id = x.task WHERE t.id / 16 = u.id AND t.state = 3)")
    expect(not lonely, f"units accepted without their quorum: {[row[0] for row in lonely]}")
    reported = {row[0] for row in grid.rows("SELECT id FROM task WHERE reported_s > 0")}
    for machine in grid.machines:
        for project in machine.status()["projects"]:
            for task in project["tasks"]:
                if task["state"] in ("reported", "stored"):
                    expect(task["task"] in reported, f"{machine.name} was told that {task['task']} is stored; it is not")


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
                      "--close", "--", "--from", "{from}", "--to", "{to}")
        kill_at_random(grid, chance)
        wait_for(batch_ended(grid, "killed", UNITS), 240,
                 lambda_words(grid), 0.5)
        into = os.path.join(grid.folder, "results")
        grid.operator("fetch", "killed", "--into", into)
        total = 0
        for unit in os.listdir(into):
            folder = os.path.join(into, unit)
            if os.path.isdir(folder) and not unit.startswith("."):
                total += sum(int(open(os.path.join(folder, name)).read()) for name in os.listdir(folder))
        expect(total == 3562115, f"there are 3562115 primes below 60 million, not {total}")
        audit(grid)
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def lambda_words(grid):
    return f"the batch does not end\n{grid.server_log()}"
