#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writers killed at random moments, and on a full disk: the old output or the new, and rubbish
under .tmp- names only, which the next run removes. TAP. By hand, at full size:
BP_KILLS=50 BP_KILL_ROWS=3000000 BP_KILL_TMPFS=DIR, a small file system (mount -t tmpfs -o size=8m)."""
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
KILLS = int(os.environ.get("BP_KILLS", "3"))
ROWS = int(os.environ.get("BP_KILL_ROWS", "60000"))
TMPFS = os.environ.get("BP_KILL_TMPFS")
os.environ["PATH"] = BIN + ":" + os.environ["PATH"]

# name, its words, where it writes; what stands there before is what they write of old.arrows
WRITERS = [
    ("csv", "bp-write out.csv", "out.csv"),
    ("tsv", "bp-write out.tsv", "out.tsv"),
    ("csv.gz", "bp-write out.csv.gz", "out.csv.gz"),
    ("jsonl", "bp-write out.jsonl", "out.jsonl"),
    ("arrow", "bp-write out.arrow", "out.arrow"),
    ("parquet", "bp-write out.parquet", "out.parquet"),
    ("--by", "bp-write -f csv --by p out", "out"),
    ("--by parquet", "bp-write -f parquet --mem 96M --by p out", "out"),
    ("pattern", "bp-write out/{p}.tsv", "out"),
    ("--parts", "bp-write --parts 5 -f csv out/", "out"),
    ("--target-size", "bp-write --target-size 64K -f arrow out/", "out"),
    ("--run", "bp-write --run a -f csv out/", "out"),
    ("--replace-parts", "bp-write --replace-parts -f csv --by p out", "out"),
    ("a task's file", "bp-write --task 0/1 -f parquet out/", "out"),
    ("a task by value", "bp-write --task 0/1 -f csv --by p out/", "out"),
    ("stage", "bp-shuffle -k p -n 16 out", "out"),
    ("stage, a task", "bp-shuffle --task 0/1 -k p -n 16 out", "out"),
]


def tree(path):
    """{name: bytes} of a file or of all files below a directory; None if nothing is there."""
    if os.path.isfile(path):
        with open(path, "rb") as f:
            return {"": f.read()}
    found = {}
    for top, _, names in os.walk(path):
        for name in names:
            full = os.path.join(top, name)
            if "/.tmp-" in full:
                continue
            with open(full, "rb") as f:
                found[os.path.relpath(full, path)] = f.read()
    return found or None


def rubbish(path="."):
    return [os.path.join(top, n) for top, dirs, names in os.walk(path) for n in dirs + names if n.startswith(".tmp-")]


def remove(path):
    shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)


def put(backup, path):
    remove(path)
    if os.path.isdir(backup):
        shutil.copytree(backup, path)
    else:
        shutil.copyfile(backup, path)


def run(words, rows, limit=None):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with open(rows, "rb") as stdin:
        return subprocess.Popen(words.split(), stdin=stdin, stderr=subprocess.PIPE,
                                preexec_fn=small_files if limit else None)


def must(words, rows):
    p = run(words, rows)
    errs = p.communicate()[1].decode()
    if p.returncode:
        sys.exit(f"{words}: status {p.returncode}: {errs}")


def states(words, out):
    """What the output is before and behind a run; the first stays as `before`."""
    remove(out)
    must(words, "old.arrows")
    remove("before")
    os.rename(out, "before")
    put("before", out)
    old = tree(out)
    began = time.monotonic()
    must(words, "new.arrows")
    return old, tree(out), time.monotonic() - began


def try_kills(words, out, random_part):
    old, new, seconds = states(words, out)
    problems, seen = [], set()
    if old == new:
        problems.append("the test does not tell the old from the new")
    for i in range(KILLS):
        put("before", out)
        p = run(words, "new.arrows")
        time.sleep(random_part.random() * seconds * 1.1)
        p.kill()
        p.communicate()
        got = tree(out)
        seen.add("old" if got == old else "new")
        if got not in (old, new):
            problems.append(f"kill {i}: neither the old nor the new: {sorted(got or {})[:8]}")
    must(words, "new.arrows")
    if tree(out) != new:
        problems.append("the run after them does not give the new one")
    if rubbish():
        problems.append(f"rubbish stays: {rubbish()[:4]}")
    return f"killed: {', '.join(sorted(seen))}", problems


def try_full(words, out):
    old, new, _ = states(words, out)
    problems = []
    for limit in (1, 4096, 20000):
        put("before", out)
        p = run(words, "new.arrows", limit)
        errs = p.communicate()[1].decode()
        got = tree(out)
        if p.returncode == 0 and got == new:
            continue
        if p.returncode != 1 or got != old or rubbish() or len(errs.splitlines()) != 1:
            problems.append(f"files of {limit} bytes: status {p.returncode}, {'old' if got == old else 'other'}, "
                            f"rubbish {rubbish()[:3]}: {errs}")
    return problems


def try_tmpfs(words, out):
    """On a file system that has no room for the new one."""
    home = os.getcwd()
    rows = {n: os.path.abspath(n) for n in ("old.arrows", "new.arrows")}
    os.chdir(TMPFS)
    try:
        remove(out)
        must(words, rows["old.arrows"])
        old = tree(out)
        p = run(words, rows["new.arrows"])
        errs = p.communicate()[1].decode()
        ok = p.returncode == 1 and tree(out) == old and not rubbish() and "No space" in errs
        return [] if ok else [f"status {p.returncode}, {'old' if tree(out) == old else 'other'}, {rubbish()}: {errs}"]
    finally:
        remove(out)
        os.chdir(home)


def main():
    work = tempfile.mkdtemp(prefix="kill.")
    os.chdir(work)
    for name, first, n in (("old", 1, 3000), ("new", 7, ROWS)):
        subprocess.run(["bash", "-euc", f"seq {first} {n} | sed '1i k' | bp-read -s 'k int' |"
                        f" bp-map \"k, k % 40 AS p, 'text ' || k::bigint * 7919 AS t\" >{name}.arrows"], check=True)
    moments = random.Random(4)
    try:
        for name, words, out in WRITERS:
            said, problems = try_kills(words, out, moments)
            if KILLS > 3:
                print(f"# {name}: {said}")
            tap.report(f"{name}: killed at {KILLS} moments", "\n".join(problems) or None)
            tap.report(f"{name}: no room", "\n".join(try_full(words, out)) or None)
            if TMPFS:
                tap.report(f"{name}: a full file system", "\n".join(try_tmpfs(words, out)) or None)
    finally:
        os.chdir("/")
        shutil.rmtree(work)
    return tap.done()


sys.exit(main())
