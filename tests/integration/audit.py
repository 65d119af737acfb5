"""What everybody was told, compared with the rows: I2–I5 from outside."""
import json
import os

from grid import expect, wait_for

SENT, REPORTED, AGREED, OUTVOTED, INCONCLUSIVE, ERROR = 1, 2, 3, 4, 5, 6
ACCEPTED, FAILED = 4, 5
VERDICTS = {"accepted": {AGREED}, "outvoted": {OUTVOTED}, "inconclusive": {INCONCLUSIVE}, "error": {ERROR},
            "unit-failed": {INCONCLUSIVE, REPORTED}}


def told(grid):
    """(machine, host number, task) of all tasks that the machines' clients know of."""
    for machine in grid.machines:
        for project in machine.status()["projects"]:
            for task in project["tasks"]:
                yield machine, project, task


def none(grid, sql, words):
    found = [tuple(row) for row in grid.rows(sql)]
    expect(not found, f"{words}: {found[:5]}{' …' if len(found) > 5 else ''}")


def audit_rows(grid):
    """Rules that the rows must keep whoever was told what."""
    none(grid, "SELECT subject FROM journal WHERE kind = 12 GROUP BY subject HAVING count(*) > 1", "credit given twice")
    none(grid, "SELECT subject FROM journal WHERE kind = 10 GROUP BY subject HAVING count(*) > 1", "granted twice")
    none(grid, "SELECT subject, detail FROM journal WHERE kind = 1 GROUP BY 1, 2 HAVING count(*) > 1", "accepted twice")
    none(grid, "SELECT a.id, b.id FROM task a JOIN task b ON a.id / 16 = b.id / 16 AND a.id < b.id"
               " WHERE a.volunteer = b.volunteer", "copies of one unit with one volunteer")
    none(grid, "SELECT u.id FROM unit u WHERE u.state = 4 AND u.quorum > (SELECT count(DISTINCT t.volunteer)"
               " FROM acceptance_task x JOIN task t ON t.id = x.task WHERE t.id / 16 = u.id AND t.state = 3)",
         "accepted without a quorum")
    none(grid, "SELECT u.id FROM unit u WHERE u.state = 4 AND 1 < (SELECT count(DISTINCT t.outputs)"
               " FROM acceptance_task x JOIN task t ON t.id = x.task WHERE t.id / 16 = u.id)",
         "accepted though the outputs differ")
    none(grid, "SELECT t.id FROM task t LEFT JOIN journal j ON j.kind = 12 AND j.subject = t.id"
               " WHERE t.credit <> coalesce(j.detail, 0)", "credit without its entry")
    none(grid, "SELECT h.id FROM host h WHERE h.credit <> (SELECT coalesce(sum(t.credit), 0) FROM task t"
               " WHERE t.host = h.id)", "a host's credit is not the sum of its tasks'")
    none(grid, "SELECT id FROM unit WHERE state NOT IN (4, 5)", "units that did not end")


def all_told(grid):
    """Every verdict that is due was heard: then the clients' tallies can be compared."""

    def ask():
        heard = {task["task"] for _, _, task in told(grid) if "verdict" in task}
        return {row[0] for row in grid.rows("SELECT id FROM task WHERE state IN (3, 4)")} <= heard

    return ask


def audit_clients(grid):
    """What each client was told of each task is what the rows say, of that host alone."""
    wait_for(all_told(grid), 60, "clients do not hear the verdicts on their tasks", 1)
    rows = {row["id"]: row for row in grid.rows("SELECT * FROM task")}
    owners = {}
    count = 0
    for machine, project, task in told(grid):
        row = rows.get(task["task"])
        expect(row is not None, f"{machine.name} was granted {task['task']}, which is no row")
        expect(owners.setdefault(task["task"], machine.name) == machine.name, f"{task['task']} went to two machines")
        expect(row["host"] == project["host"], f"{task['task']} of {machine.name} is host {row['host']}'s")
        if task["phase"] in ("reported", "stored") and task.get("outcome") == "done":
            expect(row["reported_s"] > 0, f"{machine.name} was told that {task['task']} is reported; it is not")
        if "verdict" in task:
            expect(row["state"] in VERDICTS[task["verdict"]],
                   f"{machine.name} heard {task['verdict']} of {task['task']}, whose state is {row['state']}")
            expect(row["credit"] == task["credit"], f"{task['task']}: told {task['credit']}, has {row['credit']}")
        count += 1
    for machine in grid.machines:
        for project in machine.status()["projects"]:
            credit = grid.rows("SELECT credit FROM host WHERE id = ?", project["host"])[0][0]
            expect(credit == project["tally"]["credit"],
                   f"{machine.name} counted {project['tally']['credit']} credit, the host has {credit}")
    print(f"  audit: {len(rows)} tasks, {count} known to clients", flush=True)


def audit_results(grid, folder):
    """What was fetched: each unit's result once, of the bytes that the agreeing tasks' rows name."""
    seen = set()
    with open(os.path.join(folder, "results.ndjson")) as f:
        for line in map(json.loads, f):
            if line["state"] != "accepted":
                continue
            expect(line["unit"] not in seen, f"{line['unit']} came twice")
            seen.add(line["unit"])
            outputs = {row[0] for row in grid.rows(
                "SELECT t.outputs FROM unit u JOIN acceptance_task x ON x.task / 16 = u.id JOIN task t ON t.id = x.task"
                " WHERE u.digest = ? AND u.state = 4", bytes.fromhex(line["unit"].removeprefix("sha256:")))}
            expect(len(outputs) == 1, f"{line['unit']}: {len(outputs)} different outputs agree")
            stored = outputs.pop()
            for output in line["outputs"]:
                digest = bytes.fromhex(output["digest"].removeprefix("sha256:"))
                expect(digest in stored, f"{line['unit']}: {output['name']} is not what the tasks agreed on")
    rows = {"sha256:" + bytes(row[0]).hex() for row in grid.rows("SELECT digest FROM unit WHERE state = 4")}
    expect(seen <= rows, f"fetched what was not accepted: {seen - rows}")
    return seen


def audit(grid, *folders):
    """All of it; the folders are what `dugnad fetch` of all batches filled."""
    audit_rows(grid)
    audit_clients(grid)
    seen = set().union(*(audit_results(grid, folder) for folder in folders))
    accepted = grid.rows("SELECT count(*) FROM unit WHERE state = 4")[0][0]
    expect(not folders or len(seen) == accepted, f"fetched {len(seen)} results of {accepted}")
