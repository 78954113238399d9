# SPDX-License-Identifier: Apache-2.0
"""Lists, structs and maps in Parquet files, from and to other programs. TAP.

What bp-read gives of files of pyarrow, DuckDB and Polars must be what pyarrow reads; forms of
older writers and damaged levels are made byte by byte.

    BP_PYTHON tests/pipe/parquet_nested.py        prints TAP

The programs are those in $BP_BUILD/bin (build/bin).
"""
import itertools
import os
import random
import struct
import subprocess
import sys
import tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.path.abspath(os.environ.get("BP_BUILD", "build")), "bin")
R = random.Random(6)
os.chdir(tempfile.mkdtemp(prefix="parquet_nested."))


def run(command, *args, stdin=b"", **env):
    return subprocess.run([os.path.join(BIN, command), *args], capture_output=True, input=stdin,
                          timeout=120, env={**os.environ, **env})


def read(path, *args, **env):
    p = run("bp-read", *args, path, **env)
    assert p.returncode == 0, f"{path}: exit {p.returncode}: {p.stderr.decode()}"
    t = ipc.open_stream(p.stdout).read_all()
    t.validate(full=True)
    return t


# ---- tables ----

def value(t, nullable=True):
    """A random value of this type; lists are empty, short, now and then long."""
    if nullable and R.random() < 0.2:
        return None
    if pa.types.is_map(t):
        return [(value(t.key_type, False), value(t.item_type)) for _ in range(R.choice([0, 1, 3]))]
    if pa.types.is_list(t):
        return [value(t.value_type, t.value_field.nullable)
                for _ in range(R.choice([0, 0, 1, 2, 5, R.choice([3, 40])]))]
    if pa.types.is_struct(t):
        return {f.name: value(f.type, f.nullable) for f in t}
    if t == pa.string():
        return R.choice(["a", "bb", "", "日本", f"long text {R.randrange(99)}"])
    if t == pa.bool_():
        return R.random() < 0.5
    return R.random() if pa.types.is_floating(t) else R.randrange(-100, 100)


def required(name, t):
    return pa.field(name, t, nullable=False)


TYPES = {
    "list": pa.list_(pa.int64()),
    "texts": pa.list_(pa.string()),
    "lists": pa.list_(pa.list_(pa.int32())),
    "pair": pa.struct([("x", pa.int64()), ("y", pa.string())]),
    "deep": pa.struct([("x", pa.list_(pa.struct([("p", pa.bool_()), ("q", pa.list_(pa.float64()))]))),
                       ("y", pa.string())]),
    "pairs": pa.list_(pa.struct([("x", pa.list_(pa.string())), ("y", pa.int8()),
                                 ("z", pa.struct([("w", pa.float32())]))])),
    "map": pa.map_(pa.string(), pa.list_(pa.int32())),
    "structs": pa.struct([("a", pa.struct([("b", pa.struct([("c", pa.int64())]))]))]),
    "full": pa.struct([required("x", pa.int64()), required("y", pa.list_(required("element", pa.int16())))]),
}
N = 700


def table(n=N):
    t = pa.table({name: pa.array([value(ty) for _ in range(n)], ty) for name, ty in TYPES.items()})
    return t.append_column("i", pa.array(range(n), pa.int64()))


def ours(v, t):
    """A value as a type of ours has it: a map is a list of structs."""
    if v is None:
        return None
    if pa.types.is_map(t):
        return [{"key": ours(k, t.key_type), "value": ours(x, t.item_type)} for k, x in v]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [ours(x, t.value_type) for x in v]
    if pa.types.is_struct(t):
        return {f.name: ours(v[f.name], f.type) for f in t}
    return v


def plain(t):
    """A table as {column: values of ours}."""
    return {n: [ours(v, t[n].type) for v in t[n].to_pylist()] for n in t.column_names}


