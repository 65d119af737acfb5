"""Disks that fill up: the server says so, stops in time, and goes on when there is room."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from audit import audit
from grid import Grid, batch_ended, expect, in_mount_namespace, wait_for
from wire import Host

DISK_MIB = 24
FULL_S = 15  # longer than the server waits from one probe of its disk to the next


def work(grid, name, units):
    grid.operator("submit", "primes", "--name", name, "--range", f"0..{units}00", "--step", "100", "--", "{from}", "{to}")


def scenario_space_floors(build):
    """below its floors the server sends no work, and a volunteer asks for none; both say why and go on above them"""
    with Grid(build, {"issue_floor": "1T", "max_return": "2s"}) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        work(grid, "floor", 2)
        for name in ("ann", "bob"):
            grid.machine(name).start()
        words = wait_for(lambda: [p["why_idle"] for p in grid.machines[0].status()["projects"] if p["visits"] > 0 and
                                  "space" in p["why_idle"]], 60,
                         "the client does not say that the server has no space")
        print(f"  the client says: {words[0]}", flush=True)
        shown = grid.machines[0].call("status")
        expect(words[0] in shown, f"status for people does not say it: {shown}")
        expect(not grid.rows("SELECT id FROM task"), "work was sent below the floor")
        grid.stop_server()
        grid.configure({"issue_floor": "1M"})
        bob = grid.machines[1]
        bob.stop()
        bob.settings["free_floor"] = "262144G"
        bob.start()
        words = wait_for(lambda: [p["why_idle"] for p in bob.status()["projects"] if "free_floor" in p["why_idle"]], 60,
                         "the client does not say that its own disk has too little space")
        print(f"  and of its own disk: {words[0]}", flush=True)
        expect("free_floor leaves" in bob.call("status"), "status for people does not say it")
        grid.start_server()
        wait_for(lambda: grid.rows("SELECT id FROM task"), 60, "ann gets no work")
        # What a visit asked for that was never answered may come; but it is neither fetched nor started.
        phases = [t["phase"] for p in bob.status()["projects"] for t in p["tasks"]]
        expect(set(phases) <= {"offered", "fetching"}, f"bob works on it: {phases}")
        bob.stop()
        bob.settings["free_floor"] = "1M"
        bob.start()
        wait_for(batch_ended(grid, "floor", 2), 90, f"it does not go on\n{grid.machines[0].log()}", 0.5)
        audit(grid)
        grid.stop_server()


def fill(disk, left=0):
    """A file over all free space but `left` bytes."""
    free = os.statvfs(disk)
    path = os.path.join(disk, "filler")
    with open(path, "wb", buffering=0) as f:
        try:
            remaining = free.f_bavail * free.f_bsize - left
            while remaining > 0:
                remaining -= f.write(bytes(min(remaining, 1 << 16)))
        except OSError:
            pass
    return path


def full_disk(build, disk):
    with Grid(build, disk=disk) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        work(grid, "before", 4)
        for name in ("ann", "bob"):
            grid.machine(name)
        filler = fill(disk)
        for machine in grid.machines:
            machine.start()
        inputs = os.path.join(grid.folder, "large")
        with open(inputs, "wb") as f:
            f.write(os.urandom(2 << 20))
        done = grid.run("dugnad", "submit", "primes", inputs, "--name", "full", "--", "0", "10")
        expect(done.returncode in (4, 5), f"submit to a full disk: exit {done.returncode}: {done.stderr}")
        print(f"  the operator reads: {done.stderr.strip().splitlines()[-1][:150]}", flush=True)
        status, answer, _ = grid.wire().request("GET", "/v1/project")
        expect(status == 200 and answer["project"], f"a full server does not answer: {status} {answer}")
        expect(grid.server.poll() is None, f"the server ended with {grid.server.poll()}\n{grid.server_log()}")
        os.unlink(filler)
        wait_for(batch_ended(grid, "before", 4), 120, f"it does not go on\n{grid.server_log()}", 0.5)
        audit(grid)
        grid.operator("submit", "primes", inputs, "--name", "full", "--", "0", "10")
        wait_for(batch_ended(grid, "full", 1), 90, f"the refused batch does not go on\n{grid.server_log()}", 0.5)
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def healthy(site):
    """What GET /healthz says now: (code, words)."""
    status, answer, _ = site.request("GET", "/healthz")
    return status, answer.get("detail", "")


def full_health(build, disk):
    """Without floors, so that nothing but failed commits can tell that the disk is full."""
    with Grid(build, {"issue_floor": "0", "upload_floor": "0"}, disk=disk) as grid:
        grid.start_server()
        grid.publish_project()
        site = grid.wire()
        host = Host(site)
        expect(host.visit()[0] == 200 and healthy(site)[0] == 200, f"at first: {healthy(site)}")
        filler = fill(disk)
        wait_for(lambda: host.visit()[0] == 507, 60, "visits go on though the disk is full", 0)
        refused, end = 0, time.monotonic() + FULL_S
        while time.monotonic() < end:
            status, answer = host.visit()
            said = healthy(site)
            expect(status == 507, f"a visit to a full disk: {status} {answer}")
            expect(said[0] == 503 and "full" in said[1], f"visits get 507, and /healthz says {said}")
            refused += 1
            time.sleep(0.2)
        print(f"  beside {refused} refused visits it said: {said[1]}", flush=True)
        os.unlink(filler)
        wait_for(lambda: host.visit()[0] == 200, 60, f"visits do not go on\n{grid.server_log()}")
        wait_for(lambda: healthy(site)[0] == 200, 120, f"/healthz stays {healthy(site)}")
        expect(host.visit()[0] == 200, "visits get nothing, and /healthz is 200")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def scenario_full_disk(build):
    """a disk that is full to the last byte: clean errors, no crash, recovery, a sound site"""
    in_mount_namespace(__file__, build, "a small disk of one's own", "full_disk")


def scenario_full_disk_health(build):
    """/healthz is 503 beside each visit that gets 507 on a full disk; both are 200 again when there is room"""
    in_mount_namespace(__file__, build, "a small disk of one's own", "full_health")


def main(build, what):
    """In a mount namespace of our own: what is mounted here, nobody else sees, and ends with us."""
    disk = tempfile.mkdtemp(prefix="dugnad-disk-")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", disk], capture_output=True,
                             text=True)
    try:
        if mounted.returncode != 0:
            print(f"a small disk cannot be mounted: {mounted.stderr.strip()}", file=sys.stderr)
            return 77
        {"full_disk": full_disk, "full_health": full_health}[what](build, disk)
        return 0
    finally:
        subprocess.run(["umount", "-l", disk], capture_output=True)
        shutil.rmtree(disk, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
