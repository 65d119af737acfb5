"""Several servers on one PostgreSQL, behind something that hands connections round."""
import contextlib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

from audit import audit
from grid import PATIENCE, Failed, Grid, NotRun, batch_ended, expect, free_port, seeded, wait_for
from wire import Site

KILLS = int(os.environ.get("DUGNAD_KILLS", "30"))
UNITS = 60
SERVERS = 2
WITH = pathlib.Path(__file__).resolve().parents[1] / "support" / "with-postgres"


class Postgres:
    """A cluster of its own, for as long as its input is open."""

    def __enter__(self):
        self.process = subprocess.Popen([WITH, "sh", "-c", 'echo "$DUGNAD_TEST_DATABASE"; cat >/dev/null'], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("postgres"):
            raise NotRun(self.url or "PostgreSQL does not start")
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        self.process.wait(30 * PATIENCE)

    def ask(self, sql):
        return subprocess.run(["psql", self.url, "-XAtqc", sql], capture_output=True, text=True, timeout=60 * PATIENCE)

    def kill_one(self, chance):
        """One of its processes that serve connections, at once: PostgreSQL ends all others, and recovers."""
        said = self.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'dugnad'")
        pids = said.stdout.split() if said.returncode == 0 else []
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(chance.choice(pids)), signal.SIGKILL)
        wait_for(lambda: self.ask("SELECT 1").returncode == 0, 30, "PostgreSQL does not recover")


class Proxy:
    """Each connection goes to the next server that takes it."""

    def __init__(self, port, ports):
        self.ports, self.next, self.given = ports, 0, [0] * len(ports)
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self.run, daemon=True).start()

    def connect(self):
        for _ in self.ports:
            self.next = (self.next + 1) % len(self.ports)
            with contextlib.suppress(OSError):
                there = socket.create_connection(("127.0.0.1", self.ports[self.next]), 2)
                self.given[self.next] += 1
                return there
        return None

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                there = self.connect()
                if there is None:
                    here.close()
                else:
                    threading.Thread(target=self.carry, args=(here, there), daemon=True).start()

    @staticmethod
    def carry(here, there):
        with here, there, contextlib.suppress(OSError):
            while True:
                for end in select.select([here, there], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    (there if end is here else here).sendall(data)

    def close(self):
        self.listener.close()


class SharedGrid(Grid):
    """One site, SERVERS servers: each a copy of the folder with a number of its own; files are shared."""

    def __init__(self, build, database):
        super().__init__(build, database=database)
        self.ports = [free_port() for _ in range(SERVERS)]
        self.sites = [self.site]
        self.servers = [None] * SERVERS
        self.configure({"listen": f"127.0.0.1:{self.ports[0]}"})
        os.makedirs(os.path.join(self.folder, "files"))
        os.symlink(os.path.join(self.folder, "files"), os.path.join(self.site, "files"))
        for i in range(1, SERVERS):
            self.sites.append(os.path.join(self.folder, f"site{i + 1}"))
            shutil.copytree(self.sites[0], self.sites[i], symlinks=True)
            with open(os.path.join(self.sites[i], "site.conf")) as f:
                text = f.read().replace(f"127.0.0.1:{self.ports[0]}", f"127.0.0.1:{self.ports[i]}")
            with open(os.path.join(self.sites[i], "site.conf"), "w") as f:
                f.write(f"{text}server = {i + 1}\n")
        self.proxy = Proxy(self.port, self.ports)

    def start(self, i):
        self.servers[i] = self.spawn_server(self.sites[i])
        wait_for(lambda: self.listens(i), 30, f"server {i + 1} does not listen\n{self.server_log()}")

    def listens(self, i):
        if self.servers[i].poll() is not None:
            raise Failed(f"server {i + 1} ended with {self.servers[i].returncode}\n{self.server_log()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.ports[i]), 1).close()
            return True
        return False

    def all_know_project(self):
        """Each server has heard of what was published through another."""
        return all(Site(port, self.ca).request("GET", "/v1/project")[1]["project"] for port in self.ports)

    def kill(self, i):
        self.servers[i].kill()
        self.servers[i].wait(10 * PATIENCE)

    def stop(self, i):
        self.servers[i].send_signal(signal.SIGTERM)
        code = self.servers[i].wait(30 * PATIENCE)
        self.servers[i] = None
        expect(code == 0, f"SIGTERM ended server {i + 1} with {code}\n{self.server_log()}")

    def __exit__(self, kind, value, trace):
        for i in range(SERVERS):
            if self.servers[i] is not None and self.servers[i].poll() is None:
                self.kill(i)
        self.proxy.close()
        super().__exit__(kind, value, trace)


def kill_at_random(grid, postgres, chance):
    for count in range(1, KILLS + 1):
        time.sleep(chance.uniform(0.1, 0.8))
        target = chance.randrange(SERVERS + 1 + len(grid.machines))
        if target < SERVERS:
            grid.kill(target)
            time.sleep(chance.uniform(0, 0.5))  # the other one serves alone
            grid.start(target)
        elif target == SERVERS:
            postgres.kill_one(chance)
        else:
            machine = grid.machines[target - SERVERS - 1]
            machine.kill()
            machine.start()
        if count % 10 == 0:
            print(f"  {count} kills", flush=True)


def scenario_servers_on_postgres(build):
    """two servers on one PostgreSQL; servers, clients and PostgreSQL's processes killed: nothing acknowledged is lost"""
    chance = seeded()
    with Postgres() as postgres, SharedGrid(build, postgres.url) as grid:
        for i in range(SERVERS):
            grid.start(i)
        grid.publish_project()
        # An operator's balancer sends one address to one server; this one goes round.
        wait_for(grid.all_know_project, 60, "a server does not hear of the project")
        for name in ("ann", "bob", "cid"):
            grid.machine(name).start()
        grid.operator("app", "add", "primes", grid.app("primes"))
        submit = ("submit", "primes", "--name", "killed", "--range", f"0..{UNITS}000000", "--step", "1000000",
                  "--", "{from}", "{to}")
        wait_for(lambda: grid.run("dugnad", *submit).returncode == 0, 60, "a server does not hear of the app", 1)
        kill_at_random(grid, postgres, chance)
        wait_for(batch_ended(grid, "killed", UNITS), 240, f"the batch does not end\n{grid.server_log()}", 0.5)
        into = os.path.join(grid.folder, "results")
        grid.operator("fetch", "killed", "--into", into)
        audit(grid, into)
        expect(min(grid.proxy.given) > 0, f"one server was never asked: {grid.proxy.given}")
        by = [row[0] for row in grid.rows("SELECT DISTINCT server FROM task ORDER BY 1")]
        expect(by == [1, 2], f"tasks were sent by servers {by}")
        clones = grid.rows("SELECT id, visit FROM host WHERE withdrawn")
        expect(not clones, f"hosts that repeated themselves were taken for clones: {[tuple(row) for row in clones]}")
        for machine in grid.machines:
            machine.stop()
        for i in range(SERVERS):
            grid.stop(i)
        grid.call("dugnad-server", "check", grid.site, "--deep")
        print(f"  connections: {grid.proxy.given}", flush=True)