def same(got, want):
    got, want = plain(got), plain(want) if isinstance(want, pa.Table) else want
    assert list(got) == list(want), f"{list(got)} != {list(want)}"
    for n, b in want.items():
        a = got[n]
        assert len(a) == len(b), f"{n}: {len(a)} rows, not {len(b)}"
        k = next((i for i in range(len(a)) if a[i] != b[i]), None)
        assert k is None, f"{n} row {k}: {a[k]!r} != {b[k]!r}"


T = table()
PLAIN = plain(T)


def some(rows, columns=None):
    return {n: [PLAIN[n][i] for i in rows] for n in columns or PLAIN}


# ---- in, of other programs ----

@tap.check("files of pyarrow: page version x codec x page size x page index x row groups x dictionaries")
def _():
    for v, codec, size, index, group, dictionary in itertools.product(
            ["1.0", "2.0"], ["none", "zstd"], [150, 1 << 20], [False, True], [230, N], [True, False]):
        pq.write_table(T, "t.parquet", data_page_version=v, compression=codec, data_page_size=size,
                       write_page_index=index, row_group_size=group, use_dictionary=dictionary,
                       write_batch_size=32)
        same(read("t.parquet", "-j2", BP_BATCH_ROWS="100"), PLAIN)
        same(read("t.parquet", "-w", "i % 100 < 3", BP_BATCH_ROWS="13"),
             some([i for i in range(N) if i % 100 < 3]))
        same(read("t.parquet", "-c", "deep, map", "-w", "i >= 340 AND i < 350"),
             some(range(340, 350), ["deep", "map"]))


@tap.check("a condition on a list itself; columns in another order; the same bytes for any -j and --mem")
def _():
    pq.write_table(T, "t.parquet", data_page_size=150, row_group_size=230, write_batch_size=32)
    keep = [i for i, v in enumerate(PLAIN["list"]) if v is not None and len(v) > 1]
    same(read("t.parquet", "-w", "cardinality(list) > 1", "-c", "pairs, i, list"),
         some(keep, ["pairs", "i", "list"]))
    keep = [i for i, v in enumerate(PLAIN["pair"]) if v and v["x"] is not None and v["x"] > 50]
    same(read("t.parquet", "-w", "(pair).x > 50"), some(keep))
    first = run("bp-read", "-j1", "t.parquet").stdout
    for args, env in [(["-j2"], {}), (["-j2", "--mem", "16M"], {}), ([], {"BP_BATCH_ROWS": "17"})]:
        assert run("bp-read", *args, "t.parquet", **env).stdout == first, (args, env)


@tap.check("a row of more values than a page has, and rows of none")
def _():
    t = pa.table({"l": pa.array([None, [], list(range(50000)), [], [1], None, list(range(9000))],
                                pa.list_(pa.int64())), "i": pa.array(range(7))})
    for v in ("1.0", "2.0"):
        pq.write_table(t, "t.parquet", data_page_size=1000, data_page_version=v, write_batch_size=100,
                       use_dictionary=False)
        same(read("t.parquet"), t)
        same(read("t.parquet", "-w", "i > 3"), t.slice(4))


@tap.check("files of DuckDB and Polars")
def _():
    duckdb.sql("COPY (SELECT i, CASE WHEN i % 7 > 0 THEN range(i % 5) END AS l, "
               "{'a': i, 'b': [{'c': i::varchar, 'd': NULL}, NULL]} AS s, "
               "MAP {'k' || i: [i], 'm': NULL} AS m FROM range(5000) t(i)) TO 'd.parquet'")
    same(read("d.parquet"), pq.read_table("d.parquet"))
    pl.from_arrow(T.drop_columns(["map"])).write_parquet("p.parquet", row_group_size=300)
    same(read("p.parquet"), T.drop_columns(["map"]))


