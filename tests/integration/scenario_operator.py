"""The operator's command with bad input, cuts in the middle, and large batches."""
import os
import subprocess
import time

from grid import Grid, expect, wait_for

FAILED, USAGE, UNREACHABLE, REFUSED, UNTRUSTED = 1, 2, 4, 5, 6


def refused(grid, code, words, *arguments, **how):
    """`dugnad …` ends with that code and says these words on stderr, and nothing of a crash."""
    done = grid.run("dugnad", *arguments, **how)
    shown = " ".join(map(str, arguments))
    expect(done.returncode == code, f"dugnad {shown}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    for word in words:
        expect(word in done.stderr, f"dugnad {shown}: no \"{word}\" in: {done.stderr}")


def scenario_operator_mistakes(build):
    """empty batches, unknown placeholders, missing profiles, wrong passphrases: words and the documented exit codes"""
    with Grid(build) as grid:
        grid.start_server()
        refused(grid, FAILED, ["connect"], "status")
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        units = len(grid.rows("SELECT id FROM unit"))
        submit = ("submit", "primes", "--name", "bad")
        refused(grid, USAGE, ["--range"], *submit, "--range", "5..5", "--", "{from}", "{to}")
        refused(grid, USAGE, ["--range"], *submit, "--range", "9..5", "--", "{from}", "{to}")
        refused(grid, USAGE, ["--step"], *submit, "--range", "0..5", "--step", "0", "--", "{from}", "{to}")
        refused(grid, USAGE, ["surprise"], *submit, "--surprise")
        refused(grid, USAGE, [], *submit, "--quorum", "1000000", "--range", "0..5", "--", "{from}", "{to}")
        for at, place in enumerate(("{input}", "{from}")):
            done = grid.run("dugnad", "submit", "primes", "--name", f"place{at}", "--", place)
            expect(done.returncode in (FAILED, USAGE) and place in done.stderr,
                   f"{place} without a value: exit {done.returncode}: {done.stderr}")
        done = grid.run("dugnad", "submit", "nosuchapp", "--range", "0..5", "--", "{from}")
        expect(done.returncode in (FAILED, REFUSED) and "nosuchapp" in done.stderr, f"an unknown app: {done.stderr}")
        done = grid.run("dugnad", "submit", "primes", os.path.join(grid.folder, "nofile"), "--", "{input}")
        expect(done.returncode in (FAILED, USAGE) and "nofile" in done.stderr, f"a missing file: {done.stderr}")
        expect(len(grid.rows("SELECT id FROM unit")) == units, "a refused submit left units")
        said = grid.operator(*submit, "--range", "0..9007199254740991", "--step", "1000000000000", "--dry-run",
                             "--", "{from}", "{to}")
        expect("work-unit" in said, f"a dry run shows no manifest: {said[:300]}")
        wrong = os.path.join(grid.folder, "wrong")
        with open(wrong, "w") as f:
            f.write("not that one\n")
        refused(grid, FAILED, ["passphrase"], *submit, "--range", "0..5", "--passphrase-file", wrong, "--", "{from}",
                "{to}")
        refused(grid, FAILED, ["connect"], "status", "--profile", os.path.join(grid.folder, "noprofile"))
        refused(grid, REFUSED, ["no such batch"], "status", "nosuch")
        expect(len(grid.rows("SELECT id FROM unit")) == units, "a refused submit left units")
        grid.stop_server()
        refused(grid, UNREACHABLE, ["reach"], "status")


def submitting(grid, name, units):
    command = [grid.program("dugnad"), "submit", "primes", "--name", name, "--range", f"0..{units}",
               "--", "{from}", "{to}"]
    env = dict(os.environ, DUGNAD_PROFILE=grid.profile, DUGNAD_PASSPHRASE_FILE=grid.passphrase, HOME=grid.folder)
    log = open(os.path.join(grid.folder, "submit.log"), "a")
    return subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def peak_kib(pid, field="VmHWM"):
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith(field)), 0)
    except OSError:
        return 0


def scenario_large_batch(build):
    """20,000 units: memory stays bounded, and a submit that is killed half-way goes on without any unit twice"""
    units = int(os.environ.get("DUGNAD_UNITS", "20000"))
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        first = submitting(grid, "large", units)
        wait_for(lambda: first.poll() is not None or grid.rows("SELECT count(*) FROM unit")[0][0] > units // 5,
                 120, "no unit arrives", 0.02)
        first.kill()
        first.wait()
        there = grid.rows("SELECT count(*) FROM unit")[0][0]
        expect(there < units, "the submit was too fast to be killed half-way")
        start, peak = time.monotonic(), 0
        again = submitting(grid, "large", units)
        while again.poll() is None and time.monotonic() - start < 600:
            peak = max(peak, peak_kib(again.pid))
            time.sleep(0.05)
        with open(os.path.join(grid.folder, "submit.log"), errors="replace") as f:
            expect(again.poll() == 0, f"the second submit ended with {again.poll()}: {f.read()[-1000:]}")
        server = peak_kib(grid.server.pid)
        print(f"  killed at {there} of {units} units; the rest took {time.monotonic() - start:.1f} s; peak memory:"
              f" dugnad {peak // 1024} MiB, dugnad-server {server // 1024} MiB", flush=True)
        status = grid.operator_json("status", "large")
        expect(status["units"] == units and status["state"] == "closed", f"after the second submit: {status}")
        rows = grid.rows("SELECT count(*), count(DISTINCT position), min(position), max(position) FROM unit")[0]
        expect(tuple(rows) == (units, units, 0, units - 1), f"units and positions: {tuple(rows)}")
        refused(grid, FAILED, ["large", "--append"], "submit", "primes", "--name", "large", "--range", f"0..{units}",
                "--", "{from}", "{to}")
        expect(grid.rows("SELECT count(*) FROM unit")[0][0] == units, "a third submit of the same added units")
        expect(peak < 400 * 1024, f"dugnad took {peak} KiB; scrypt alone takes 128 MiB")
        expect(server < 300 * 1024, f"dugnad-server took {server} KiB")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site)
