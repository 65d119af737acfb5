"""A site that is not as it should be: the server says what is wrong, ends with a code, and changes nothing."""
import contextlib
import hashlib
import os
import resource
import shlex
import shutil
import sqlite3
import ssl
import subprocess
import urllib.error
import urllib.request

from grid import PATIENCE, Grid, expect, free_port, wait_for


def snapshot(folder):
    """Path → digest of all that is in there, but for the lock."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if name != "lock" and not name.endswith(("-shm", "-wal")):
                with open(path, "rb") as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
    return found


def refused(grid, words, code=1, verb="run"):
    """`dugnad-server verb` ends with that code and says these words; the site is as before."""
    before = snapshot(grid.folder)
    done = grid.run("dugnad-server", verb, grid.site)
    said = done.stdout + done.stderr
    expect(done.returncode == code, f"{verb} ended with {done.returncode}, not {code}: {said}")
    for word in words:
        expect(word in said, f"{verb} does not say \"{word}\": {said}")
    expect(snapshot(grid.folder) == before, f"{verb} changed the site though it failed with: {said}")


def scenario_half_written_site(build):
    """a site folder without one of its parts, or of an init that was cut short, is refused by name"""
    with Grid(build) as grid:
        for part in ("secret", "dugnad.db", "site.conf"):
            path = os.path.join(grid.site, part)
            os.rename(path, path + ".away")
            refused(grid, ["no whole site", part])
            refused(grid, ["no whole site", part], verb="check")
            os.rename(path + ".away", path)
        os.rename(grid.site, grid.site + ".new")
        refused(grid, ["cut short", "init it again"])
        done = grid.run("dugnad-server", "init", grid.site, "--name", "x", "--url", grid.url, "--yes")
        expect(done.returncode == 1 and "cut short" in done.stderr, f"init over a half-made site: {done.stderr}")
        shutil.rmtree(grid.site + ".new")
        refused(grid, ["there is no site"])


def change_database(grid, statement):
    database = sqlite3.connect(os.path.join(grid.site, "dugnad.db"))
    database.execute(statement)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def scenario_newer_database(build):
    """a database of a newer version is left alone"""
    with Grid(build) as grid:
        change_database(grid, "INSERT INTO migration VALUES (9999, 'of tomorrow')")
        refused(grid, ["9999", "newer"])
        refused(grid, ["9999", "newer"], verb="check")
        change_database(grid, "DELETE FROM migration WHERE version = 9999")
        grid.start_server()
        grid.stop_server()


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


def scenario_bad_certificate(build):
    """a certificate that is missing, expired or not for this host is refused by run and named by check"""
    with Grid(build) as grid:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem", cwd=grid.folder)
        openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=x", "-out", "x.csr", cwd=grid.folder)
        for name, extension, days in (("expired", "subjectAltName=IP:127.0.0.1", "-1"),
                                      ("other", "subjectAltName=DNS:elsewhere.example", "30"),
                                      ("good", "subjectAltName=IP:127.0.0.1", "30")):
            with open(os.path.join(grid.folder, "x.ext"), "w") as f:
                f.write(extension + "\n")
            openssl("x509", "-req", "-in", "x.csr", "-signkey", "key.pem", "-days", days, "-extfile", "x.ext",
                    "-out", f"{name}.pem", cwd=grid.folder)
        for name, word in (("missing", "no certificate"), ("expired", "expired"), ("other", "not for 127.0.0.1")):
            grid.configure({"certificate": os.path.join(grid.folder, f"{name}.pem"),
                            "certificate_key": os.path.join(grid.folder, "key.pem")})
            refused(grid, [word])
            refused(grid, [word], code=3, verb="check")
        whole = open(os.path.join(grid.folder, "good.pem")).read()
        for name, text, word in (("cut", whole[:len(whole) // 2], "no whole certificate"), ("empty", "", "no whole certificate"),
                                 ("cut chain", whole + whole[:len(whole) // 2], "chain is cut short")):
            with open(os.path.join(grid.folder, f"{name}.pem"), "w") as f:
                f.write(text)
            grid.configure({"certificate": os.path.join(grid.folder, f"{name}.pem")})
            refused(grid, [word] + ([f"{name}.pem"] if "whole" in word else []))
        grid.configure({"certificate": os.path.join(grid.folder, "good.pem")})
        grid.start_server()
        grid.stop_server()


def scenario_second_server(build):
    """a second server on one site is refused, and so are check and a taken port; the first goes on"""
    with Grid(build) as grid, Grid(build) as other:
        grid.start_server()
        done = grid.run("dugnad-server", "run", grid.site)
        expect(done.returncode == 4, f"a second run ends with {done.returncode}: {done.stderr}")
        expect("another" in done.stderr or "runs this site" in done.stderr, f"it says: {done.stderr}")
        done = grid.run("dugnad-server", "check", grid.site)
        expect(done.returncode == 4 and "stop it first" in done.stderr, f"check beside a server: {done.stderr}")
        other.configure({"listen": f"127.0.0.1:{grid.port}"})
        done = other.run("dugnad-server", "run", other.site)
        expect(done.returncode in (1, 4) and str(grid.port) in done.stderr, f"a taken port: {done.stderr}")
        expect(grid.server_answers(), "the first server is gone")
        grid.stop_server()


def scenario_wrong_setting(build):
    """a wrong setting is named with its line"""
    with Grid(build) as grid:
        path = os.path.join(grid.site, "site.conf")
        with open(path) as f:
            good = f.read()
        line = good.count("\n") + 1
        for bad, word in (("tread = 2", "tread"), ("threads = many", "threads"), ("threads = 65", "64"),
                          ("this is no setting", "")):
            with open(path, "w") as f:
                f.write(good + bad + "\n")
            refused(grid, [str(line), word])
        with open(path, "w") as f:
            f.write(good)
        done = grid.run("dugnad-server", "init", os.path.join(grid.folder, "b"), "--name", "x", "--url",
                        f"http://127.0.0.1:{free_port()}", "--yes")
        expect(done.returncode == 2 and "https" in done.stderr, f"a plain URL: {done.returncode} {done.stderr}")
        expect(not os.path.exists(os.path.join(grid.folder, "b")), "a refused init left a folder")


def scenario_tokens(build):
    """a token works while the server runs, is refused once revoked, and is nowhere in the site or its log"""
    with Grid(build) as grid:
        grid.start_server()
        token = grid.token()
        site = grid.wire()
        status, answer, _ = site.request("GET", "/v1/batches", token=token)
        expect(status == 200 and answer["batches"] == [], f"a new token: {status} {answer}")
        listed = grid.call("dugnad-server", "token", grid.site, "list")
        number = [line.split()[0] for line in listed.splitlines() if "valid" in line][-1]
        grid.call("dugnad-server", "token", grid.site, "revoke", number)
        wait_for(lambda: site.request("GET", "/v1/batches", token=token)[0] == 401, 60, "a revoked token still works")
        answer = site.request("GET", "/v1/batches", token=token)[1]
        expect(answer["type"] == "unauthorized", f"a revoked token: {answer}")
        account = grid.call("dugnad-server", "volunteer", grid.site, "add", "Anna").strip()
        expect("Anna" in grid.call("dugnad-server", "volunteer", grid.site, "list"), "Anna is not listed")
        grid.stop_server()
        for root, _, names in os.walk(grid.site):
            for name in names:
                with open(os.path.join(root, name), "rb") as f:
                    content = f.read()
                expect(token.encode() not in content, f"the token is in {name}")
                expect(account.encode() not in content, f"the account's key is in {name}")
        expect(token not in grid.server_log(), "the token is in the log")


def scenario_full_output(build):
    """what is printed onto a full or closed output ends with 1 in all three programs, and no token is lost that way"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        count = lambda: len(grid.rows("SELECT id FROM credential"))
        before = count()
        secrets = (("dugnad-server", "token", grid.site, "new", "--name", "x"),
                   ("dugnad-server", "volunteer", grid.site, "add", "Ann"))
        others = (("dugnad-server", "token", grid.site, "list"), ("dugnad-server", "config"),
                  ("dugnad", "status"), ("dugnad", "--help"), ("dugnad-client", "--version"), ("dugnad-client", "run", "--help"))
        for words in secrets + others:
            whole = f"{shlex.quote(grid.program(words[0]))} {shlex.join(words[1:])}"
            for where in (">/dev/full", ">&-"):
                done = grid.run("/bin/sh", "-c", f"{whole} {where}")
                expect(done.returncode == 1 and "printed" in done.stderr, f"{words} {where}: {done.returncode} {done.stderr}")
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--range", "0..3", "--name", "open", "--", "{from}", "{to}")
        for words in (("fetch", "open", "--into", os.path.join(grid.folder, "results"), "--json"), ("watch", "open"), ("watch", "open", "--json"),
                      ("audit", "open", "--json")):  # regression: they ended with 3, or when the batch did
            whole = f"{shlex.quote(grid.program('dugnad'))} {shlex.join(words)}"
            for where in (">/dev/full", ">&-"):
                done = grid.run("/bin/sh", "-c", f"{whole} {where}")
                expect(done.returncode == 1 and "printed" in done.stderr, f"{words} {where}: {done.returncode} {done.stderr}")
        expect(count() == before, "a token that nobody saw is valid")
        for words in secrets:
            grid.call(*words)
        expect(count() == before + len(secrets), "a token that was shown is not there")