@tap.check("only the leaves of wanted columns are read: the others may be rubbish")
def _():
    pq.write_table(T.select(["pair", "deep", "i"]), "t.parquet")
    g = pq.ParquetFile("t.parquet").metadata.row_group(0)
    data = bytearray(open("t.parquet", "rb").read())
    for c in (g.column(k) for k in range(g.num_columns)):
        if c.path_in_schema.startswith("deep"):
            at = c.dictionary_page_offset or c.data_page_offset
            data[at:at + c.total_compressed_size] = b"\xff" * c.total_compressed_size
    open("t.parquet", "wb").write(data)
    same(read("t.parquet", "-c", "pair, i", "-w", "i < 500"), some(range(500), ["pair", "i"]))
    assert run("bp-read", "t.parquet").returncode == 1


@tap.check("many files are one table")
def _():
    pq.write_table(T.slice(0, 300), "a.parquet")
    pq.write_table(T.slice(300), "b.parquet", data_page_version="2.0")
    p = run("bp-read", "a.parquet", "b.parquet")
    same(ipc.open_stream(p.stdout).read_all(), PLAIN)


# ---- out ----

def stream(t, rows=300):
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, t.schema) as w:
        w.write_table(t, max_chunksize=rows)
    return sink.getvalue().to_pybytes()


def write(path, t, *args, **env):
    p = run("bp-write", *args, path, stdin=stream(t), **env)
    assert p.returncode == 0, p.stderr.decode()


@tap.check("what bp-write makes is the same in pyarrow, DuckDB, Polars and here: page version x codec x row groups")
def _():
    for v, codec, group in itertools.product("12", ["none", "snappy", "zstd"], ["250", "100000"]):
        write("o.parquet", T, "--page-version", v, "--codec", codec, "--row-group-rows", group)
        same(pq.read_table("o.parquet"), PLAIN)
        same(read("o.parquet"), PLAIN)
        same(pl.read_parquet("o.parquet").to_arrow(), PLAIN)
        same(duckdb.sql("FROM 'o.parquet'").to_arrow_table(), PLAIN)


@tap.check("types are those of the stream, statistics and page indexes those of each leaf")
def _():
    write("o.parquet", T)
    got = pq.read_schema("o.parquet")
    for name, t in TYPES.items():
        if name not in ("map", "full"):
            assert got.field(name).type == t, (name, got.field(name).type)
    g = pq.ParquetFile("o.parquet").metadata.row_group(0)
    for c in (g.column(k) for k in range(g.num_columns)):
        assert c.has_offset_index and c.has_column_index, c.path_in_schema
        if c.path_in_schema == "list.list.element":
            flat = [x for v in PLAIN["list"] for x in (v or [])]
            there = [x for x in flat if x is not None]
            n = sum(max(len(v or []), 1) for v in PLAIN["list"])
            assert (c.num_values, c.statistics.null_count) == (n, n - len(there)), c
            assert (c.statistics.min, c.statistics.max) == (min(there), max(there)), c


@tap.check("rows of lists do not cross pages, and are found by the page index")
def _():
    n = 90000
    t = pa.table({"i": pa.array(range(n)), "l": pa.array([[k] * (k % 4) for k in range(n)], pa.list_(pa.int64())),
                  "s": pa.array([{"a": k, "b": [str(k)]} for k in range(n)],
                                pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]))})
    write("o.parquet", t)
    same(read("o.parquet", "-w", "i >= 60000 AND i < 60050"), t.slice(60000, 50))
    assert pl.scan_parquet("o.parquet").filter(pl.col("i") == 70001).collect()["l"].to_list() == [[70001]]
    con = duckdb.sql("SELECT l, s.b FROM 'o.parquet' WHERE i BETWEEN 80001 AND 80002")
    assert con.fetchall() == [([80001], ["80001"]), ([80002] * 2, ["80002"])], con


