"""A log that nobody reads: no program waits for its reader, and SIGTERM ends it as ever."""
import os
import signal
import subprocess

from grid import PATIENCE, Grid, batch_ended, expect, wait_for


def fill(writer):
    """Until it takes not one byte more, as a pipe does whose reader stopped."""
    os.set_blocking(writer, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(writer, bytes(size))
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)


def filled_pipe():
    """Both ends of a full one."""
    reader, writer = os.pipe()
    fill(writer)
    return reader, writer


def drained(reader):
    """All that is in the pipe now."""
    os.set_blocking(reader, False)
    found = b""
    try:
        while piece := os.read(reader, 1 << 16):
            found += piece
    except BlockingIOError:
        pass
    return found.decode(errors="replace")


def ends_at_once(process, name):
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(60 * PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    expect(code == 0, f"SIGTERM ended the {name} with {code}")


def scenario_unread_log(build):
    """a server and its volunteers work and stop though nobody reads their logs, and later say how much is missing"""
    with Grid(build, {"log_level": "debug"}) as grid:
        server_reads, server_writes = filled_pipe()
        client_reads, client_writes = filled_pipe()
        grid.server = grid.spawn_server(grid.site, server_writes)
        wait_for(grid.server_answers, 60, "the server does not listen")
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "unread", "--range", "0..300", "--step", "100", "--", "{from}", "{to}")
        for name in ("ann", "bob"):
            machine = grid.machine(name)
            machine.daemon = subprocess.Popen(
                [grid.program("dugnad-client"), "run", "--log", "debug", "--data", machine.data, *machine.flags()],
                stdout=client_writes, stderr=client_writes, stdin=subprocess.DEVNULL)
        wait_for(batch_ended(grid, "unread", 3), 90, "the batch does not end", 0.5)
        drained(client_reads)
        # It is said with the next line there is: clients without work may have none for long.
        grid.operator("submit", "primes", "--name", "more", "--range", "0..300", "--step", "100", "--", "{from}", "{to}")
        wait_for(lambda: "event=log.dropped lines=" in drained(client_reads), 60, "the clients do not say what is missing")
        drained(server_reads)
        wait_for(lambda: "event=log.dropped lines=" in drained(server_reads), 60, "the server does not say what is missing")
        fill(server_writes)
        fill(client_writes)
        for machine in grid.machines:
            ends_at_once(machine.daemon, "client")
        ends_at_once(grid.server, "server")
        for descriptor in (server_reads, server_writes, client_reads, client_writes):
            os.close(descriptor)


def scenario_unread_answers(build):
    """an operator's command whose output nobody takes ends at the first SIGTERM or Ctrl-C, and says so by its code"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "waits", "--range", "0..300", "--step", "100", "--", "{from}", "{to}")
        reader, writer = filled_pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            for words in (["status"], ["watch", "waits"], ["fetch", "waits", "--into", os.path.join(grid.folder, "into")]):
                command = subprocess.Popen([grid.program("dugnad"), *words], stdout=writer, stderr=writer, stdin=subprocess.DEVNULL,
                                           env=dict(os.environ, DUGNAD_PROFILE=grid.profile, HOME=grid.folder))
                wait_for(lambda pid=command.pid: writes(pid), 60, f"{words} writes nothing")
                command.send_signal(number)
                try:
                    expect(command.wait(60 * PATIENCE) == 130, f"{words} ended with {command.returncode}")
                finally:
                    command.kill()
        os.close(reader)
        os.close(writer)


def writes(pid):
    """Whether it is held by a pipe that is full."""
    with open(f"/proc/{pid}/wchan") as f:
        return "pipe_write" in f.read()
