# SPDX-License-Identifier: Apache-2.0
"""Peak memory of all processes of a run: of one control group where we can make one (version 1
or 2), else the sum of their PSS; both sampled. What counts is anonymous and shared memory, not
the page cache, which other processes may have again at once. CPU time is the group's too."""

import os
import threading
import time
from pathlib import Path

INTERVAL_S = 0.01
FEW_SAMPLES = 10  # a run too short to be sampled: the kernel's peak, the little page cache included


def own_group(controller):
    """The directory of our own control group of a controller, and its version; or None."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path(f"/sys/fs/cgroup/{controller}{path}"), 1
    for line in lines:
        if line.startswith("0::"):
            root = Path("/sys/fs/cgroup" + line[3:])
            if controller in _read(root / "cgroup.controllers").split():
                return root, 2
    return None


def _read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


class Group:
    """A control group for one run. Without rights to make one, dir is None."""

    def __init__(self, limit_bytes=0):
        self.dir, self.version, self.cpu_dir = None, 0, None
        where = own_group("memory")
        if not where:
            return
        parent, self.version = where
        name = f"bench-{os.getpid()}-{time.monotonic_ns()}"
        try:
            if self.version == 2:
                (parent / "cgroup.subtree_control").write_text("+memory")
            self.dir = _make(parent / name)
            if limit_bytes:
                limit = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
                (self.dir / limit).write_text(str(limit_bytes))
            if self.version == 1 and own_group("cpuacct"):
                self.cpu_dir = _make(own_group("cpuacct")[0] / name)
        except OSError:
            self.remove()

    def enter(self):
        """In the child, before exec."""
        for directory in (self.dir, self.cpu_dir):
            if directory:
                with open(directory / "cgroup.procs", "w") as f:
                    f.write(str(os.getpid()))

    def cpu_s(self):
        """CPU seconds of all processes that were in the group; 0: not known."""
        if self.cpu_dir:
            return int(_read(self.cpu_dir / "cpuacct.usage") or 0) / 1e9
        if self.dir and self.version == 2:
            fields = dict(line.split() for line in _read(self.dir / "cpu.stat").splitlines())
            return int(fields.get("usage_usec", 0)) / 1e6
        return 0

    def used(self):
        fields = dict(line.split() for line in _read(self.dir / "memory.stat").splitlines())
        names = ("rss", "shmem") if self.version == 1 else ("anon", "shmem")
        return sum(int(fields.get(n, 0)) for n in names)

    def most(self):
        """The kernel's own peak, page cache included: an upper bound."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        return int(_read(self.dir / name) or 0)

    def killed_by_limit(self):
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        fields = dict(line.split() for line in _read(self.dir / name).splitlines()) if self.dir else {}
        return int(fields.get("oom_kill", 0)) > 0

    def remove(self):
        for directory in (self.dir, self.cpu_dir):
            if directory:
                _remove(directory)
        self.dir = self.cpu_dir = None


def _make(path):
    path.mkdir()
    return path


def _remove(path):
    """Processes that were left behind may still be ending."""
    for _ in range(250):
        try:
            path.rmdir()
            return
        except OSError:
            time.sleep(0.02)


def pss_of_session(session):
    total = 0
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = _read(Path(entry.path) / "stat")
            if int(stat.rsplit(")", 1)[1].split()[3]) != session:
                continue
            for line in _read(Path(entry.path) / "smaps_rollup").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except (IndexError, ValueError):
            continue
    return total


class Sampler(threading.Thread):
    """Samples until stop(); the peak is in bytes."""

    def __init__(self, group, session):
        super().__init__(daemon=True)
        self.group, self.session, self.peak, self.samples = group, session, 0, 0
        self._end = threading.Event()
        self.start()

    def run(self):
        while not self._end.is_set():
            used = self.group.used() if self.group.dir else pss_of_session(self.session)
            self.peak = max(self.peak, used)
            self.samples += 1
            self._end.wait(INTERVAL_S)

    def stop(self):
        self._end.set()
        self.join()
        if not self.group.dir:
            return self.peak
        most = self.group.most()
        return most if self.samples < FEW_SAMPLES else min(self.peak, most)