def health(grid):
    """What GET /healthz says: the code and the words."""
    context = ssl.create_default_context(cafile=grid.ca)
    with contextlib.suppress(OSError):
        try:
            with urllib.request.urlopen(f"{grid.url}/healthz", timeout=30 * PATIENCE, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
    return 0, ""


def scenario_frozen_database(build):
    """/healthz is 503 with the reason while nothing can be committed, and 200 again afterwards"""
    with Grid(build) as grid:
        grid.start_server()
        expect(health(grid)[0] == 200, f"at first: {health(grid)}")
        database = sqlite3.connect(os.path.join(grid.site, "dugnad.db"), isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        said = wait_for(lambda: health(grid)[0] == 503 and health(grid), 120, "/healthz stays 200 though nothing can be committed")
        expect("database" in said[1] and "s ago" in said[1], f"it does not say why: {said}")
        database.execute("ROLLBACK")
        database.close()
        wait_for(lambda: health(grid)[0] == 200, 60, "/healthz does not become 200 again")
        grid.stop_server()


def scenario_file_limits(build):
    """the limit of open files is raised to what the connections need, or it is said that they are too few"""
    with Grid(build, {"connections": "300"}) as grid:
        for hard, is_enough in ((4096, True), (200, False)):
            log = open(os.path.join(grid.folder, "server.log"), "w")
            grid.server = subprocess.Popen(
                [grid.program("dugnad-server"), "run", grid.site], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=lambda hard=hard: resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard)))
            wait_for(lambda: "event=server.started" in grid.server_log(), 60, f"it does not start: {grid.server_log()}")
            soft = resource.prlimit(grid.server.pid, resource.RLIMIT_NOFILE)[0]
            expect(soft == hard or (is_enough and 600 < soft <= hard), f"of {hard} it took {soft}")
            expect(("event=descriptors.few" in grid.server_log()) != is_enough, f"with {hard} it says: {grid.server_log()}")
            grid.stop_server()


