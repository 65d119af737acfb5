"""Ctrl-C at a real terminal, in each of the operator's commands, at moments that are told by what happened so far."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import termios

from grid import Grid, batch_ended, expect, wait_for

DONE, NOT_ALL, INTERRUPTED = 0, 3, 130
PATIENCE_S = 120  # nothing here takes long, and no test fails because the machine is slow
TRIES = 50  # to meet a moment that a quick command may be past before anybody looked
UNITS, BYTES = 12, 200000  # of each unit's output, which is too large to come within a results line
DRAWN = r"(fetched|sent|listed|different|running|accepted)"  # what a line of progress ends with


def family(pid):
    """Who descends from that process, as (pid, start): a number may be given anew."""
    parents, starts = {}, {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
            starts[int(folder.name)] = fields[19]
    found, open_ones = set(), [pid]
    while open_ones:
        for child in parents.get(open_ones.pop(), []):
            found.add((child, starts[child]))
            open_ones.append(child)
    return found


def lives(process):
    pid, start = process
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return fields[19] == start and fields[0] not in "ZX"


class Terminal:
    """`dugnad …` in the foreground of a terminal of its own."""

    def __init__(self, grid, *words, passphrase=True):
        self.words, self.said, self.code, self.children = words, "", None, set()
        environment = dict(os.environ, DUGNAD_PROFILE=grid.profile, HOME=grid.folder, TERM="xterm")
        environment.pop("DUGNAD_PASSPHRASE_FILE", None)
        if passphrase:
            environment["DUGNAD_PASSPHRASE_FILE"] = grid.passphrase
        program = grid.program("dugnad")
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a scenario in the background of a shell ignores it
            os.execve(program, [program, *map(str, words)], environment)

    def look(self):
        """Read what was printed, see who runs; True: it is over."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.said += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # nobody has the other end open any more
                break
        if self.code is None:
            self.children |= family(self.pid)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def until(self, moment):
        """Wait for that moment, or the end; True: the moment came first."""
        wait_for(lambda: moment(self) or self.look(), PATIENCE_S, f"{self.shown()} does not come so far: {self.said}", 0.005)
        return not self.look()

    def press(self, keys=b"\x03"):
        os.write(self.master, keys)

    def shown(self):
        return "dugnad " + " ".join(map(str, self.words))

    def shows_typing(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def end(self, *codes):
        """It ends with one of the codes, the cursor at the beginning of a line, and nobody of its family alive."""
        wait_for(self.look, PATIENCE_S, f"{self.shown()} does not end: {self.said}", 0.005)
        self.look()  # what it said last
        expect(self.code in codes, f"{self.shown()} ended with {self.code}, not one of {codes}: {self.said}")
        wait_for(lambda: not any(map(lives, self.children)), PATIENCE_S, f"{self.shown()} left processes behind", 0.01)
        expect(self.shows_typing(), f"{self.shown()} left a terminal that does not show what is typed")
        if self.code >= 0:  # one that was ended at once cannot
            said = re.sub(r"\n(\^C)+$", "\n", self.said)  # what was pressed when all was said
            expect(said.endswith("\n"), f"{self.shown()} left its line without an end: {self.said!r}")
        expect(not re.search(DRAWN + r"(\^C)*dugnad: ", self.said), f"words behind the progress: {self.said!r}")
        os.close(self.master)
        return self.code


def press_at(start, moment, keys, *codes):
    """Start a command again until its moment is met before it is done; what it said."""
    for _ in range(TRIES):
        terminal = start()
        if terminal.until(moment):
            terminal.press(keys)
        if terminal.end(DONE, *codes) != DONE:
            return terminal.said
    raise AssertionError(f"in {TRIES} tries it was done before: {terminal.said}")


# --- moments ---------------------------------------------------------------------------------------------------------
def printed(words):
    return lambda terminal: terminal.look() or words in terminal.said


def has_connected(terminal):
    """It opened a socket: from here on it waits for the server."""
    with contextlib.suppress(OSError):
        return any(os.readlink(f"/proc/{terminal.pid}/fd/{fd}").startswith("socket:")
                   for fd in os.listdir(f"/proc/{terminal.pid}/fd"))
    return False


def was_heard(grid):
    """The server read something after now; no client runs meanwhile."""

    def size():
        return sum(path.stat().st_size for path in pathlib.Path(grid.recording).glob("*.wire"))

    before = size()
    return lambda terminal: size() > before


def has_files(into, count):
    return lambda terminal: len(list(pathlib.Path(into).glob("*/*"))) >= count


def runs_a_unit(terminal):
    return terminal.look() or terminal.children


def first_was_taken(terminal):
    """The first Ctrl-C was: the next is not caught any more."""
    with contextlib.suppress(OSError, StopIteration):
        with open(f"/proc/{terminal.pid}/status") as f:
            return not int(next(line.split()[1] for line in f if line.startswith("SigCgt")), 16) & 1 << signal.SIGINT - 1
    return True


@contextlib.contextmanager
def frozen(grid):
    """The server answers nobody: whoever waits for it does so until he is interrupted."""
    threads = pathlib.Path(f"/proc/{grid.server.pid}/task")
    grid.server.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: all((thread / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
                             for thread in threads.iterdir()), PATIENCE_S, "the server does not stand still", 0.001)
        yield
    finally:
        grid.server.send_signal(signal.SIGCONT)


# --- what is tried ---------------------------------------------------------------------------------------------------
def prepare(grid):
    """A batch "told" that ended, with large outputs of programs that take a moment; then nobody computes any more."""
    path = os.path.join(grid.folder, "talker.sh")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nsleep 0.1\nyes \"unit $1\" | head -c {BYTES}\n")
    os.chmod(path, 0o755)
    grid.operator("app", "add", "talker", path)
    for name in ("ann", "bob"):
        grid.machine(name).start()
    grid.operator("submit", "talker", "--name", "told", "--range", f"0..{UNITS}", "--", "{from}")
    status = wait_for(batch_ended(grid, "told", UNITS), 120, "nothing is computed", 0.2)
    expect(status["accepted"] == UNITS, f"the batch to fetch: {status}")
    for machine in grid.machines:
        machine.stop()


