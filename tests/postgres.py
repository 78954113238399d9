# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL for the oracles of tests/pipe, on a socket in a directory of its own.

$BP_PG_BIN is the directory of initdb and postgres (else /usr/lib/postgresql/*/bin).
"""
import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

# Where PostgreSQL tells errors of values from a text it cannot make sense of.
VALUE_ERRORS = "data_exception OR feature_not_supported OR program_limit_exceeded"


def programs():
    """The directory of PostgreSQL's programs, or None."""
    bins = [os.environ.get("BP_PG_BIN", "")] + sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return next((b for b in bins if b and os.path.exists(os.path.join(b, "initdb"))), None)


def literal(s):
    return "'" + s.replace("'", "''") + "'"


class Server:
    def __init__(self, bin_dir, room):
        self.bin, self.room = Path(bin_dir), Path(room)
        self.user = []
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres" if "postgres" in [p.pw_name for p in pwd.getpwall()]
                               else "nobody")
            self.user = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}",
                         "--clear-groups"]
            os.chown(self.room, who.pw_uid, who.pw_gid)
            os.chmod(self.room, 0o755)
        self.run("initdb", "-D", self.room / "data", "-E", "UTF8", "--locale=C", "-A", "trust", "-U",
                 "oracle", "-N")
        self.run("pg_ctl", "-D", self.room / "data", "-w", "-l", self.room / "log", "-o",
                 f"-k {self.room} -c listen_addresses='' -c timezone=UTC -c fsync=off", "start")

    def run(self, program, *args):
        env = {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.room)}
        p = subprocess.run(self.user + [self.bin / program, *args], env=env, cwd=self.room,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if p.returncode:
            raise RuntimeError(f"{program}: {p.stderr.decode()}")

    def stop(self):
        self.run("pg_ctl", "-D", self.room / "data", "-m", "immediate", "stop")

    def psql(self, text, *args):
        return subprocess.run([self.bin / "psql", "-X", "-q", "-A", "-t", "--csv", "-h", self.room, "-U",
                               "oracle", "-d", "postgres", *args],
                              input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={"LC_ALL": "C", "PGCLIENTENCODING": "UTF8"})

    def sql(self, text):
        p = self.psql(text, "-v", "ON_ERROR_STOP=1")
        if p.returncode:
            raise RuntimeError(p.stderr.decode())
        return p.stdout.decode()


@contextlib.contextmanager
def running():
    """(server, its directory), which everyone may read; both go at the end."""
    room = tempfile.mkdtemp(prefix="pg.", dir="/tmp")  # a socket's path has to be short
    server = None
    try:
        os.chmod(room, 0o755)
        server = Server(programs(), room)
        yield server, room
    finally:
        if server:
            server.stop()
        shutil.rmtree(room, ignore_errors=True)