@tap.check("the same bytes for any -j, --mem and batches that come")
def _():
    t = pa.concat_tables([T] * 60).drop_columns(["i"])
    write("a.parquet", t, "-j1")
    want = open("a.parquet", "rb").read()
    for args, env in [(["-j2"], {}), (["-j2", "--mem", "16M"], {}), ([], {"BP_BATCH_ROWS": "17"})]:
        write("b.parquet", t, *args, **env)
        assert open("b.parquet", "rb").read() == want, (args, env)
    write("c.parquet", t.slice(0, 300), "--row-group-rows", "100")
    p = run("bp-write", "--row-group-rows", "100", "d.parquet", stdin=stream(t.slice(0, 300), 7))
    assert p.returncode == 0 and open("c.parquet", "rb").read() == open("d.parquet", "rb").read(), p.stderr


@tap.check("a list that must not be NULL; no rows; a Bloom filter of a list is refused")
def _():
    p = run("bp-read", "-s", "n int[] NOT NULL, s struct(a int, b text[])", "-f", "jsonl", "-",
            stdin=b'{"n":[1,null],"s":{"a":1,"b":["x"]}}\n{"n":[],"s":null}\n')
    assert p.returncode == 0, p.stderr
    assert run("bp-write", "o.parquet", stdin=p.stdout).returncode == 0
    t = pq.read_table("o.parquet")
    assert not t.schema.field("n").nullable, t.schema
    assert t.to_pylist() == [{"n": [1, None], "s": {"a": 1, "b": ["x"]}}, {"n": [], "s": None}]
    write("o.parquet", T.slice(0, 0))
    assert pq.read_table("o.parquet").num_rows == read("o.parquet").num_rows == 0
    p = run("bp-write", "--bloom", "list", "o.parquet", stdin=stream(T))
    assert p.returncode == 2 and b"column list is a list or struct" in p.stderr, p.stderr


# ---- files made by hand ----

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def thrift(fields):
    """{id: value} as a compact struct: int (i32), bytes (binary), str, dict (struct), list."""
    out, last = b"", 0
    for i, v in sorted(fields.items()):
        kind, body = typed(v)
        out, last = out + bytes([(i - last) << 4 | kind]) + body, i
    return out + b"\0"


def typed(v):
    if isinstance(v, bool):
        return (1 if v else 2), b""
    if isinstance(v, int):
        return 6, zigzag(v)
    if isinstance(v, (bytes, str)):
        v = v.encode() if isinstance(v, str) else v
        return 8, varint(len(v)) + v
    if isinstance(v, dict):
        return 12, thrift(v)
    kind = typed(v[0])[0] if v else 6
    head = bytes([len(v) << 4 | kind]) if len(v) < 15 else bytes([0xf0 | kind]) + varint(len(v))
    return 9, head + b"".join(typed(x)[1] for x in v)


def runs(levels, most):
    """The hybrid encoding, one run a level."""
    if not most:
        return b""
    return b"".join(b"\2" + bytes([v]) for v in levels)


def page(rep, deep, values, most_rep, most_def, v2=False, n=None, n_rows=None):
    r, d = runs(rep, most_rep), runs(deep, most_def)
    body = b"".join(struct.pack("<i", v) for v in values)
    n = len(deep) if n is None else n
    if v2:
        head = {1: n, 2: len(deep) - len(values), 3: rep.count(0) if n_rows is None else n_rows, 4: 0,
                5: len(d), 6: len(r), 7: False}
        data = r + d + body
        return thrift({1: 3, 2: len(data), 3: len(data), 8: head}) + data, n
    data = b"".join(struct.pack("<i", len(x)) + x for x in (r, d) if x) + body
    return thrift({1: 0, 2: len(data), 3: len(data), 5: {1: n, 2: 0, 3: 3, 4: 3}}) + data, n


def group(name, repetition, n, annotation=None):
    e = {3: repetition, 4: name, 5: n}
    return {**e, 6: annotation} if annotation else e


def leaf(name, repetition):
    return {1: 1, 3: repetition, 4: name}  # int32


LIST, MAP = 3, 1
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2