def interrupt_lists(grid):
    """A server that hangs keeps nobody: 130, and the same command ends well when it answers again."""
    for words in (("status",), ("status", "told"), ("tasks", "told"), ("hosts",), ("explain", "told"), ("audit", "told"),
                  ("fetch", "told", "--into", os.path.join(grid.folder, "nothing"))):
        with frozen(grid):
            terminal = Terminal(grid, *words)
            terminal.until(has_connected)
            terminal.press()
            terminal.end(INTERRUPTED)
    for words in (("status",), ("tasks", "told"), ("hosts",)):
        terminal = Terminal(grid, *words)
        terminal.until(was_heard(grid))
        terminal.press()
        terminal.end(DONE, INTERRUPTED)
        Terminal(grid, *words).end(DONE)


def interrupt_watch(grid):
    """Of a batch that nobody computes."""
    for moment in (was_heard(grid), printed("0 of 3")):
        terminal = Terminal(grid, "watch", "later")
        expect(terminal.until(moment), f"watch ended: {terminal.said}")
        terminal.press()
        terminal.end(INTERRUPTED)
    terminal = Terminal(grid, "watch", "told")
    terminal.end(DONE)


def content(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in pathlib.Path(folder).glob("*/*")}


def check_part(into, whole):
    """Every file that is there is what its results line says, under its own name; every line is a whole one."""
    for name, digest in content(into).items():
        expect(whole.get(name) == digest, f"{into}/{name} is not what was accepted")
    with contextlib.suppress(FileNotFoundError), open(os.path.join(into, "results.ndjson")) as f:
        for line in map(json.loads, f):
            expect(all(f"{line['name']}/{output['name']}" in whole for output in line["outputs"]), f"a line: {line}")


