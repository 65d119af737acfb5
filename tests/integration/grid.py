"""A throw-away grid of the real binaries: one site, some volunteers' machines, an operator.

Everything lives in one temporary folder, listens on loopback at ports the system chose, and ends with the grid.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import contract
from wire import Site


# Every bound on waiting is stretched by this: a laptop needs 1, a crowded builder more.
PATIENCE = float(os.environ.get("DUGNAD_PATIENCE", "3"))


class NotRun(Exception):
    """This machine cannot show it; the words say why."""


class Failed(Exception):
    """What a scenario expected did not happen."""


def expect(condition, words):
    if not condition:
        raise Failed(words)


def free_port():
    """Below what the system gives to outgoing connections: a killed server's port must still be free a moment later."""
    for _ in range(100):
        port = random.SystemRandom().randrange(12000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise NotRun("there is no free port")


def wait_for(condition, seconds, words, pause=0.1):
    """Ask until it says yes; what it said last is returned. Bounded by so many seconds in all; where the condition has a
    `progress`, by so many without any: a slow machine gets there, one that stands still does not. `words`: why it failed, or a function that
    finds out then."""
    end = time.monotonic() + seconds * PATIENCE
    before = None
    while True:
        answer = condition()
        if answer:
            return answer
        now = getattr(condition, "progress", None)
        if now != before:
            before, end = now, time.monotonic() + seconds * PATIENCE
        if time.monotonic() > end:
            raise Failed(f"after {seconds} s: {words() if callable(words) else words}")
        time.sleep(pause)


class Grid:
    def __init__(self, build, settings=None, name="test grid", disk=None, database=None):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix="dugnad-grid-")
        self.site = os.path.join(disk or self.folder, "site")
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca = os.path.join(self.site, "tls", "ca.pem")
        self.profile = os.path.join(self.folder, "operator")
        self.server = None
        self.machines = []
        self.recording = os.path.join(self.folder, "wire")
        self.passphrase = os.path.join(self.folder, "passphrase")
        with open(self.passphrase, "w") as f:
            f.write("correct horse battery\n")
        self.settings = {"min_return": "1s", "max_return": "2s", "window": "20", "body_wait": "20s",
                         "visits_per_minute": "100000", "requests_per_minute": "1000000",
                         "enrolments_per_hour": "10000", "accounts_per_hour": "10000",
                         "challenges_per_minute": "10000", "strangers_per_minute": "1000000",
                         "handshake_time": "60s", "header_time": "60s",
                         "issue_floor": "1M", "issue_floor_percent": "0",
                         "upload_floor": "1M", "upload_floor_percent": "0"}
        self.settings.update(settings or {})
        self.postgres = database
        self.call("dugnad-server", "init", self.site, "--name", name, "--url", self.url,
                  "--listen", f"127.0.0.1:{self.port}", "--yes", *(["--database", database] if database else []))
        self.configure(self.settings)

    # --- programs --------------------------------------------------------------------------------
    def program(self, name):
        return os.path.join(self.build, name)

    def run(self, name, *arguments, stdin="", timeout=300, environment=None):
        """Run to its end; the completed process, whatever its exit code."""
        env = dict(os.environ, DUGNAD_PROFILE=self.profile, DUGNAD_PASSPHRASE_FILE=self.passphrase,
                   HOME=self.folder, **(environment or {}))
        return subprocess.run([self.program(name), *map(str, arguments)], input=stdin, env=env, text=True,
                              capture_output=True, timeout=timeout * PATIENCE, errors="replace")

    def call(self, name, *arguments, **how):
        """Run and insist on exit code 0; its output."""
        done = self.run(name, *arguments, **how)
        expect(done.returncode == 0, f"{name} {' '.join(map(str, arguments))}: exit {done.returncode}\n"
                                     f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def operator(self, *arguments, **how):
        return self.call("dugnad", *arguments, **how)

    def operator_json(self, *arguments, **how):
        return json.loads(self.operator(*arguments, "--json", **how))

    # --- server ----------------------------------------------------------------------------------
    def configure(self, settings):
        path = os.path.join(self.site, "site.conf")
        with open(path) as f:
            lines = [line for line in f if line.split("=")[0].strip() not in settings]
        with open(path, "w") as f:
            f.writelines(lines)
            for key, value in settings.items():
                f.write(f"{key} = {value}\n")

    def recorded(self):
        """The environment in which servers are recorded, to be held against docs/openapi.json at the end."""
        more = contract.recording_environment(self.build, self.recording) if self.recording else {}
        return dict(os.environ, **more)

    def spawn_server(self, site, log=None):
        """A server whose every message is recorded."""
        log = log or open(os.path.join(self.folder, "server.log"), "a")
        return subprocess.Popen([self.program("dugnad-server"), "run", site], stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL, env=self.recorded())

    def start_server(self):
        self.server = self.spawn_server(self.site)
        wait_for(self.server_answers, 60, f"the server does not listen\n{self.server_log()}")

    def server_answers(self):
        if self.server.poll() is not None:
            raise Failed(f"the server ended with {self.server.returncode}\n{self.server_log()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def server_log(self):
        try:
            with open(os.path.join(self.folder, "server.log"), errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return ""

    def kill_server(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait(10 * PATIENCE)

    def stop_server(self):
        self.server.send_signal(signal.SIGTERM)
        code = self.server.wait(30 * PATIENCE)
        expect(code == 0, f"SIGTERM ended the server with {code}\n{self.server_log()}")
        self.server = None

    def database(self):
        """A read-only view of the site's rows."""
        path = next(os.path.join(self.site, f) for f in sorted(os.listdir(self.site)) if f.endswith(".db"))
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        connection.row_factory = sqlite3.Row
        return connection

    def rows(self, sql, *values):
        connection = self.copy(sql) if self.postgres else self.database()
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def copy(self, sql):
        """The tables that the statement names, out of PostgreSQL into an embedded database of the same columns."""
        connection = sqlite3.connect(":memory:")
        connection.row_factory = sqlite3.Row
        source = pathlib.Path(__file__).resolve().parents[2]
        connection.executescript((source / "db" / "schema" / "0001_site.sql").read_text())
        connection.execute("PRAGMA foreign_keys = OFF")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [table for table in tables if re.search(rf"\b{table}\b", sql)]
        parts = ", ".join(f"'{table}', (SELECT coalesce(json_agg(t), '[]') FROM {table} t)" for table in tables)
        said = subprocess.run(["psql", self.postgres, "-XAtqc", f"SELECT json_build_object({parts})"],
                              capture_output=True, text=True, timeout=60 * PATIENCE)
        expect(said.returncode == 0, f"psql: {said.stderr}")
        for table, rows in json.loads(said.stdout).items():
            connection.execute(f"DELETE FROM {table}")
            blobs = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})") if row["type"] == "BLOB"}
            for row in rows:
                values = [bytes.fromhex(v[2:]) if k in blobs and v is not None else v for k, v in row.items()]
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", values)
        return connection

    def token(self, role="operator"):
        said = self.call("dugnad-server", "token", self.site, "new", "--role", role, "--name", "tests")
        return said.strip().split()[-1]

    def wire(self, **how):
        """The site, to be spoken to without any of our programs."""
        return Site(self.port, self.ca, **{"patience": 30 * PATIENCE, **how})

    # --- operator --------------------------------------------------------------------------------
    def publish_project(self, *cas):
        """Token, profile, keys, keyring (with these CAs): a site that hands out work. Sets self.link."""
        path = os.path.join(self.folder, "token")
        with open(path, "w") as f:
            f.write(self.token() + "\n")
        self.operator("connect", self.url, "--token-file", path, "--ca", self.ca)
        self.operator("key", "init")
        said = self.operator("key", "publish", *(f"--tls-ca={ca}" for ca in cas))
        links = [word for word in said.split() if word.startswith("https://") and "#" in word]
        expect(links, f"key publish prints no link: {said}")
        self.link = links[0]

    def app(self, name):
        return os.path.join(self.build, "work-units", "apps", name, name)

    # --- volunteers ------------------------------------------------------------------------------
    def machine(self, name, lies=None, account=True, settings=None):
        machine = Machine(self, name, lies, settings)
        machine.attach(account)
        self.machines.append(machine)
        return machine

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for machine in self.machines:
            machine.end()
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait(10 * PATIENCE)
        unfit = contract.hold(self.recording) if self.recording and os.path.isdir(self.recording) else []
        if (kind is not None or unfit) and os.environ.get("KEEP_GRID"):
            print(f"the grid is kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        words = "messages that do not fit docs/openapi.json:\n    " + "\n    ".join(unfit)
        if unfit and kind is not None:
            print(words)  # beside why it failed
        expect(not unfit or kind is not None, words)


class Machine:
    """One volunteer's computer: a data folder and, while it runs, a daemon."""

    def __init__(self, grid, name, lies=None, settings=None):
        self.grid = grid
        self.name = name
        self.lies = lies
        self.data = os.path.join(grid.folder, name)
        self.settings = {"visit_interval": "1s", "bulletin_interval": "2s", "retry_first": "1s",
                         "retry_last": "2s", "work_buffer": "30s", "memory": "2G",
                         "disk_percent": "100", "free_floor": "1M"}
        self.settings.update(settings or {})
        self.daemon = None

    def flags(self):
        return [f"--set={key}={value}" for key, value in self.settings.items()]

    def call(self, verb, *arguments, **how):
        return self.grid.call("dugnad-client", *verb.split(), *arguments, "--data", self.data, **how)

    def status(self):
        return json.loads(self.call("status", "--json"))

    def attach(self, account):
        extra = []
        if account:
            made = self.call("account new", self.grid.link)
            key = made.strip().split()[-1]
            extra = ["--account", key]
        self.call("attach", self.grid.link, "--yes", *extra)

    def start(self):
        log = open(os.path.join(self.grid.folder, f"{self.name}.log"), "a")
        if self.lies is None:
            command = [self.grid.program("dugnad-client"), "run"]
        else:
            command = [self.grid.program("tests/support/lying-client"), "run", "--lie", str(self.lies)]
        self.daemon = subprocess.Popen([*command, "--data", self.data, *self.flags()], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL)

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait(10 * PATIENCE)

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(30 * PATIENCE)
        expect(code == 0, f"SIGTERM ended {self.name} with {code}: {self.log()}")
        self.daemon = None

    def log(self):
        try:
            with open(os.path.join(self.grid.folder, f"{self.name}.log"), errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return ""

    def end(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait(10 * PATIENCE)


def batch_ended(grid, batch, units):
    """A condition for wait_for(): every unit of the batch has ended."""

    def ask():
        status = grid.operator_json("status", batch)
        ended = status["accepted"] + status["failed"] + status.get("cancelled", 0)
        ask.progress = (ended, status["agreed"])  # bounded by the units, as copies are not
        return ended >= units and status

    return ask


def in_mount_namespace(script, build, what, *arguments):
    """Run `script BUILD ARGUMENT…` where what it mounts nobody else sees, and ends with it. It ends with 77 where this machine does
    not let it, and says why on stderr. `what` is named where not even the namespace can be had."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise NotRun(f"{what} needs root and unshare(1)")
    done = subprocess.run(["unshare", "-m", sys.executable, "-B", os.path.abspath(script), build, *arguments],
                          capture_output=True, text=True, timeout=300 * PATIENCE)
    print(done.stdout, end="", flush=True)
    if done.returncode == 77:
        raise NotRun(done.stderr.strip())
    if done.returncode != 0:
        raise Failed(done.stderr.strip()[-3000:])


def seeded():
    """A generator whose seed is printed, and can be given as DUGNAD_SEED."""
    seed = int(os.environ.get("DUGNAD_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"  seed {seed}", flush=True)
    return random.Random(seed)
