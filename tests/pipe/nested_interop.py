#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists, structs and maps through the commands, against pyarrow and Polars. TAP.

The table has every way in which Arrow writes lists (list, large, fixed size, views,
maps) and structs in lists in structs, with nulls at every level. What comes out of a
command must be the rows that Python would pick.
"""
import io
import json
import os
import random
import subprocess
import sys
import tempfile

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
ENV = {**os.environ, "PATH": BIN + ":" + os.environ["PATH"]}
os.chdir(tempfile.mkdtemp(prefix="nested_interop.", dir=os.environ.get("TMPDIR")))


def sh(command, data=b"", **env):
    p = subprocess.run(["bash", "-o", "pipefail", "-c", command], input=data, capture_output=True,
                       timeout=120, env={**ENV, **env})
    assert p.returncode == 0, f"{command}: exit {p.returncode}: {p.stderr.decode()}"
    return p.stdout


def stream(table, chunk=130, **options):
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as w:
        w.write_table(table, max_chunksize=chunk)
    return sink.getvalue()


def plain(v):
    """Lists, dicts and scalars; an entry of a map is a dict."""
    if isinstance(v, tuple):
        return {"key": v[0], "value": plain(v[1])}
    if isinstance(v, list):
        return [plain(x) for x in v]
    return {k: plain(x) for k, x in v.items()} if isinstance(v, dict) else v


def columns(table):
    return {c: plain(table[c].to_pylist()) for c in table.column_names}


def read(data):
    t = ipc.open_stream(data).read_all()
    t.validate(full=True)
    return columns(t)


# ---- the table ----

random.seed(5)
N = 700


def some(make, p=0.15):
    return None if random.random() < p else make()


def many(make, most, of=lambda make: make()):
    return [some(lambda: [some(make) for _ in range(random.randint(0, most))]) for _ in range(N)]


TEXTS = ["", "a", "b c", "NULL", 'q"q', "back\\slash", "{x}", "ü,ö"]
INTS = many(lambda: random.randint(-5, 5), 4)
WORDS = many(lambda: random.choice(TEXTS), 3)
T = pa.table({
    "id": pa.array(range(N), pa.int64()),
    "ints": pa.array(INTS, pa.list_(pa.int32())),
    "words": pa.array(WORDS, pa.list_(pa.string())),
    "row": pa.array([some(lambda: {"a": some(lambda: random.randint(0, 9)),
                                   "b": some(lambda: random.choice(TEXTS)),
                                   "c": some(lambda: random.random() < .5)}) for _ in range(N)],
                    pa.struct([("a", pa.int64()), ("b", pa.string()), ("c", pa.bool_())])),
    "deep": pa.array(many(lambda: [some(random.random) for _ in range(random.randint(0, 2))], 3),
                     pa.list_(pa.list_(pa.float64()))),
    "rows": pa.array(many(lambda: {"k": random.choice("abc"), "v": some(lambda: [1, None][:random.randint(0, 2)]),
                                   "d": {"e": some(lambda: random.randint(0, 3))}}, 3),
                     pa.list_(pa.struct([("k", pa.string()), ("v", pa.list_(pa.int8())),
                                         ("d", pa.struct([("e", pa.int16())]))]))),
    "map": pa.array([some(lambda: [(f"k{i}", some(lambda: i)) for i in range(random.randint(0, 3))])
                     for _ in range(N)], pa.map_(pa.string(), pa.int32())),
    "fixed": pa.array([some(lambda: [some(lambda: random.randint(0, 9)) for _ in range(3)])
                       for _ in range(N)], pa.list_(pa.int16(), 3)),
    "large": pa.array(INTS, pa.large_list(pa.int32())),
    "view": pa.array(INTS, pa.list_view(pa.int32())),
    "large_view": pa.array(WORDS, pa.large_list_view(pa.large_string())),
    "codes": pa.array(many(lambda: random.choice(["red", "green", "blue"]), 3),
                      pa.list_(pa.dictionary(pa.int32(), pa.string()))),
})
WANT = columns(T)
DATA = stream(T)
with open("t.arrows", "wb") as f:
    f.write(DATA)


def rows(got, order, names=None):
    for c in names or WANT:
        want = [WANT[c][i] for i in order]
        if got[c] != want:
            bad = next(i for i in range(len(order)) if got[c][i:i + 1] != want[i:i + 1])
            raise AssertionError(f"{c} row {bad}: {got[c][bad:bad + 1]}, not {want[bad]}")
        assert len(got[c]) == len(order), c


ALL = range(N)
BY_TEN = sorted(ALL, key=lambda i: (i % 10, i))


@tap.check("every form of list and struct is read, and written as list and struct")
def _():
    out = sh("bp-read t.arrows")
    rows(read(out), ALL)
    schema = ipc.open_stream(out).schema
    assert schema.field("map").type == pa.list_(pa.struct([("key", pa.string()), ("value", pa.int32())]))
    assert schema.field("large_view").type == pa.list_(pa.string())
    assert schema.field("codes").type == pa.list_(pa.string())
    for codec in ("lz4", "zstd"):
        rows(read(sh("bp-read -", stream(T, compression=codec))), ALL)
    rows(read(sh("bp-read -", stream(T.slice(100, 300), chunk=77))), range(100, 400))


@tap.check("what stands under a null is removed: same bytes, whatever was there")
def _():
    valid = pa.py_buffer(b"\5")
    dirty = pa.StructArray.from_buffers(pa.struct([("a", pa.list_(pa.int32()))]), 3, [valid], children=[
        pa.array([[1], [2, 3], None], pa.list_(pa.int32()))])
    clean = pa.array([{"a": [1]}, None, {"a": None}], dirty.type)
    offsets = pa.py_buffer(b"".join(i.to_bytes(4, "little") for i in (0, 1, 3, 3)))
    dirty2 = pa.ListArray.from_buffers(pa.list_(pa.int32()), 3, [valid, offsets],
                                       children=[pa.array([1, 2, 3], pa.int32())])
    clean2 = pa.array([[1], None, []], dirty2.type)
    one = sh("bp-read -", stream(pa.table({"s": dirty, "l": dirty2})))
    assert one == sh("bp-read -", stream(pa.table({"s": clean, "l": clean2})))


@tap.check("filter, head, sort, join, map, shuffle carry them, whatever the batches and the memory")
def _():
    sh("bp-read t.arrows | bp-write -f arrow t.arrow")
    rows(columns(ipc.open_file("t.arrow").read_all()), ALL)
    for env in ({}, {"BP_BATCH_ROWS": "1"}, {"BP_BATCH_ROWS": "7"}, {"BP_MEM": "16M"}):
        rows(read(sh("bp-filter 'id % 3 = 0' t.arrows", **env)), range(0, N, 3))
        rows(read(sh("bp-sort 'id % 10, id' t.arrows", **env)), BY_TEN)
        rows(read(sh("bp-sort -n 50 'id DESC' t.arrows", **env)), ALL[:-51:-1])
        rows(read(sh("bp-head -n 77 t.arrow", **env)), ALL[:77])
        rows(read(sh("bp-join -k id t.arrow t.arrows", **env)), ALL)
        sh("rm -rf stage; bp-read t.arrows | bp-shuffle -k id -n 8 stage", **env)
        rows(read(sh("bp-sort id stage", **env)), ALL)
        rows(read(sh("bp-map 'id, rows, coalesce(ints, view) AS ints' t.arrow", **env)), ALL,
             ["id", "rows", "ints"])
    rows(read(sh("bp-read -c rows,id t.arrow")), ALL, ["id", "rows"])
    rows(read(sh("bp-sort -m id <(bp-filter 'id % 2 = 0' t.arrow) <(bp-filter 'id % 2 = 1' t.arrow)")), ALL)


@tap.check("IS NULL, equality, count, fingerprint")
def _():
    rows(read(sh("bp-filter 'row IS NULL' t.arrow")), [i for i in ALL if WANT["row"][i] is None])
    rows(read(sh("bp-filter 'ints = large AND view IS NOT DISTINCT FROM ints' t.arrow")),
         [i for i in ALL if INTS[i] is not None])
    assert read(sh("bp-reduce 'count(rows) AS n' t.arrow"))["n"] == [sum(v is not None for v in WANT["rows"])]
    one = sh("bp-stat --fingerprint t.arrow")
    assert one == sh("bp-sort 'id DESC' t.arrow | bp-stat --fingerprint")
    assert one != sh("bp-map 'id, ints' t.arrow | bp-stat --fingerprint")


@tap.check("Polars reads what we write, and what it writes comes through")
def _():
    frame = pl.read_ipc_stream(io.BytesIO(sh("bp-read t.arrows")))
    for c in WANT:
        assert plain(frame[c].to_list()) == WANT[c], c
    for compat in (pl.CompatLevel.newest(), pl.CompatLevel.oldest()):
        sink = io.BytesIO()
        frame.write_ipc_stream(sink, compat_level=compat)
        rows(read(sh("bp-read -", sink.getvalue())), ALL)


@tap.check("JSON Lines hold them as JSON")
def _():
    lines = [json.loads(line) for line in sh("bp-write -f jsonl", DATA).splitlines()]
    assert lines == [{c: WANT[c][i] for c in WANT} for i in ALL]
    with open("t.jsonl", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
    for env in ({}, {"BP_BATCH_ROWS": "1"}):
        rows(read(sh("bp-read t.jsonl", **env)), ALL)
    schema = ipc.open_stream(sh("bp-read -j 2 t.jsonl")).schema
    assert schema.field("rows").type == pa.list_(pa.struct(
        [("k", pa.string()), ("v", pa.list_(pa.int64())), ("d", pa.struct([("e", pa.int64())]))]))
    assert schema.field("deep").type == pa.list_(pa.list_(pa.float64()))
    sh("bp-schema --sql t.arrow | sed '$d' >t.sql; bp-read -s @t.sql t.jsonl >again.arrows")
    with open("again.arrows", "rb") as f:
        assert ipc.open_stream(f).schema.field("rows").type.value_type.field("v").type == pa.list_(pa.int8())


@tap.check("elements, fields, unnest and array_agg against Python")
def _():
    got = read(sh("bp-map 'id, cardinality(ints) AS n, ints[2] AS second, (row).b AS b, (rows[1]).v[1] AS v, "
                  "array_to_string(words, $$|$$, $$-$$) AS s, array_position(ints, 3) AS p' t.arrow"))
    for i in ALL:
        ints, row, first = INTS[i], WANT["row"][i], (WANT["rows"][i] or [None])[0]
        assert got["n"][i] == (None if ints is None else len(ints)), (i, got["n"][i])
        assert got["second"][i] == (ints[1] if ints and len(ints) > 1 else None), (i, got["second"][i])
        assert got["b"][i] == (row and row["b"]), (i, got["b"][i])
        assert got["v"][i] == (first["v"][0] if first and first["v"] else None), (i, got["v"][i])
        assert got["s"][i] == (None if WORDS[i] is None else "|".join("-" if w is None else w for w in WORDS[i])), (i, got["s"][i])
        assert got["p"][i] == (ints.index(3) + 1 if ints and 3 in ints else None), (i, got["p"][i])
    want = [(i, (INTS[i] or [])[k:k + 1], (WORDS[i] or [])[k:k + 1]) for i in ALL
            for k in range(max(len(INTS[i] or []), len(WORDS[i] or [])))]
    for env in ({}, {"BP_BATCH_ROWS": "1"}):
        got = read(sh("bp-map 'id, unnest(ints) AS a, unnest(words) AS b' t.arrow", **env))
        assert got == {"id": [w[0] for w in want], "a": [w[1][0] if w[1] else None for w in want],
                       "b": [w[2][0] if w[2] else None for w in want]}
    groups = [[i for i in ALL if i % 7 == k] for k in range(7)]
    want = {"k": list(range(7)), "a": [[WANT["rows"][i] for i in g] for g in groups],
            "b": [[WORDS[i] for i in g[::-1]] for g in groups],
            "c": [[i for i in g if i > 100] for g in groups]}
    call = "'array_agg(rows) AS a, array_agg(words ORDER BY id DESC) AS b, array_agg(id) FILTER (WHERE id > 100) AS c'"
    for env in ({}, {"BP_BATCH_ROWS": "1"}, {"BP_MEM": "16M"}):
        assert read(sh(f"bp-reduce -k 'id % 7 AS k' {call} t.arrow | bp-sort k", **env)) == want
        assert read(sh(f"bp-reduce --partial -k 'id % 7 AS k' {call} t.arrow | bp-reduce --final | bp-sort k",
                       **env)) == want


@tap.check("they are no keys, and no arguments where they have no order")
def _():
    for command in ("bp-sort ints", "bp-reduce -k row 'count(*)'", "bp-shuffle -k deep -n 4 other",
                    "bp-join -k map t.arrow t.arrow", "bp-write --by ints dir/", "bp-reduce 'max(ints)'",
                    "bp-map 'ints + 1'", "bp-map 'row::int'", "bp-reduce 'count(DISTINCT ints)'"):
        p = subprocess.run(["sh", "-c", command + (" t.arrow" if "join" not in command and "write" not in command
                                                    and "shuffle" not in command else "")],
                           input=DATA, capture_output=True, env=ENV)
        assert p.returncode == 2, f"{command}: {p.returncode} {p.stderr.decode()}"


@tap.check("a stream cut or bent anywhere is refused or read, never a crash")
def _():
    small = stream(T.slice(0, 20), chunk=20)
    for at in range(0, len(small), 97):
        p = subprocess.run([os.path.join(BIN, "bp-read"), "-"], input=small[:at], capture_output=True)
        assert p.returncode == 1, at
    for _ in range(300):
        at = random.randrange(len(small))
        bent = small[:at] + bytes([small[at] ^ 1 << random.randrange(8)]) + small[at + 1:]
        p = subprocess.run([os.path.join(BIN, "bp-read"), "-"], input=bent, capture_output=True)
        assert p.returncode in (0, 1), f"byte {at}: {p.returncode}"


@tap.check("a few bytes that stand for many are refused, in little memory")
def _():
    views = pa.ListViewArray.from_arrays(pa.array([0] * 32767, pa.int32()), pa.array([65536] * 32767, pa.int32()),
                                         pa.array([True] * 65536))
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int8()), pa.array(["x" * 1000000]))
    for array in views, pa.ListArray.from_arrays(pa.array(range(2001), pa.int32()), texts):
        data = stream(pa.table({"v": array}), chunk=None)
        limit = "" if "/san-" in BIN else "ulimit -v 1000000; " # a sanitizer's shadow is larger
        p = subprocess.run(["bash", "-c", f"{limit}{BIN}/bp-read --mem 16M -"], input=data, capture_output=True)
        assert p.returncode == 1 and b"unfold" in p.stderr, p.stderr
        assert len(data) < 2000000


sys.exit(tap.done())
