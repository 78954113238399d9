# SPDX-License-Identifier: Apache-2.0
"""One measured run of one engine: wall, CPU, peak memory. Whole processes, start-up included;
what was written is on disk before the clock stops."""

import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import memory

LIMIT_ROOM_BYTES = 512 << 20  # for interpreters and libraries, which engines do not count


@dataclass
class Run:
    status: str        # ok, failed, timeout, memory
    wall_s: float
    cpu_s: float
    peak_bytes: int
    foreign: float     # the part of the machine that other processes took meanwhile, 0 to 1
    stderr: str = ""


def sync_tree(path):
    """The files and directories below path are on disk when this returns."""
    for directory, _, files in os.walk(path):
        for name in files:
            fd = os.open(os.path.join(directory, name), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        fd = os.open(directory, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def busy_s():
    """CPU seconds that all processes of the machine have had, since it started."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq = map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def kill(process):
    """It and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait(process, timeout_s):
    """(status, usage, timed out). An interrupt ends the process too: it has a session of its own."""
    timed_out = threading.Event()

    def give_up():
        timed_out.set()
        kill(process)

    timer = threading.Timer(timeout_s, give_up)
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        kill(process)
        raise
    finally:
        timer.cancel()
    process.returncode = status
    return status, usage, timed_out.is_set()


def run(command, env, cores, scratch, mem_bytes, timeout_s):
    """scratch: a directory that is emptied first; the command writes to its out/ and tmp/."""
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "out").mkdir(parents=True)
    (scratch / "tmp").mkdir()
    group = memory.Group(mem_bytes + LIMIT_ROOM_BYTES if mem_bytes else 0)
    try:
        return _run(command, env, cores, scratch, group, timeout_s)
    finally:
        group.remove()


def _run(command, env, cores, scratch, group, timeout_s):
    def child():
        os.setsid()
        os.sched_setaffinity(0, cores)
        group.enter()

    with open(scratch / "stderr", "w+b") as err:
        busy_before_s = busy_s()
        start = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=scratch, stdin=subprocess.DEVNULL,
                                   stdout=err, stderr=err, preexec_fn=child)
        sampler = memory.Sampler(group, process.pid)
        status, usage, timed_out = wait(process, timeout_s)
        if status == 0:
            sync_tree(scratch / "out")
        wall_s = time.perf_counter() - start
        all_s = busy_s() - busy_before_s
        peak = sampler.stop()
        err.seek(0)
        text = err.read().decode(errors="replace").strip()
    verdict = "ok" if status == 0 else "failed"
    if timed_out:
        verdict = "timeout"
    elif group.killed_by_limit():
        verdict = "memory"
    cpu_s = group.cpu_s() or usage.ru_utime + usage.ru_stime
    foreign = min(1, max(0, all_s - cpu_s) / wall_s / os.cpu_count())
    return Run(verdict, wall_s, cpu_s, peak or usage.ru_maxrss * 1024, foreign, text)
