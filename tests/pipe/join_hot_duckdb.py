#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins of stages whose hot keys are split on one side and copied on the other, share by share,
against DuckDB's join of the same tables. TAP."""
import os
import random
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.ipc as ipc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
os.chdir(tempfile.mkdtemp(prefix="join-hot."))
PARTS = 16
TYPES = ("inner", "left", "right", "full", "semi", "anti")
# by the split side: what asks for rows of the other one that match nothing
REFUSED = {"l": ("right", "full"), "r": ("left", "full", "semi", "anti")}


def run(*argv, stdin=None):
    return subprocess.run([os.path.join(BIN, argv[0]), *argv[1:]], input=stdin, capture_output=True)


def must(*argv, stdin=None):
    p = run(*argv, stdin=stdin)
    if p.returncode:
        sys.exit(f"{argv}: {p.stderr.decode()}")
    return p.stdout


def rows(stream):
    return ipc.open_stream(stream).read_all().to_pylist()


def write(name, table):
    with ipc.new_file(name, table.schema) as f:
        f.write_table(table)


def tables():
    """Half of the left's rows are of two keys; the right has several rows of one of these, none of
    the other, and NULLs."""
    r = random.Random(9)
    a = [7 if i % 4 == 0 else 9 if i % 4 == 1 else r.randrange(400) for i in range(3000)]
    a = [None if i % 97 == 5 else v for i, v in enumerate(a)]
    b = [7] * 5 + [None] * 2 + [r.randrange(600) for _ in range(300)]
    b = [v for v in b if v != 9]
    pick = ("x", "y", None)
    l = pa.table({"k": pa.array(a, pa.int32()), "t": [pick[i % 3] for i in range(len(a))], "v": range(len(a))})
    m = pa.table({"k": pa.array(b, pa.int64()), "t": [pick[i % 2] for i in range(len(b))], "w": range(len(b))})
    return l, m


def shuffle(stage, table, keys, way, hot, n_tasks):
    for i in range(n_tasks):
        part = must("bp-read", "--task", f"{i}/{n_tasks}", table)
        must("bp-shuffle", "--task", f"{i}/{n_tasks}", "-k", keys, "-n", str(PARTS), f"--{way}-hot", hot,
             stage, stdin=part)


def sql(kind, keys):
    on = " AND ".join(f"l.{k} = r.{k}" for k in keys)
    if kind in ("semi", "anti"):
        return f"SELECT l.k, l.t, l.v FROM l {kind} JOIN r ON {on}"
    both = [f"coalesce(l.{k}, r.{k}) AS {k}" if k in keys else f"l.{k} AS {k}" for k in ("k", "t")]
    rest = ["l.v AS v"] + [f"r.{k} AS {k}_r" for k in ("k", "t") if k not in keys] + ["r.w AS w"]
    return f"SELECT {', '.join(both + rest)} FROM l {kind} JOIN r ON {on}"


def bag(dicts):
    return sorted(repr(sorted(d.items())) for d in dicts)


def one(split, keys, n, mem):
    left, right = ("split", "copy") if split == "l" else ("copy", "split")
    name = f"{split}{len(keys)}"
    shuffle(f"L{name}", "l.arrow", ",".join(keys), left, f"@hot{len(keys)}.arrow", 3)
    shuffle(f"R{name}", "r.arrow", ",".join(keys), right, f"@hot{len(keys)}.arrow", 2)
    for kind in TYPES:
        what = f"{kind} join by {', '.join(keys)}, {'left' if split == 'l' else 'right'} split, {n} shares, {mem}"
        command = ["bp-join", "--mem", mem, "-t", kind, "-k", ", ".join(keys), f"L{name}", f"R{name}"]
        if kind in REFUSED[split]:
            p = run(*command, "--task", f"0/{n}")
            tap.claim(f"refused: {what}", p.returncode == 2 and b"--copy-hot" in p.stderr, p.stderr)
            continue
        got = []
        for i in range(n):
            got += rows(must(*command, "--task", f"{i}/{n}"))
        want = duckdb.sql(sql(kind, keys)).arrow()
        want = (want.read_all() if hasattr(want, "read_all") else want).to_pylist()
        got, want = bag(got), bag(want)
        tap.claim(what, got == want, f"{len(got)} rows, not {len(want)}")
        whole = bag(rows(must(*command)))
        tap.claim(f"whole: {what}", whole == want, f"{len(whole)} rows, not {len(want)}")


def main():
    l, r = tables()
    duckdb.register("l", l)
    duckdb.register("r", r)
    write("l.arrow", l)
    write("r.arrow", r)
    write("hot1.arrow", pa.table({"k": pa.array([9, 7, 5000], pa.int64())}))
    write("hot2.arrow", pa.table({"t": ["x", "y", None], "k": pa.array([7, 7, 9], pa.int64())}))
    for split in ("l", "r"):
        one(split, ["k"], 4, "64M")
        one(split, ["k", "t"], 5, "16M")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
