"""What scenarios of large batches share: a submit that can be killed, and what programs take meanwhile."""
import os
import subprocess
import threading
import time


def submitting(grid, name, units):
    """dugnad, on its way."""
    command = [grid.program("dugnad"), "submit", "primes", "--name", name, "--range", f"0..{units}",
               "--", "{from}", "{to}"]
    env = dict(os.environ, DUGNAD_PROFILE=grid.profile, DUGNAD_PASSPHRASE_FILE=grid.passphrase, HOME=grid.folder)
    log = open(os.path.join(grid.folder, "submit.log"), "a")
    return subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def units_there(grid):
    """Of all batches together, by their counters: counting rows takes long when they are millions."""
    return grid.rows("SELECT coalesce(sum(units), 0) FROM batch")[0][0]


def memory_kib(pid, field):
    """VmRSS, VmHWM, RssAnon; 0: the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith(field + ":")), 0)
    except OSError:
        return 0


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Sampler:
    """Looks at the memory of processes from time to time, until it is stopped."""

    def __init__(self, every_s):
        self.every_s = every_s
        self.pids = {}    # what is followed: the newest process of each name
        self.samples = {}  # resident KiB over time
        self.highest = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def follow(self, name, pid):
        self.pids[name] = pid

    def look(self):
        for name, pid in list(self.pids.items()):
            now, peak = memory_kib(pid, "VmRSS"), memory_kib(pid, "VmHWM")
            if now == 0:
                continue
            self.samples.setdefault(name, []).append(now)
            self.highest[name] = max(self.highest.get(name, 0), peak)

    def work(self):
        while not self.ended.wait(self.every_s):
            self.look()

    def now(self):
        return {name: memory_kib(pid, "VmRSS") // 1024 for name, pid in self.pids.items()}

    def peaks(self):
        self.look()
        return {name: kib // 1024 for name, kib in self.highest.items()}

    def stop(self):
        self.ended.set()
        self.thread.join()
