"""The main job in small: real apps, several volunteers, one of whom lies."""
import glob
import json
import os
import subprocess

from audit import audit
from grid import Grid, batch_ended, expect, wait_for

SOURCE = os.environ.get("DUGNAD_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def outvoted_volunteers(grid, batch):
    listed = grid.operator_json("tasks", batch, "--state", "outvoted")
    return {task["volunteer"] for task in listed["tasks"]}


def scenario_small_batches(build):
    """primes and wordindex on four volunteers, one of them lying: right totals, the liar outvoted"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        for name in ("ann", "bob", "cid"):
            grid.machine(name)
        liar = grid.machine("dan", lies="1")
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("app", "add", "wordindex", grid.app("wordindex"), "--output", "index.tsv:16M")
        grid.operator("submit", "primes", "--name", "small-primes", "--range", "0..1000000", "--step", "50000",
                      "--", "{from}", "{to}")
        corpus = os.path.join(grid.folder, "corpus")
        subprocess.run([os.path.join(SOURCE, "work-units/apps/wordindex/corpus"), corpus, "--files", "120",
                        "--bytes", "6000000"], check=True, capture_output=True)
        files = len(os.listdir(corpus))
        units = -(-files // 30)
        grid.operator("submit", "wordindex", corpus, "--files-per-unit", "30", "--name", "small-index",
                      "--", "{input}")
        liar.start()  # first: units of milliseconds go to whoever is there
        wait_for(lambda: grid.rows("SELECT id FROM task"), 60, f"the liar gets no copy\n{liar.log()}")
        for machine in grid.machines[:3]:
            machine.start()
        for batch, count in (("small-primes", 20), ("small-index", units)):
            status = wait_for(batch_ended(grid, batch, count), 180,
                              f"{batch} does not end\n{grid.operator('explain', batch)}\n{grid.server_log()}", 0.5)
            expect(status["failed"] == 0, f"{batch}: {status['failed']} units failed")
        into = os.path.join(grid.folder, "primes")
        grid.operator("fetch", "small-primes", "--into", into)
        total = sum(int(open(path).read()) for path in glob.glob(f"{into}/*/*"))
        expect(total == 78498, f"there are 78498 primes below a million, not {total}")
        lines = [json.loads(line) for line in open(os.path.join(into, "results.ndjson"))]
        expect(len(lines) == 20, f"results.ndjson has {len(lines)} lines")
        index = os.path.join(grid.folder, "index")
        grid.operator("fetch", "small-index", "--into", index)
        merged = os.path.join(grid.folder, "merged.tsv")
        with open(merged, "w") as out:
            subprocess.run([os.path.join(SOURCE, "work-units/apps/wordindex/merge"), index], check=True, stdout=out)
        checked = subprocess.run([os.path.join(SOURCE, "work-units/apps/wordindex/check"), corpus, merged],
                                 capture_output=True, text=True)
        expect(checked.returncode == 0, f"the merged index differs: {checked.stdout}{checked.stderr}")
        audit(grid, into, index)
        liars = outvoted_volunteers(grid, "small-primes") | outvoted_volunteers(grid, "small-index")
        truth = {row["volunteer"] for row in grid.rows("SELECT DISTINCT volunteer FROM task WHERE state = 4")}
        expect(liars == truth, f"the outvoted are {truth}, listed are {liars}")
        expect(len(liars) <= 1, f"honest volunteers were outvoted: {liars}")
        expect(len(liars) == 1, "the liar was never outvoted")
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")