def scenario_listening(build):
    """a site whose URL is this machine's own listens there alone"""
    with Grid(build) as grid:
        for number, (host, expected) in enumerate((("[::1]", "[::1]"), ("LOCALHOST", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"),
                                                   ("grid.example", "0.0.0.0"))):
            site = os.path.join(grid.folder, f"site{number}")
            grid.call("dugnad-server", "init", site, "--name", "x", "--url", f"https://{host}:8443", "--yes")
            lines = [line for line in grid.call("dugnad-server", "config", site).splitlines() if line.startswith("listen = ")]
            expect(lines == [f"listen = {expected}:8443"], f"for {host}: {lines}")


def everything(folder):
    """Path → kind, size, time and bytes of all that is in there, the lock and the folders too.

    Not when its facts were last set: as root SQLite gives the log the owner that it has."""
    found = {}
    for root, folders, names in os.walk(folder):
        for path in [root] + [os.path.join(root, name) for name in names]:
            facts = os.stat(path)
            found[path] = (facts.st_mode, facts.st_size, facts.st_mtime_ns,
                           open(path, "rb").read() if path != root else sorted(folders))
    return found


def checked(grid, code, *words):
    """`check` ends with that code, says these words, and leaves every byte and time as it was; what it says."""
    before = everything(grid.site)
    done = grid.run("dugnad-server", "check", grid.site, "--deep")
    said = done.stdout + done.stderr
    changed = [path for path in before.keys() | everything(grid.site).keys() if before.get(path) != everything(grid.site).get(path)]
    expect(not changed, f"check changed {changed}: {said}")
    expect(done.returncode == code, f"check ended with {done.returncode}, not {code}: {said}")
    for word in words:
        expect(word in said, f"check does not say \"{word}\": {said}")
    return said


def scenario_check_changes_nothing(build):
    """check leaves every byte and time of a site as it is, names what is wrong, and says what it cannot know"""
    with Grid(build) as grid:
        checked(grid, 0, "sound", "no write-ahead log")
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "x", "--range", "0..300", "--step", "100", "--", "{from}", "{to}")
        grid.kill_server()
        kept = os.path.join(grid.folder, "kept")
        shutil.copytree(grid.site, kept)
        said = checked(grid, 0, "sound")
        expect("no write-ahead" not in said and "are read as part" in said, f"the log is there: {said}")
        os.remove(os.path.join(grid.site, "dugnad.db-shm"))
        checked(grid, 0, "sound")
        os.remove(os.path.join(grid.site, "dugnad.db-wal"))
        expect("no write-ahead log" in checked(grid, 0), "a log that was removed is not spoken of")
        shutil.rmtree(grid.site)
        shutil.copytree(kept, grid.site)
        with open(os.path.join(grid.site, "secret"), "r+b") as f:
            f.truncate(10)
        checked(grid, 3, "secret", "32 bytes")
        shutil.rmtree(grid.site)
        shutil.copytree(kept, grid.site)
        for part in ("dugnad.db", "dugnad.db-wal", "dugnad.db-shm"):
            open(os.path.join(grid.site, part), "w").close()
        checked(grid, 1, "dugnad.db is empty")
        refused(grid, ["dugnad.db is empty"])
        shutil.rmtree(grid.site)
        shutil.copytree(kept, grid.site)
        grid.start_server()
        grid.stop_server()
        checked(grid, 0, "sound", "no write-ahead log")


