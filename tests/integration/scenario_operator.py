"""The operator's command with bad input, cuts in the middle, and large batches."""
import os
import signal
import time

from grid import Grid, expect, wait_for
from large import memory_kib, submitting, units_there

# A name or hint kept per unit would be more: four slices on their way are 4 MiB. The server may fill its page cache.
STREAM_MARGIN_KIB = 4 << 10
SERVER_MARGIN_KIB = (64 + 8) << 10
UNDER_WAY = 2000  # units of a submit that was killed may still arrive

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


def halted(grid, submit, moment):
    """Halt it again and again and look, until the moment has come: then it stays halted, however slow we are. False: it
    came to its end."""

    def ask():
        if submit.poll() is None:
            submit.send_signal(signal.SIGSTOP)
            ask.progress = units_there(grid)
            if moment(ask.progress):
                return True
            submit.send_signal(signal.SIGCONT)
        return submit.poll() is not None

    wait_for(ask, 120, "no unit arrives", 0.02)
    return submit.poll() is None


def streamed(grid, name, units):
    """A submit from start to end; the most memory dugnad takes while units leave, and the server in all, in KiB."""
    submit = submitting(grid, name, units)
    before, highest = units_there(grid), 0

    def look(there):
        nonlocal highest
        if there > before + UNDER_WAY:  # scrypt, which takes 128 MiB, is over
            highest = max(highest, memory_kib(submit.pid, "VmRSS"))

    halted(grid, submit, look)
    expect(highest > 0, f"submit {name} was not seen while units left")
    with open(os.path.join(grid.folder, "submit.log"), errors="replace") as f:
        expect(submit.wait() == 0, f"submit {name} ended with {submit.returncode}: {f.read()[-1000:]}")
    return highest, memory_kib(grid.server.pid, "VmHWM")


def kill_half_way(grid, name, units):
    before = units_there(grid)
    submit = submitting(grid, name, units)
    halted(grid, submit, lambda there: there - before > units // 5)
    submit.kill()
    submit.wait()
    there = units_there(grid) - before
    expect(there < units, "the submit was too fast to be killed half-way")
    return there


def scenario_large_batch(build):
    """20,000 units take as little memory as 5,000; a submit killed half-way goes on without any unit twice"""
    units = int(os.environ.get("DUGNAD_UNITS", "20000"))
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        small, server_small = streamed(grid, "small", units // 4)
        there = kill_half_way(grid, "large", units)
        start = time.monotonic()
        large, server_large = streamed(grid, "large", units)
        print(f"  killed at {there} of {units} units; the rest took {time.monotonic() - start:.1f} s; KiB for"
              f" {units // 4} and {units} units: dugnad {small} and {large}, dugnad-server {server_small} and"
              f" {server_large}", flush=True)
        expect(large < small + STREAM_MARGIN_KIB, f"dugnad grows with the batch: {small} KiB, then {large} KiB")
        expect(server_large < server_small + SERVER_MARGIN_KIB,
               f"dugnad-server grows with the batch: {server_small} KiB, then {server_large} KiB")
        status = grid.operator_json("status", "large")
        expect(status["units"] == units and status["state"] == "closed", f"after the second submit: {status}")
        rows = grid.rows("SELECT count(*), count(DISTINCT position), min(position), max(position) FROM unit"
                         " WHERE batch = (SELECT id FROM batch WHERE name = 'large')")[0]
        expect(tuple(rows) == (units, units, 0, units - 1), f"units and positions: {tuple(rows)}")
        grid.operator("submit", "primes", "--name", "large", "--range", f"0..{units}", "--", "{from}", "{to}")
        refused(grid, FAILED, ["large", "--append"], "submit", "primes", "--name", "large", "--range", "0..7",
                "--", "{from}", "{to}")
        expect(units_there(grid) == units + units // 4, "a third submit of the same added units")
        grid.operator("cancel", "large", "--yes")

        def is_cancelled():
            is_cancelled.progress = grid.operator_json("status", "large")["cancelled"]
            return is_cancelled.progress == units

        wait_for(is_cancelled, 60, "the cancel does not end")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site)
