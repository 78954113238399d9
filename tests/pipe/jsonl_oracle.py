#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""JSON Lines against pyarrow, Polars, DuckDB and Python's json, both ways. TAP."""
import decimal
import json
import os
import random
import subprocess
import sys
import tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.json as pj

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
os.chdir(tempfile.mkdtemp(prefix="jsonl_oracle.", dir=os.environ.get("TMPDIR")))


def bp(*args, data=None):
    r = subprocess.run([os.path.join(BIN, args[0]), *args[1:]], input=data, capture_output=True)
    if r.returncode:
        raise AssertionError(f"{args[0]} exits {r.returncode}: {r.stderr.decode()}")
    return r.stdout


def table(*args):
    return ipc.open_stream(bp("bp-read", *args)).read_all()


TEXTS = ["", "a", "ü€😀", 'q"u\\o/te', "line\nend\r\t\b\f\x01\x1f", "x" * 100, "null", "1", "{", "\u2028"]


def rows(n, seed):
    r = random.Random(seed)
    for i in range(n):
        row = {"i": r.choice([0, -1, 2**63 - 1, -2**63, r.randrange(10**6)]),
               "f": r.choice([0.1, -1e300, 5e-324, 1.7976931348623157e308, r.random(), 123456.75]),
               "b": r.random() < 0.5, "t": r.choice(TEXTS), "d": f"20{r.randrange(10, 99)}-01-31",
               "ts": f"2020-02-{r.randrange(10, 29)}T12:34:56.789", "n": None,
               "l": [r.randrange(9), "x", {"k": None}], "o": {"a": {"b": [[]]}}}
        for k in r.sample(sorted(row), r.randrange(3)):
            if k != "i":
                del row[k]
        items = list(row.items())
        if r.random() < 0.2:
            r.shuffle(items)
        yield dict(items)


def write(path, rs, **how):
    with open(path, "w", encoding="utf-8") as f:
        for row in rs:
            f.write(json.dumps(row, **how) + "\n")


@tap.check("Python's JSON, escaped or not, with blanks or not, reads as the same values")
def _():
    want = list(rows(3000, 1))
    for name, how in {"plain": {}, "utf8": {"ensure_ascii": False},
                      "tight": {"separators": (",", ":")}}.items():
        write(f"{name}.jsonl", want, **how)
        got = table(f"{name}.jsonl").to_pylist()
        assert len(got) == len(want)
        for g, w in zip(got, want):
            for k in ("i", "f", "b", "t", "n"):
                assert g[k] == w.get(k), (k, g[k], w.get(k))
            assert g["o"] == w.get("o"), (g["o"], w.get("o"))
            got_l = g["l"] and [v if v == "x" else json.loads(v) for v in g["l"]]
            assert got_l == w.get("l"), (g["l"], w.get("l"))
            assert str(g["d"]) == str(w.get("d"))
            assert (g["ts"] and g["ts"].isoformat(timespec="milliseconds")) == w.get("ts")


@tap.check("the same values as pyarrow, Polars and DuckDB read")
def _():
    flat = [{k: v for k, v in r.items() if k in ("i", "f", "b", "t")} for r in rows(3000, 2)]
    write("flat.jsonl", flat)
    ours = table("-c", "i,f,b,t", "flat.jsonl").to_pylist()
    keys = ("i", "f", "b", "t")
    assert ours == [{k: r[k] for k in keys} for r in pj.read_json("flat.jsonl").to_pylist()]
    assert ours == pl.read_ndjson("flat.jsonl").select(keys).to_dicts()
    rel = duckdb.sql("select i, f, b, t from read_json('flat.jsonl', columns = "
                     "{i: 'BIGINT', f: 'DOUBLE', b: 'BOOLEAN', t: 'VARCHAR'})")
    assert ours == [dict(zip(keys, r)) for r in rel.fetchall()]


@tap.check("what we write, they and we read back")
def _():
    D = decimal.Decimal
    t = pa.table({
        "i": pa.array([1, None, -2**63, 2**63 - 1]),
        "u": pa.array([0, 2**64 - 1, None, 7], pa.uint64()),
        "f": pa.array([0.1, None, 1e300, -0.0]),
        "g": pa.array([0.1, 3.5, None, 1e30], pa.float32()),
        "d": pa.array([D("1.50"), D("-12345678901234567890123456789012345.12"), None, D("0.01")],
                      pa.decimal128(38, 2)),
        "t": pa.array(["ü", None, "", "\"\\\n\x01"]),
        "b": pa.array([True, False, None, True]),
        "x": pa.array([b"\x00\xff", None, b"", b"abc"]),
        "day": pa.array([0, 18000, None, -1], pa.date32()),
        "ts": pa.array([0, 1, None, -1], pa.timestamp("us")),
        "tz": pa.array([0, 1500000, None, -1], pa.timestamp("us", "UTC"))})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, t.schema) as w:
        w.write_table(t)
    text = bp("bp-write", "-f", "jsonl", "--allow-truncated", data=sink.getvalue().to_pybytes())
    with open("ours.jsonl", "wb") as f:
        f.write(text)
    want = t.to_pylist()
    for g, w in zip([json.loads(x, parse_float=D) for x in text.splitlines()], want):
        for k in ("i", "u", "d", "t", "b"):
            assert g[k] == w[k] or D(str(g[k])) == w[k], (k, g[k], w[k])
        assert w["f"] is None or float(g["f"]) == w["f"]
        assert str(g["day"]) == str(w["day"])
    back = table("-s", "i bigint, u ubigint, f double precision, g real, d decimal(38,2), t text, "
                 "b boolean, x bytea, day date, ts timestamp, tz timestamptz", "ours.jsonl")
    assert back.to_pylist() == want, (back.to_pylist(), want)
    duck = duckdb.sql("select i, t, b, day, ts from read_json('ours.jsonl', columns = {i: 'BIGINT', "
                      "t: 'VARCHAR', b: 'BOOLEAN', day: 'DATE', ts: 'TIMESTAMP'})").fetchall()
    assert duck == [(w["i"], w["t"], w["b"], w["day"], w["ts"]) for w in want], duck
    polars = pl.read_ndjson("ours.jsonl").select("i", "t", "b").to_dicts()
    assert polars == [{k: w[k] for k in ("i", "t", "b")} for w in want]


@tap.check("Arrow -> JSON Lines -> Arrow is the identity, for any -j and batches")
def _():
    write("a.jsonl", rows(2000, 3))
    once = bp("bp-write", "-f", "jsonl", data=bp("bp-read", "a.jsonl"))
    with open("b.jsonl", "wb") as f:
        f.write(once)
    for j in "12":
        assert bp("bp-write", "-f", "jsonl", data=bp("bp-read", "-j", j, "b.jsonl")) == once


sys.exit(tap.done())