def interrupt_fetch(grid):
    """Broken off anywhere, then gone on with by the same command."""
    into = os.path.join(grid.folder, "whole")
    grid.operator("fetch", "told", "--into", into)
    whole, in_the_middle = content(into), 0
    with open(os.path.join(into, "results.ndjson")) as f:
        said = {f"{line['name']}/{output['name']}": output["digest"].removeprefix("sha256:")
                for line in map(json.loads, f) for output in line["outputs"]}
    expect(said == whole, f"what is there and what the lines say: {whole} {said}")
    for at, moment in enumerate((lambda into: was_heard(grid), lambda into: has_files(into, 1),
                                 lambda into: has_files(into, UNITS // 2), lambda into: printed("results fetched"))):
        for follow in ((), ("--follow",)):
            into = os.path.join(grid.folder, f"part{at}{len(follow)}")
            terminal = Terminal(grid, "fetch", "told", "--into", into, *follow)
            terminal.until(moment(into))
            with frozen(grid):
                terminal.press()
                in_the_middle += terminal.end(DONE, INTERRUPTED) == INTERRUPTED and len(content(into)) < UNITS
            check_part(into, whole)
            Terminal(grid, "fetch", "told", "--into", into, *follow).end(DONE)
            expect(content(into) == whole, f"{into} is not whole after the second fetch")
    expect(in_the_middle > 0, "no fetch was met while something was missing")
    terminal = Terminal(grid, "fetch", "later", "--follow", "--into", os.path.join(grid.folder, "later"))
    expect(terminal.until(printed("0 results fetched")), f"fetch --follow does not follow: {terminal.said}")
    terminal.press()
    terminal.end(INTERRUPTED)


def interrupt_audit(grid):
    """While results are listed and while a unit runs here; pressed twice, too."""
    shop = os.path.join(grid.profile, "audit")
    for moment in (was_heard(grid), printed("results listed"), runs_a_unit, printed("1 of 10 recomputed")):
        said = press_at(lambda: Terminal(grid, "audit", "told"), moment, b"\x03", INTERRUPTED)
        expect(not os.path.exists(shop), f"audit left its folder behind: {said}")
    press_at(lambda: Terminal(grid, "audit", "told"), printed("1 of 10 recomputed"), b"\x03\x03", INTERRUPTED,
             -signal.SIGINT)
    Terminal(grid, "audit", "told", "--sample", "2").end(DONE)
    expect(not os.path.exists(shop), "what an audit left that was ended at once is still there")


def interrupt_submit(grid):
    """At the passphrase, while units leave, and twice while the server hangs; the same command goes on."""
    words = ("submit", "talker", "--name", "many", "--range", "0..3000", "--", "{from}")
    terminal = Terminal(grid, *words, passphrase=False)
    terminal.until(lambda t: t.look() or ("Passphrase" in t.said and not t.shows_typing()))
    terminal.press()
    terminal.end(INTERRUPTED)
    for moment in (printed("500 of 3000"), printed("1500 of 3000")):
        terminal = Terminal(grid, *words)
        terminal.until(moment)
        terminal.press()
        terminal.end(DONE, INTERRUPTED)
    with frozen(grid):
        terminal = Terminal(grid, "submit", "talker", "--name", "twice", "--range", "0..3", "--", "{from}")
        terminal.until(has_connected)
        terminal.press()
        terminal.until(first_was_taken)
        terminal.press()
        terminal.end(INTERRUPTED, -signal.SIGINT)
    for name, units in (("many", 3000), ("twice", 3)):
        Terminal(grid, "submit", "talker", "--name", name, "--range", f"0..{units}", "--", "{from}").end(DONE)
        there = grid.rows("SELECT count(*), count(DISTINCT position) FROM unit WHERE batch ="
                          " (SELECT id FROM batch WHERE name = ?)", name)[0]
        expect(tuple(there) == (units, units), f"units and positions of {name}: {tuple(there)}")


def interrupt_question(grid):
    terminal = Terminal(grid, "cancel", "later")
    terminal.until(printed("[y/N]"))
    terminal.press()
    terminal.end(INTERRUPTED)
    expect(grid.operator_json("status", "later")["state"] == "closed", "a question that was interrupted is a yes")


def scenario_interrupts(build):
    """Ctrl-C at a terminal: 130, a clean line, nobody left alive, nothing half written, and the same command goes on"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        prepare(grid)
        grid.operator("submit", "talker", "--name", "later", "--range", "0..3", "--", "{from}")
        interrupt_lists(grid)
        interrupt_watch(grid)
        interrupt_fetch(grid)
        interrupt_audit(grid)
        interrupt_question(grid)
        interrupt_submit(grid)
        grid.stop_server()
