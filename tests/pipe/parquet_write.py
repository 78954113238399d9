# SPDX-License-Identifier: Apache-2.0
"""Parquet files of bp-write, read by pyarrow, DuckDB, Polars and bp-read. TAP.

Every type, codec, page version and pattern of nulls; values and types come back, the
statistics and the page index are right, and the file is the same bytes whatever the
threads and batches.

    BP_PYTHON tests/pipe/parquet_write.py        prints TAP

The programs are those in $BP_BUILD/bin (build/bin).
"""
import datetime as dt
import decimal
import io
import json
import os
import random
import subprocess
import sys
import tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.path.abspath(os.environ.get("BP_BUILD", "build")), "bin")
N = 25000
os.chdir(tempfile.mkdtemp(prefix="parquet_write."))


def stream(table):
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema) as w:
        w.write_table(table, max_chunksize=3333)
    return sink.getvalue()


def bp(command, *args, data=None, fails=False, **env):
    p = subprocess.run([os.path.join(BIN, command), *args], input=data, capture_output=True,
                       timeout=120, env={**os.environ, **env})
    assert (p.returncode != 0) == fails, f"exit {p.returncode}: {p.stderr.decode()}"
    return p.stderr.decode() if fails else p.stdout


def write(table, *args, **env):
    bp("bp-write", *args, "t.parquet", data=stream(table), **env)
    return "t.parquet"


def plain(column):
    t = column.type
    return column.cast(t.value_type) if pa.types.is_dictionary(t) else column


def same(got, want, note=""):
    assert got.column_names == want.column_names, (note, got.column_names)
    assert got.num_rows == want.num_rows, f"{note}: {got.num_rows} rows, not {want.num_rows}"
    for name in want.column_names:
        a, b = plain(got[name]).to_pylist(), plain(want[name]).to_pylist()
        if a != b and repr(a) != repr(b):  # repr: NaN
            bad = next(k for k in range(len(a)) if repr(a[k]) != repr(b[k]))
            raise AssertionError(f"{note}: {name} row {bad}: {a[bad]!r} != {b[bad]!r}")


R = random.Random(5)
DAY = dt.date(1970, 1, 1)


def money(digits, scale):
    return lambda: decimal.Decimal(R.randrange(-10**digits + 1, 10**digits)).scaleb(-scale)


