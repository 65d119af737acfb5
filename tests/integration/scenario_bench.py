"""The load generator against real servers, for seconds: that it measures, not how fast anything is."""
import json
import os
import subprocess

from grid import PATIENCE, Grid, expect
from scenario_postgres import Postgres

# A unit with a lie in it is settled when its third copy is drawn, which may be as late as the batch's end.
MOST_ROUNDS = 12


def bench(grid, *arguments):
    """The servers that it starts itself (--site) are recorded like the grid's own."""
    environment = grid.recorded()
    before = noted(grid)
    done = subprocess.run([grid.program("dugnad-bench"), *map(str, arguments), "--json"], text=True,
                          capture_output=True, timeout=120 * PATIENCE, env=environment)
    expect(done.returncode == 0, f"dugnad-bench {arguments}: exit {done.returncode}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    expect(noted(grid) - before > 100 * found["counts"]["visits"], f"{arguments}: its server was not recorded")
    return found


def noted(grid):
    """Bytes of recordings."""
    return sum(entry.stat().st_size for entry in os.scandir(grid.recording))


def measured(grid, *arguments):
    """For two seconds; longer where a crowded machine comes to nothing in them."""
    for seconds in (2, 10, 60):
        found = bench(grid, *arguments, "--seconds", seconds)
        if found["accepted_per_s"] > 0 and found["server_us_per_task"] and all(l["reached"] > 0 for l in found.get("limits", [])):
            break
    return found


def leftovers(folder):
    return [name for name in os.listdir(folder) if name.startswith("dugnad-bench-")]


def scenario_bench_of_its_own_site(build):
    """dugnad-bench --site measures two seconds, finds no failure, and leaves nothing behind"""
    with Grid(build) as grid:
        for more in (("--limit",), ("--fresh", "--verify"), ("--tasks", 8), ("--rate", 50), ("--output-bytes", "100K")):
            found = measured(grid, "--site", "--folder", grid.folder, "--hosts", 40, "--connections", 8, "--units", 4000,
                             "--warm-up", 1, *more)
            counts = found["counts"]
            expect(counts["reported"] > 0 and counts["granted"] > 0, f"{more}: nothing was measured: {counts}")
            expect(counts["failed"] == 0 and counts["refused"] == 0, f"{more}: {found.get('first_failure')} {counts}")
            expect(found["accepted_per_s"] > 0, f"{more}: no unit was accepted")
            expect(found["server_us_per_task"] > 0, f"{more}: the server's processor time is not known")
            for limit in found.get("limits", []):
                expect(limit["per_s"] > 0 and limit["reached"] > 0, f"{limit['name']} was not measured: {limit}")
            expect(len(found.get("limits", [])) == (5 if "--limit" in more else 0), f"limits: {found.get('limits')}")
            if "--fresh" in more:
                expect(counts["connections"] >= counts["visits"], f"visits shared a connection: {counts}")
            if "--output-bytes" in more:
                expect(0 < counts["uploads"] < counts["reported"], f"not one body of two: {counts}")
        expect(leftovers(grid.folder) == [], f"left behind: {leftovers(grid.folder)}")


def scenario_bench_on_postgres(build):
    """dugnad-bench --site --database measures a site of its own on PostgreSQL"""
    with Postgres() as postgres, Grid(build) as grid:
        found = bench(grid, "--site", "--database", postgres.url, "--folder", grid.folder, "--hosts", 40,
                      "--connections", 8, "--units", 2000, "--seconds", 5, "--warm-up", 1, "--limit")
        counts = found["counts"]
        expect(counts["reported"] > 0 and counts["failed"] == 0, f"{found.get('first_failure')} {counts}")
        expect(found["accepted_per_s"] > 0, "no unit was accepted")
        expect(len(found["limits"]) == 5, f"limits: {found.get('limits')}")
        said = postgres.ask("SELECT count(*) FROM unit").stdout.strip()
        expect(said == "2000", f"units in PostgreSQL: {said}")


def submit(grid, name, numbers):
    grid.operator("submit", "primes", "--name", name, "--range", numbers, "--step", "100", "--", "{from}", "{to}")


def scenario_bench_of_a_running_site(build):
    """against a site that runs: hosts enrol once and are known the second time; liars are outvoted"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        submit(grid, "honest", "0..60000")
        arguments = (grid.url, "--ca", grid.ca, "--crew", os.path.join(grid.folder, "crew"), "--hosts", 20,
                     "--connections", 5, "--seconds", 2, "--warm-up", 0, "--server-pid", grid.server.pid)
        first = bench(grid, *arguments)
        expect(first["counts"]["failed"] == 0, first.get("first_failure"))
        expect(grid.rows("SELECT count(*) AS n FROM host")[0]["n"] == 20, "20 hosts did not enrol")
        submit(grid, "disputed", "60000..120000")
        for _ in range(MOST_ROUNDS):
            second = bench(grid, *arguments, "--liars", 20)
            expect(second["counts"]["failed"] == 0, second.get("first_failure"))
            if second["counts"]["outvoted"] > 0:
                break
        expect(second["counts"]["outvoted"] > 0, f"no liar was outvoted in {MOST_ROUNDS} rounds: {second['counts']}")
        expect(grid.rows("SELECT count(*) AS n FROM host")[0]["n"] == 20, "hosts enrolled again")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")