def parquet(path, schema, columns, n_rows):
    """columns: of each leaf its pages."""
    out, chunks = b"PAR1", []
    for pages in columns:
        at, n = len(out), sum(p[1] for p in pages)
        data = b"".join(p[0] for p in pages)
        out += data
        chunks.append({2: at, 3: {1: 1, 2: [0, 3], 3: ["x"], 4: 0, 5: n, 6: len(data), 7: len(data), 9: at}})
    top = sum(1 for _ in tops(schema))
    meta = thrift({1: 2, 2: [{4: "schema", 5: top}] + schema, 3: n_rows,
                   4: [{1: chunks, 2: len(out), 3: n_rows}], 6: "by hand"})
    with open(path, "wb") as f:
        f.write(out + meta + struct.pack("<i", len(meta)) + b"PAR1")


def tops(schema):
    left = 0
    for e in schema:
        if left == 0:
            yield e
        else:
            left -= 1
        left += e.get(5, 0)


@tap.check("lists and maps in the forms of older writers")
def _():
    flat = page([0, 1, 0, 0], [2, 2, 0, 2], [1, 2, 3], 1, 2)
    full = page([0, 1, 0, 0], [1, 1, 0, 1], [1, 2, 3], 1, 1)
    want = [[1, 2], None, [3]]
    # the repeated element is the value itself; the list may be NULL
    forms = [([group("l", OPTIONAL, 1, LIST), leaf("element", REPEATED)], flat, want)]
    # no annotation: a list that is never NULL
    forms.append(([leaf("l", REPEATED)], full, [[1, 2], [], [3]]))
    forms.append(([group("l", REPEATED, 1), leaf("x", REQUIRED)], full, [[{"x": 1}, {"x": 2}], [], [{"x": 3}]]))
    # groups that are the element by their names, others that stand around it
    for name, is_element in [("array", True), ("l_tuple", True), ("list", False), ("bag", False)]:
        v = [r and [{"x": e} for e in r] if is_element else r for r in want]
        forms.append(([group("l", OPTIONAL, 1, LIST), group(name, REPEATED, 1), leaf("x", REQUIRED)], flat, v))
    # with two fields it is the element
    forms.append(([group("l", OPTIONAL, 1, LIST), group("list", REPEATED, 2), leaf("x", REQUIRED),
                   leaf("y", REQUIRED)], flat, [r and [{"x": e, "y": e} for e in r] for r in want]))
    # with one that is repeated, too
    forms.append(([group("l", OPTIONAL, 1, LIST), group("array", REPEATED, 1, LIST), leaf("array", REPEATED)],
                  page([0, 2, 1, 0], [3, 3, 3, 2], [1, 2, 3], 2, 3), [[[1, 2], [3]], [[]]]))
    # a map by its older name, and one without values
    forms.append(([group("l", OPTIONAL, 1, 2), group("map", REPEATED, 2), leaf("k", REQUIRED),
                   leaf("v", REQUIRED)], flat, [r and [{"key": e, "value": e} for e in r] for r in want]))
    forms.append(([group("l", OPTIONAL, 1, MAP), group("map", REPEATED, 1), leaf("k", REQUIRED)], flat, want))
    for schema, p, rows in forms:
        parquet("t.parquet", schema, [[p]] * sum(1 in e for e in schema), len(rows))
        same(read("t.parquet"), {"l": rows})


def refused(says, *args):
    p = run("bp-read", *args, "t.parquet")
    assert p.returncode == 1, (says, p.returncode, p.stderr)
    assert says in p.stderr.decode() and p.stderr.count(b"\n") == 1, (says, p.stderr)


SCHEMA = [group("l", OPTIONAL, 1, LIST), group("list", REPEATED, 1), leaf("element", OPTIONAL)]
PAIRS = [group("l", OPTIONAL, 1, LIST), group("list", REPEATED, 2), leaf("x", OPTIONAL), leaf("y", OPTIONAL)]


