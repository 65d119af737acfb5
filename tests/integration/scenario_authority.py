"""A site whose certificate is of another authority than before."""
import os
import shutil

from grid import Grid, batch_ended, expect, wait_for
from scenario_volunteer import LONG, add_sleeper, phases, sleep_units, waking


def another_authority(grid, name):
    """The folder of certificates that the same site would have had if it had been made anew."""
    folder = os.path.join(grid.folder, name)
    grid.call("dugnad-server", "init", folder, "--name", "another", "--url", grid.url,
              "--listen", f"127.0.0.1:{grid.port}", "--yes")
    return os.path.join(folder, "tls")


def move_to(grid, tls):
    """The site has these certificates from now on."""
    grid.stop_server()
    shutil.rmtree(os.path.join(grid.site, "tls"))
    shutil.copytree(tls, os.path.join(grid.site, "tls"))
    grid.start_server()


def trouble(machine):
    return machine.status()["projects"][0]["trouble"] or ""


def publish_cas(grid, *cas):
    """The project's next keyring, which lists these."""
    said = grid.operator_json("key", "publish", *(f"--tls-ca={ca}" for ca in cas))
    expect(len(said["tls_cas"]) == len(cas), f"the keyring lists {said['tls_cas']}")
    return said["keyring_version"]


def knows_keyring(machine, version):
    return machine.status()["projects"][0]["keyring_version"] >= version


def scenario_another_authority(build):
    """clients go over to another CA that a later keyring lists; one that none lists stops talk, not work"""
    with Grid(build) as grid:
        grid.start_server()
        first = os.path.join(grid.folder, "first")
        shutil.copytree(os.path.join(grid.site, "tls"), first)
        spare, foreign = another_authority(grid, "spare"), another_authority(grid, "foreign")
        grid.publish_project(grid.ca)
        add_sleeper(grid)
        for name in ("ann", "bob"):
            grid.machine(name).start()
        version = publish_cas(grid, grid.ca, os.path.join(spare, "ca.pem"))
        expect(version == 2, f"it is keyring {version}")
        for machine in grid.machines:
            wait_for(lambda: knows_keyring(machine, version), 60, f"keyring {version} does not arrive\n{machine.log()}")
        sleep_units(grid, "moved", LONG, 4)
        wait_for(lambda: all("running" in phases(machine) for machine in grid.machines), 60, "nothing runs")
        move_to(grid, foreign)
        visits = {row["id"]: row["visit"] for row in grid.rows("SELECT id, visit FROM host")}
        for machine in grid.machines:
            wait_for(waking(grid, lambda: "finished" in phases(machine)), 60, f"nothing is finished\n{machine.log()}")
            wait_for(lambda: "certificate" in trouble(machine), 60, f"no word of the certificate: {trouble(machine)}")
        later = {row["id"]: row["visit"] for row in grid.rows("SELECT id, visit FROM host")}
        expect(later == visits, f"visits before {visits}, then {later}")
        move_to(grid, spare)
        grid.operator("connect", grid.url, "--ca", grid.ca)
        wait_for(waking(grid, batch_ended(grid, "moved", 4)), 90, f"it does not end\n{grid.machines[0].log()}", 0.5)
        for machine in grid.machines:
            wait_for(lambda: trouble(machine) == "", 30, f"still in trouble: {trouble(machine)}")
        expect(len(grid.rows("SELECT id FROM host")) == 2, "a host enrolled anew")
        version = publish_cas(grid, os.path.join(spare, "ca.pem"))
        for machine in grid.machines:
            wait_for(lambda: knows_keyring(machine, version), 60, f"keyring {version} does not arrive\n{machine.log()}")
        move_to(grid, first)
        for machine in grid.machines:
            wait_for(lambda: "certificate" in trouble(machine), 60, f"a dropped CA is trusted: {trouble(machine)}")
        for machine in grid.machines:
            machine.stop()
        grid.stop_server()