def scenario_large_outputs(build):
    """an app whose outputs are larger than the site takes, or takes by now, is refused, not sent, named at the start and explained"""
    with Grid(build, {"upload_max": "1M"}) as grid:
        grid.start_server()
        grid.publish_project()
        done = grid.run("dugnad", "app", "add", "large", grid.app("primes"), "--output", "big:2M")
        expect(done.returncode != 0 and "2097152" in done.stderr and "1048576" in done.stderr, f"app add: {done.returncode} {done.stderr}")
        expect(not grid.rows("SELECT id FROM app_version") and not grid.rows("SELECT digest FROM file"), "something was sent")
        grid.operator("app", "add", "small", grid.app("primes"), "--output", "big:1M")
        grid.operator("submit", "small", "--name", "before", "--range", "0..200", "--step", "100", "--", "{from}", "{to}")
        grid.stop_server()
        grid.configure({"upload_max": "1000K"})
        grid.start_server()
        done = grid.run("dugnad", "submit", "small", "--name", "x", "--range", "0..300", "--step", "100", "--", "{from}", "{to}")
        expect(done.returncode != 0 and "upload_max" in done.stderr, f"submit: {done.returncode} {done.stderr}")
        expect(len(grid.rows("SELECT id FROM unit")) == 2, "units were taken")
        for words in ("event=app.output_too_large app=small", "units=2", "upload_max=1024000", "event=site.upload_max_low"):
            expect(words in grid.server_log(), f"the server did not say {words}")
        machine = grid.machine("ann")
        machine.start()
        wait_for(lambda: grid.rows("SELECT id FROM host WHERE visit > 0"), 60, "no visit of ann's")
        expect(not grid.rows("SELECT id FROM task"), "a copy was sent whose output the site does not take")
        said = grid.call("dugnad", "explain", "before")
        expect("1048576 bytes" in said and "1024000 (upload_max)" in said, f"explain: {said}")
        grid.stop_server()