@tap.check("levels that are damaged are refused in one line")
def _():
    good = ([0, 1, 0, 0], [3, 2, 0, 3], [1, 2])
    parquet("t.parquet", SCHEMA, [[page(*good, 1, 3)]], 3)
    same(read("t.parquet"), {"l": [[1, None], None, [2]]})
    for v2 in (False, True):
        def bad(says, *pages, rows=3):
            parquet("t.parquet", SCHEMA, [[page(*p[:3], 1, 3, v2, **(p[3] if len(p) > 3 else {}))
                                           for p in pages]], rows)
            refused(says)
        bad("its levels", ([0, 2, 0, 0], [3, 3, 0, 3], [1, 2, 3]))
        bad("its levels", ([0, 3, 0, 0], [3, 3, 0, 3], [1, 2, 3]))
        bad("its levels", ([0, 1, 0], [3, 2, 0, 3], [1, 2]))
        bad("more", good, rows=2)
        bad("fewer", good, rows=4)
        bad("list that is not there", ([0, 1, 0, 0], [0, 3, 0, 3], [1, 2]))
        bad("list that is not there", ([0, 1, 0, 0], [3, 1, 0, 3], [1, 2]))
        bad("values", ([0, 1, 0, 0], [3, 3, 0, 3], [1]))
        bad("", ([1, 1, 0, 0], [3, 2, 0, 3], [1, 2]), rows=2)
    # rows go on from page to page in V1, never in V2
    two = [([0, 1], [3, 2], [1]), ([1, 0, 0], [3, 0, 3], [4, 2])]
    parquet("t.parquet", SCHEMA, [[page(*p, 1, 3) for p in two]], 3)
    same(read("t.parquet"), {"l": [[1, None, 4], None, [2]]})
    parquet("t.parquet", SCHEMA, [[page(*p, 1, 3, True) for p in two]], 3)
    refused("begin other rows")
    parquet("t.parquet", SCHEMA, [[page(*good, 1, 3, True, n_rows=2)]], 3)
    refused("begin other rows")


@tap.check("leaves of one struct that disagree are refused")
def _():
    a = page([0, 1, 0, 0], [3, 2, 0, 3], [1, 2], 1, 3)
    parquet("t.parquet", PAIRS, [[a], [a]], 3)
    same(read("t.parquet"), {"l": [[{"x": 1, "y": 1}, {"x": None, "y": None}], None, [{"x": 2, "y": 2}]]})
    for b in [page([0, 0, 1, 0], [3, 3, 2, 0], [1, 2], 1, 3),  # lists of other lengths
              page([0, 1, 0, 0], [3, 2, 1, 3], [1, 2], 1, 3),  # empty, not NULL
              page([0, 0, 0], [3, 0, 3], [1, 2], 1, 3)]:
        parquet("t.parquet", PAIRS, [[a], [b]], 3)
        refused("contradict one another")


@tap.check("a struct without fields, a list of two elements: refused only when asked for")
def _():
    p = page([], [1, 1], [1, 2], 0, 1)
    parquet("t.parquet", [leaf("i", OPTIONAL), group("s", OPTIONAL, 0)], [[p]], 2)
    refused("column s is a struct without fields")
    same(read("t.parquet", "-c", "i"), {"i": [1, 2]})
    parquet("t.parquet", [group("l", REQUIRED, 2, LIST), leaf("x", OPTIONAL), leaf("y", OPTIONAL)], [[p], [p]], 2)
    refused("column l is a list without one repeated element")


@tap.check("a file of nested columns with flipped bytes is refused, or changes values, and never crashes")
def _():
    pq.write_table(T.slice(0, 60), "t.parquet", compression="none", data_page_size=200)
    whole = open("t.parquet", "rb").read()
    for k in range(120):
        data = bytearray(whole)
        data[R.randrange(4, len(data) - 8)] ^= 1 << R.randrange(8)
        open("f.parquet", "wb").write(data)
        p = run("bp-read", "f.parquet")
        assert p.returncode in (0, 1) and p.stderr.count(b"\n") <= 1, (k, p.returncode, p.stderr)


sys.exit(tap.done())