COLUMNS = {
    "bool": (pa.bool_(), lambda: R.random() < 0.6),
    "i8": (pa.int8(), lambda: R.randrange(-128, 128)),
    "i16": (pa.int16(), lambda: R.randrange(-2**15, 2**15)),
    "i32": (pa.int32(), lambda: R.choice([-2**31, 2**31 - 1, R.randrange(-50, 50)])),
    "i64": (pa.int64(), lambda: R.randrange(-2**63, 2**63)),
    "u8": (pa.uint8(), lambda: R.randrange(256)),
    "u16": (pa.uint16(), lambda: R.randrange(2**16)),
    "u32": (pa.uint32(), lambda: R.choice([2**32 - 1, R.randrange(99)])),
    "u64": (pa.uint64(), lambda: R.choice([2**64 - 1, R.randrange(99)])),
    "f32": (pa.float32(), lambda: R.choice([0.0, -0.0, 1.5, float("-inf"), R.random()])),
    "f64": (pa.float64(), lambda: R.choice([0.0, -0.0, 1e300, float("nan"), R.random()])),
    "dec5": (pa.decimal128(5, 2), money(5, 2)),
    "dec15": (pa.decimal128(15, 4), money(15, 4)),
    "dec19": (pa.decimal128(19, 0), money(19, 0)),
    "dec38": (pa.decimal128(38, 10), money(38, 10)),
    "date": (pa.date32(), lambda: DAY + dt.timedelta(R.randrange(-40000, 40000))),
    "time_us": (pa.time64("us"), lambda: dt.time(R.randrange(24), R.randrange(60), 7, 1)),
    "ts_ms": (pa.timestamp("ms"), lambda: R.randrange(-10**13, 10**13)),
    "ts_us": (pa.timestamp("us"), lambda: R.randrange(-10**15, 10**15)),
    "ts_ns": (pa.timestamp("ns"), lambda: R.randrange(-10**18, 10**18)),
    "tstz": (pa.timestamp("us", tz="UTC"), lambda: R.randrange(-10**15, 10**15)),
    "text": (pa.string(), lambda: "".join(R.choice("abc é日🙂") for _ in range(R.choice([0, 1, 9])))),
    "long": (pa.string(), lambda: "x" * R.randrange(200) + R.choice(["é", "日", "z"])),
    "words": (pa.string(), lambda: R.choice(["x", "yy", "", "zzz", "日本"])),
    "bytes": (pa.binary(), lambda: bytes(R.randrange(256) for _ in range(R.randrange(9)))),
    "ramp": (pa.int64(), lambda it=iter(range(10**9)): next(it) // 3),
}
NULLS = {
    "none": lambda i: False,
    "some": lambda i: R.random() < 0.2,
    "runs": lambda i: i // 9000 % 3 == 1,
    "all": lambda i: True,
}


def table(nulls, n=N):
    t = {}
    for k, (typ, make) in COLUMNS.items():
        values = [make() for _ in range(n)]
        t[k] = pa.array([None if NULLS[nulls](i) else v for i, v in enumerate(values)], typ)
    t["dict"] = pc.dictionary_encode(t["words"])
    return pa.table(t)


TABLES = {k: table(k, N if k == "some" else 9500) for k in NULLS}


def read_everywhere(path, want, note):
    same(pq.read_table(path), want, f"{note}: pyarrow")
    same(ipc.open_stream(bp("bp-read", path)).read_all(), want, f"{note}: bp-read")
    got = pl.read_parquet(path).to_arrow()
    for name in want.column_names:  # Polars has other types for some; the values count
        assert got[name].null_count == want[name].null_count, (note, name)
    flat = [c for c in want.column_names if not pa.types.is_decimal(want[c].type)]
    same(pa.table([got[c].cast(plain(want[c]).type) for c in flat], flat), want.select(flat),
         f"{note}: polars")
    got = duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table()
    flat = [c for c in flat if c not in ("ts_ns", "tstz")]
    same(got.select(flat), want.select(flat), f"{note}: duckdb")


for nulls, t in TABLES.items():
    for version in ("1", "2"):
        @tap.check(f"every type comes back, nulls: {nulls}, pages of version {version}")
        def _():
            read_everywhere(write(t, "--page-version", version, "--row-group-rows", "12345"), t,
                            nulls)


@tap.check("types are the same, and a column that is NOT NULL stays so")
def _():
    t = TABLES["none"]
    got = pq.read_schema(write(t))
    for f in t.schema:
        want = f.type.value_type if pa.types.is_dictionary(f.type) else f.type
        assert got.field(f.name).type == want, (f.name, got.field(f.name).type)
    t = pa.table(t.columns, schema=pa.schema([f.with_nullable(False) for f in t.schema]))
    got = pq.read_schema(write(t))
    assert not any(f.nullable for f in got)
    same(pq.read_table("t.parquet"), t)


for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    @tap.check(f"--codec {codec}")
    def _():
        for version in ("1", "2"):
            t = TABLES["some"].slice(0, 5000)
            write(t, "--codec", codec, "--page-version", version)
            kind = pq.ParquetFile("t.parquet").metadata.row_group(0).column(0).compression
            assert kind == {"none": "UNCOMPRESSED"}.get(codec, codec.upper()), kind
            read_everywhere("t.parquet", t, codec)


@tap.check("the same bytes for any threads and batches")
def _():
    for t in (TABLES["some"], TABLES["runs"]):
        want = open(write(t, "-j", "1", "--row-group-rows", "11000"), "rb").read()
        for j, rows in (("2", "8192"), ("4", "1"), ("1", "7")):
            part = stream(t)
            data = bp("bp-filter", "true", data=part, BP_BATCH_ROWS=rows)
            bp("bp-write", "-j", j, "--row-group-rows", "11000", "u.parquet", data=data)
            got = pq.ParquetFile("u.parquet")
            assert got.metadata.num_row_groups == -(-t.num_rows // 11000)
            same(got.read(), t)
            bp("bp-write", "-j", j, "--row-group-rows", "11000", "u.parquet", data=part)
            assert open("u.parquet", "rb").read() == want, (j, rows)


@tap.check("the same bytes where a row group's pages go to disk")
def _():
    data = stream(pa.concat_tables([TABLES["some"]] * 6))
    bp("bp-write", "--mem", "1G", "t.parquet", data=data)
    p = subprocess.run([os.path.join(BIN, "bp-write"), "--mem", "16M", "--stats", "u.parquet"],
                       input=data, capture_output=True)
    assert p.returncode == 0 and b'"spilled_bytes":0,' not in p.stderr, p.stderr
    assert open("u.parquet", "rb").read() == open("t.parquet", "rb").read()


@tap.check("the same bytes, within the memory, where the columns do not fit side by side")
def _():
    rng = random.Random(7)
    columns = {f"n{i}": pa.array([rng.randrange(9000) * 977 if rng.random() > 0.1 else None
                                  for _ in range(20000)]) for i in range(60)}
    columns["t"] = pa.array([f"text {v}" for v in columns["n0"]])
    columns["d"] = columns["t"].dictionary_encode()
    columns["new"] = pa.array(range(20000))  # no dictionary, nor tried in each row group
    columns["new_first"] = pa.array(i if i < 3000 else i % 10 for i in range(20000))
    t = pa.table(columns)
    data = stream(t)
    for args in ([], ["--row-group-rows", "1500"], ["--page-version", "2", "--bloom", "n1", "--row-group-rows", "7001"]):
        bp("bp-write", "--mem", "1G", *args, "t.parquet", data=data)
        same(pq.read_table("t.parquet"), t)
        for j in "1", "3":
            p = subprocess.run([os.path.join(BIN, "bp-write"), "--mem", "16M", "-j", j, "--stats", *args,
                                "u.parquet"], input=data, capture_output=True)
            assert p.returncode == 0, p.stderr
            assert open("u.parquet", "rb").read() == open("t.parquet", "rb").read()
            if "/san-" not in BIN:
                assert json.loads(p.stderr)["peak_bytes"] <= 28 << 20, p.stderr


@tap.check("a thousand columns of small integers keep to the memory")
def _():
    wide = pa.table({f"c{i}": pa.array([k * (i + 3) % 5000 for k in range(3000)], pa.int32())
                     for i in range(1000)})
    data = bp("bp-filter", "true", data=stream(wide))  # in batches of ours
    p = subprocess.run([os.path.join(BIN, "bp-write"), "--mem", "32M", "--stats", "wide.parquet"],
                       input=data, capture_output=True)
    assert p.returncode == 0, p.stderr
    same(pq.read_table("wide.parquet"), wide)
    if "/san-" not in BIN:
        assert json.loads(p.stderr)["peak_bytes"] <= 48 << 20, p.stderr


@tap.check("a row group ends with the same row whatever the memory")
def _():
    part = pa.table({"t": pa.array([str(i) * 180 for i in range(30000)])})
    data = stream(pa.concat_tables([part] * 11))
    for mem in "16M", "1G":
        bp("bp-write", "--mem", mem, f"{mem}.parquet", data=data)
    assert open("16M.parquet", "rb").read() == open("1G.parquet", "rb").read()
    assert pq.ParquetFile("1G.parquet").metadata.num_row_groups == 3


@tap.check("statistics are the least and greatest values, and count the NULLs")
def _():
    for nulls in ("some", "runs", "all"):
        t = TABLES[nulls]
        meta = pq.ParquetFile(write(t, "--row-group-rows", "7000")).metadata
        for g in range(meta.num_row_groups):
            part = t.slice(g * 7000, 7000)
            for i, name in enumerate(t.column_names):
                c, s = plain(part[name]), meta.row_group(g).column(i).statistics
                assert s.null_count == c.null_count, (name, s)
                assert meta.row_group(g).column(i).has_offset_index
                if c.null_count == len(c) or name == "long":
                    assert name == "long" or not s.has_min_max, name
                    continue
                if name == "f64":
                    c = pc.drop_null(c).filter(pc.invert(pc.is_nan(pc.drop_null(c))))
                want = pc.min_max(c).as_py()
                if name in ("text", "words", "dict"):
                    values = [v.encode() for v in c.to_pylist() if v is not None]
                    want = {"min": min(values).decode(), "max": max(values).decode()}
                got = (s.min, s.max)
                if pa.types.is_temporal(c.type) and not pa.types.is_date(c.type):
                    got = tuple(pa.scalar(v, c.type).as_py() for v in got)
                assert got == (want["min"], want["max"]), (nulls, name, got, want)


@tap.check("long texts have bounds that hold")
def _():
    t = TABLES["some"].select(["long"])
    raw = duckdb.sql(f"SELECT stats_min_value, stats_max_value FROM parquet_metadata('{write(t)}')")
    low, high = raw.fetchall()[0]
    values = [v for v in t["long"].to_pylist() if v is not None]
    assert low <= min(values, key=str.encode) and high >= max(values, key=str.encode), (low, high)
    assert len(low.encode()) <= 64 and len(high.encode()) <= 64


@tap.check("readers that prune by statistics find every row")
def _():
    t = TABLES["some"]
    write(t, "--row-group-rows", "5000")
    for name in ("i16", "u32", "f64", "dec5", "dec38", "date", "ts_us", "text", "long", "ramp", "u64"):
        values = [v for v in t[name].to_pylist() if v is not None]
        for v in R.sample(values, 8):
            if v != v:
                continue
            want = values.count(v)
            got = duckdb.execute(f"SELECT count(*) FROM 't.parquet' WHERE {name} = $1", [v])
            got = got.fetchall()[0][0]
            assert got == want, (name, v, got, want)
            if name in ("ramp", "text", "i16"):
                got = pl.scan_parquet("t.parquet").filter(pl.col(name) == v).collect().height
                assert got == want, ("polars", name, v, got, want)


@tap.check("Bloom filters: DuckDB finds every value in them, and most others not; sorted-by")
def _():
    ids = [None if i % 11 == 0 else i * 37 % 5003 for i in range(12000)]
    t = pa.table({"id": pa.array(ids, pa.int64()),
                  "word": [None if v is None else f"w{v}" for v in ids],
                  "small": pa.array([v and v % 7 for v in ids], pa.int8())})
    sort = [os.path.join(BIN, "bp-sort"), "id DESC, word"]
    p = subprocess.run(sort, input=stream(t), capture_output=True)
    assert p.returncode == 0, p.stderr
    bp("bp-write", "--bloom", "id, word, small", "--row-group-rows", "3000", "b.parquet",
       data=p.stdout)
    meta = pq.ParquetFile("b.parquet").metadata
    for g in range(meta.num_row_groups):
        s = meta.row_group(g).sorting_columns
        assert [(c.column_index, c.descending, c.nulls_first) for c in s] == [
            (0, True, False), (1, False, False)], s
    for column, odd in (("id", range(10**6, 10**6 + 500)), ("word", ["x%d" % i for i in range(500)]),
                        ("small", range(50, 100))):
        groups = [pq.ParquetFile("b.parquet").read_row_group(g, columns=[column])
                  for g in range(meta.num_row_groups)]
        wrong = 0
        for g, values in enumerate(groups):
            for v in [v for v in set(values.column(0).to_pylist()) if v is not None][:25]:
                got = duckdb.execute("select bloom_filter_excludes from parquet_bloom_probe("
                                     f"'b.parquet', '{column}', ?) where row_group_id = ?",
                                     [v, g]).fetchone()
                assert got == (False,), f"{column} = {v} in row group {g}: {got}"
        for v in list(odd)[:40]:
            wrong += sum(not x for (x,) in duckdb.execute(
                f"select bloom_filter_excludes from parquet_bloom_probe('b.parquet', '{column}', ?)",
                [v]).fetchall())
        assert wrong <= 8, f"{column}: {wrong} of {40 * meta.num_row_groups} not excluded"


@tap.check("no rows; no NULL in it; seconds become milliseconds; intervals")
def _():
    t = TABLES["some"].slice(0, 0)
    same(pq.read_table(write(t)), t)
    t = pa.table({"s": pa.array([0, None, -5], pa.timestamp("s")),
                  "t": pa.array([0, 86399, None], pa.time32("s"))})
    same(pq.read_table(write(t)), t)
    data = bp("bp-map", "interval '1 month 2 days 3.5 s' AS i", data=stream(t))
    bp("bp-write", "i.parquet", data=data)
    assert bp("bp-write", "-f", "csv", data=bp("bp-read", "i.parquet")).splitlines()[1] == \
        b"1 mon 2 days 00:00:03.5"
    data = bp("bp-map", "interval '-1 day' AS i", data=stream(t))
    assert "::text" in bp("bp-write", "i.parquet", data=data, fails=True)


@tap.check("a failed write leaves the old file, and no other")
def _():
    write(TABLES["none"])
    before = open("t.parquet", "rb").read()
    bp("bp-write", "t.parquet", data=stream(TABLES["some"])[:50000], fails=True)
    assert open("t.parquet", "rb").read() == before
    assert not [f for f in os.listdir(".") if f.startswith(".tmp")]


@tap.check("a directory of tasks: read back as one table")
def _():
    t = TABLES["some"]
    write(t, "--row-group-rows", "4000")
    for i in range(3):
        data = bp("bp-read", "-T", "t.parquet", BP_TASK=f"{i}/3")
        bp("bp-write", "-T", "-f", "parquet", "out/", data=data, BP_TASK=f"{i}/3")
        if i < 2:
            assert "not complete" in bp("bp-read", "out/", fails=True)
    same(ipc.open_stream(bp("bp-read", "out/")).read_all(), t)
    same(pq.read_table("out"), t)


@tap.check("row groups have 131,072 rows where nothing is said, as bp-write -h says")
def _():
    t = pa.table({"n": pa.array(range(300_000))})
    m = pq.ParquetFile(write(t)).metadata
    assert [m.row_group(i).num_rows for i in range(m.num_row_groups)] == [131_072, 131_072, 300_000 - 262_144]
    assert "(default: 131072)" in bp("bp-write", "-h").decode()


@tap.check("a column whose first page has new values only is asked again in the eighth row group behind")
def _():
    rows, n = 3000, 11
    t = pa.table({"unique": pa.array(range(rows * n)),
                  "unique_first": pa.array(i if i < rows else i % 10 for i in range(rows * n)),
                  "few": pa.array(i % 10 for i in range(rows * n))})
    f = pq.ParquetFile(write(t, "--row-group-rows", str(rows)))
    coded = [[g for g in range(n) if "RLE_DICTIONARY" in f.metadata.row_group(g).column(i).encodings]
             for i in range(3)]
    assert coded == [[], [8, 9, 10], list(range(n))], coded
    same(f.read(), t)


def integers(data, at):
    """The integers of a Thrift struct (compact protocol) by field, structs in structs, and its end."""
    out, field = {}, 0
    while data[at]:
        field, kind, at = field + (data[at] >> 4), data[at] & 15, at + 1
        if kind == 12:
            out[field], at = integers(data, at)
        elif kind > 2:  # booleans have no bytes
            n = shift = 0
            while True:
                n |= (data[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if data[at - 1] < 128:
                    break
            out[field] = n >> 1 ^ -(n & 1)
    return out, at + 1


def page_rows(path, column):
    """Values of each data page of a column, a list a row group (parquet.thrift: PageHeader)."""
    data, meta, out = open(path, "rb").read(), pq.ParquetFile(path).metadata, []
    for g in range(meta.num_row_groups):
        c = meta.row_group(g).column(column)
        at = c.dictionary_page_offset or c.data_page_offset
        end, rows = at + c.total_compressed_size, []
        while at < end:
            head, at = integers(data, at)
            at += head[3]
            rows += [head[k][1] for k in (5, 8) if k in head]
        out.append(rows)
    return out


@tap.check("pages of a flat column have 16,384 rows, whatever the pieces; those of a short row group all")
def _():
    n = 100_000
    t = pa.table({"n": pa.array(range(n)), "few": pa.array([None, "a", "bc", "a"] * (n // 4)),
                  "wide": pa.array([decimal.Decimal(i) for i in range(n)], pa.decimal128(38, 0))})
    for args in ([], ["--page-version", "2"]):
        write(t, *args)
        for column in range(3):
            assert page_rows("t.parquet", column) == [[16384] * 6 + [n - 6 * 16384]], (args, column)
        same(pq.read_table("t.parquet"), t)
    write(t, "--row-group-rows", "30000")
    assert page_rows("t.parquet", 0) == [[16384, 13616]] * 3 + [[10000]]


sys.exit(tap.done())
