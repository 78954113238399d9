# SPDX-License-Identifier: Apache-2.0
"""Parquet files of pyarrow, Polars and DuckDB, read by bp-read. TAP.

Every type, encoding, codec, page version, page size and pattern of nulls: what bp-read
gives must be what pyarrow reads from the same file. Then damage: a file cut anywhere or
with flipped bytes is refused with one message, and never crashes.

    BP_PYTHON tests/pipe/parquet_read.py        prints TAP

The programs are those in $BP_BUILD/bin (build/bin).
"""
import datetime as dt
import decimal
import os
import random
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
DATA = os.environ.get("BP_SHARED_DATA", "../shared/data")
N = 1500
os.chdir(tempfile.mkdtemp(prefix="parquet_read."))


def bp_read(path, *args, **env):
    return subprocess.run([os.path.join(BIN, "bp-read"), *args, path], capture_output=True,
                          timeout=120, env={**os.environ, **env})


def rows(path, *args, **env):
    p = bp_read(path, *args, **env)
    assert p.returncode == 0, f"{path}: exit {p.returncode}: {p.stderr.decode()}"
    return ipc.open_stream(p.stdout).read_all()


def plain(column):
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column


# types that are ours under another name, or wider
def ours(column):
    t = column.type
    if pa.types.is_float16(t):
        return column.cast(pa.float32())
    if pa.types.is_large_string(t) or pa.types.is_string_view(t):
        return column.cast(pa.string())
    if pa.types.is_fixed_size_binary(t) or pa.types.is_large_binary(t):
        return column.cast(pa.binary())
    if pa.types.is_time32(t):
        return column.cast(pa.time64("us"))
    if pa.types.is_decimal(t) and t.bit_width != 128:
        return column.cast(pa.decimal128(t.precision, t.scale))
    return plain(column)


def same(path, *args, want=None, **env):
    got = rows(path, *args, **env)
    want = pq.read_table(path) if want is None else want
    assert got.column_names == want.column_names, f"{got.column_names} != {want.column_names}"
    assert got.num_rows == want.num_rows, f"{got.num_rows} rows, not {want.num_rows}"
    got.validate(full=True)
    for i, name in enumerate(want.column_names):
        a, b = plain(got.column(i)), ours(want.column(i))
        if pa.types.is_time(a.type):
            a = a.cast(b.type)
        assert a.type == b.type, f"{path}: {name} is {a.type}, not {b.type}"
        a, b = a.to_pylist(), b.to_pylist()
        if a != b and repr(a) != repr(b):  # repr: NaN
            bad = next(k for k in range(len(a)) if repr(a[k]) != repr(b[k]))
            raise AssertionError(f"{path}: {name} row {bad}: {a[bad]!r} != {b[bad]!r}")


# ---- columns ----

R = random.Random(11)


def runs(make, n=N):
    """Values with runs: of equal ones, of changing ones."""
    out = []
    while len(out) < n:
        k = R.choice([1, 1, 2, 9, 40])
        out += [make()] * k if R.random() < 0.5 else [make() for _ in range(k)]
    return out[:n]


def text():
    return "".join(R.choice("abc é日🙂") for _ in range(R.choice([0, 1, 3, 12, 40])))


def money(digits, scale):
    return lambda: decimal.Decimal(R.randrange(-10**digits + 1, 10**digits)).scaleb(-scale)


DAY = dt.date(1970, 1, 1)
COLUMNS = {
    "bool": (pa.bool_(), lambda: R.random() < 0.6),
    "i8": (pa.int8(), lambda: R.randrange(-128, 128)),
    "i16": (pa.int16(), lambda: R.randrange(-2**15, 2**15)),
    "i32": (pa.int32(), lambda: R.choice([-2**31, 2**31 - 1, R.randrange(-50, 50)])),
    "i64": (pa.int64(), lambda: R.choice([-2**63, 2**63 - 1, R.randrange(-50, 50)])),
    "u8": (pa.uint8(), lambda: R.randrange(256)),
    "u16": (pa.uint16(), lambda: R.randrange(2**16)),
    "u32": (pa.uint32(), lambda: R.choice([2**32 - 1, R.randrange(99)])),
    "u64": (pa.uint64(), lambda: R.choice([2**64 - 1, R.randrange(99)])),
    "f16": (pa.float16(), lambda: R.choice([0.0, -0.0, 1.5, 6e-8, -65504.0, float("inf")])),
    "f32": (pa.float32(), lambda: R.choice([0.0, -0.0, 1.5, float("-inf"), R.random()])),
    "f64": (pa.float64(), lambda: R.choice([0.0, -0.0, 1e300, float("nan"), R.random()])),
    "dec5": (pa.decimal128(5, 2), money(5, 2)),
    "dec15": (pa.decimal128(15, 4), money(15, 4)),
    "dec38": (pa.decimal128(38, 10), money(38, 10)),
    "date": (pa.date32(), lambda: DAY + dt.timedelta(R.randrange(-40000, 40000))),
    "time_ms": (pa.time32("ms"), lambda: dt.time(R.randrange(24), R.randrange(60), 7, 5000)),
    "time_us": (pa.time64("us"), lambda: dt.time(R.randrange(24), R.randrange(60), 7, 1)),
    "ts_ms": (pa.timestamp("ms"), lambda: R.randrange(-10**13, 10**13)),
    "ts_us": (pa.timestamp("us"), lambda: R.randrange(-10**15, 10**15)),
    "ts_ns": (pa.timestamp("ns"), lambda: R.randrange(-10**18, 10**18)),
    "tstz": (pa.timestamp("us", tz="UTC"), lambda: R.randrange(-10**15, 10**15)),
    "text": (pa.string(), text),
    "words": (pa.string(), lambda: R.choice(["x", "yy", "", "zzz", "日本"])),
    "bytes": (pa.binary(), lambda: bytes(R.randrange(256) for _ in range(R.randrange(9)))),
    "fixed": (pa.binary(5), lambda: bytes(R.randrange(256) for _ in range(5))),
}
NULLS = {
    "none": lambda i: False,
    "some": lambda i: R.random() < 0.2,
    "runs": lambda i: i // 100 % 3 == 1,
    "all": lambda i: True,
}


def column(kind, nulls="some", n=N):
    t, make = COLUMNS[kind]
    return pa.array([None if NULLS[nulls](i) else v for i, v in enumerate(runs(make, n))], t)


def table(nulls="some", n=N):
    return pa.table({k: column(k, nulls, n) for k in COLUMNS})


TABLES = {k: table(k) for k in NULLS}
NOT_NULL = pa.table(TABLES["none"].columns,
                    schema=pa.schema([f.with_nullable(False) for f in TABLES["none"].schema]))

for nulls, t in TABLES.items():
    for version in ("1.0", "2.0"):
        for dictionary in (True, False):
            @tap.check(f"every type, nulls: {nulls}, pages {version}, dictionary {dictionary}")
            def _():
                pq.write_table(t, "t.parquet", data_page_version=version, data_page_size=900,
                               use_dictionary=dictionary, row_group_size=600,
                               write_page_checksum=True)
                same("t.parquet")
                same("t.parquet", "-j", "1", BP_BATCH_ROWS="1")
                same("t.parquet", "-j", "3", BP_BATCH_ROWS="7")


@tap.check("columns that cannot be NULL")
def _():
    pq.write_table(NOT_NULL, "t.parquet", row_group_size=700)
    same("t.parquet")


ENCODINGS = {
    "DELTA_BINARY_PACKED": "i32 i64 date ts_us ts_ns time_us u32 u64 i8",
    "DELTA_LENGTH_BYTE_ARRAY": "text words bytes",
    "DELTA_BYTE_ARRAY": "text words bytes fixed dec38",
    "BYTE_STREAM_SPLIT": "f32 f64 i32 i64 fixed dec15",
    "RLE": "bool",
    "PLAIN": "bool text i64 fixed",
}
for encoding, kinds in ENCODINGS.items():
    @tap.check(f"{encoding}: {kinds}")
    def _():
        for nulls, t in TABLES.items():
            part = t.select(kinds.split())
            for size in (400, 1 << 20):
                pq.write_table(part, "t.parquet", use_dictionary=False, data_page_size=size,
                               data_page_version="2.0" if encoding == "RLE" else "1.0",
                               column_encoding={k: encoding for k in kinds.split()})
                same("t.parquet")


for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    @tap.check(f"codec {codec}")
    def _():
        for version in ("1.0", "2.0"):
            pq.write_table(TABLES["some"], "t.parquet", compression=codec,
                           data_page_version=version, write_page_checksum=True)
            same("t.parquet")


@tap.check("INT96 timestamps, decimals in integers, no Arrow schema")
def _():
    pq.write_table(TABLES["some"].select(["ts_us", "ts_ns"]), "t.parquet",
                   use_deprecated_int96_timestamps=True)
    same("t.parquet")
    pq.write_table(TABLES["some"].select(["dec5", "dec15"]), "t.parquet",
                   store_decimal_as_integer=True)
    same("t.parquet")
    pq.write_table(TABLES["some"].drop_columns(["f16"]), "t.parquet", store_schema=False)
    same("t.parquet")


@tap.check("no rows, no columns asked for, row groups without rows")
def _():
    pq.write_table(TABLES["some"].slice(0, 0), "t.parquet")
    same("t.parquet")
    with pq.ParquetWriter("t.parquet", TABLES["some"].schema) as w:
        for n in (3, 0, 0, 5, 0):
            w.write_table(TABLES["some"].slice(n, n))
    same("t.parquet")
    pq.write_table(TABLES["some"], "t.parquet")
    p = subprocess.run([os.path.join(BIN, "bp-reduce"), "count(*) AS n", "t.parquet"],
                       capture_output=True)
    assert ipc.open_stream(p.stdout).read_all().to_pylist() == [{"n": N}], p.stderr


@tap.check("-c takes columns in its order")
def _():
    t = TABLES["some"].select(["i32", "text", "f64"])
    pq.write_table(t, "t.parquet")
    same("t.parquet", "-c", "f64, i32", want=t.select(["f64", "i32"]))


@tap.check("a text that is all codes stays a dictionary on the stream, another does not")
def _():
    t = TABLES["some"].select(["words", "text"])
    pq.write_table(t, "t.parquet", use_dictionary=["words"], row_group_size=400)
    got = rows("t.parquet")
    assert pa.types.is_dictionary(got.column("words").type), got.schema
    assert pa.types.is_string(got.column("text").type), got.schema
    same("t.parquet")


@tap.check("tasks take row groups: together they are the table")
def _():
    for i in (0, 1):
        pq.write_table(TABLES["some"].slice(i * 700, 700), f"{i}.parquet", row_group_size=99)
    for n in (1, 3, 40):
        parts = [rows("[01].parquet", "-T", BP_TASK=f"{i}/{n}") for i in range(n)]
        got = pa.concat_tables(pa.table([plain(c) for c in p.columns], p.column_names)
                               for p in parts)
        want = TABLES["some"].slice(0, 1400)
        for k in ("i64", "text", "words", "dec38", "bool"):
            assert got.column(k).to_pylist() == want.column(k).to_pylist(), (n, k)


@tap.check("files of Polars and DuckDB")
def _():
    t = TABLES["some"].drop_columns(["f16", "dec38"])
    for codec in ("snappy", "zstd", "lz4", "uncompressed"):
        pl.from_arrow(t).write_parquet("t.parquet", compression=codec, row_group_size=500)
        same("t.parquet")
        duckdb.sql(f"COPY t TO 't.parquet' (FORMAT parquet, COMPRESSION {codec})")
        same("t.parquet")
        duckdb.sql(f"COPY t TO 't.parquet' (FORMAT parquet, COMPRESSION {codec}, "
                   "PARQUET_VERSION V2)")
        same("t.parquet")


@tap.check("-w leaves out row groups by their statistics, and no row of the answer")
def _():
    n, size = 6000, 500
    t = pa.table({
        "ramp": pa.array(range(n), pa.int64()),
        "down": pa.array([None if i % 7 == 0 else -i // 3 for i in range(n)], pa.int32()),
        "f": pa.array([float("nan") if i % 900 == 5 else i / 8 for i in range(n)], pa.float64()),
        "d": pa.array([decimal.Decimal(i).scaleb(-2) for i in range(n)], pa.decimal128(9, 2)),
        "dd": pa.array([decimal.Decimal(i - 3000).scaleb(-2) for i in range(n)],
                       pa.decimal128(30, 2)),
        "day": pa.array([DAY + dt.timedelta(i // 100) for i in range(n)], pa.date32()),
        "ts": pa.array([i * 10**9 for i in range(n)], pa.timestamp("us")),
        "t": pa.array([f"é{i:05}" for i in range(n)]),
        "u": pa.array([2**31 - 3000 + i for i in range(n)], pa.uint32()),
        "none": pa.nulls(n, pa.int64()),
        "b": pa.array([i > 3000 for i in range(n)]),
    })
    pq.write_table(t, "t.parquet", row_group_size=size)
    pq.write_table(t, "plain.parquet", row_group_size=size, write_statistics=False)
    data = open("t.parquet", "rb").read()
    for g in range(n // size):
        bad = bytearray(data)
        for i in range(t.num_columns):
            at = pq.ParquetFile("t.parquet").metadata.row_group(g).column(i).data_page_offset
            bad[at:at + 4] = bytes(4)
        with open(f"bad{g}.parquet", "wb") as f:
            f.write(bad)
    db = duckdb.connect()
    db.register("t", t)
    clauses = {
        "ramp = 4321": 1, "4321 = ramp": 1, "ramp < 700": 2, "700 > ramp": 2, "ramp >= 5500": 1,
        "ramp BETWEEN 990 AND 1010": 2, "ramp < 10 OR ramp > 5990": 2, "ramp = -1": 0,
        "down >= -20": 1, "down = -1000": 2, "f < 5": 1, "f = 100.5": 2, "f > 700": 12,
        "d = 12.34": 1, "d > 59": 1, "dd < -29": 1, "dd = 0": 1, "day = '1970-01-10'": 1,
        "ts < '1970-01-01 01:00:00'": 1, "ts >= timestamp '1970-03-10 00:00:00'": 1,
        "t = 'é04000'": 1, "t < 'é00100'": 1, "t > 'f'": 12, "u > 2147483648": 6,
        "none = 3": 12, "b": 12, "b = true": 6, "NOT ramp > 10": 12, "ramp <> 10": 12,
        "ramp % 1000 = 1": 12, "ramp > 5000 AND f < 1000": 2, "ramp < down": 12,
    }
    for clause, groups in clauses.items():
        want = db.execute(f"SELECT ramp FROM t WHERE {clause} ORDER BY ramp").fetchall()
        for path in ("t.parquet", "plain.parquet"):
            got = rows(path, "-w", clause)
            # DuckDB has NaN above all numbers, as we do
            assert got["ramp"].to_pylist() == [r[0] for r in want], (clause, path, len(got))
        # a row group that is read shows when it is damaged; a dictionary may rule out more
        n_read = sum(bp_read(f"bad{g}.parquet", "-w", clause).returncode for g in range(n // size))
        assert n_read <= groups, (clause, n_read, groups)


def spoil(path, to, columns, groups):
    """A copy in which these column chunks cannot be read."""
    meta = pq.ParquetFile(path).metadata
    with open(path, "rb") as f:
        bad = bytearray(f.read())
    for g in groups:
        for i in range(meta.num_columns):
            if meta.schema.column(i).name in columns:
                c = meta.row_group(g).column(i)
                at = c.dictionary_page_offset or c.data_page_offset
                bad[at:at + 4] = bytes(4)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with open(to, "wb") as f:
        f.write(bad)


@tap.check("of several files, too, only wanted columns and row groups are read")
def _():
    t = pa.table({"a": list(range(1000)), "b": list(range(1000)), "c": ["x"] * 1000})
    for i in range(3):
        pq.write_table(t, "t.parquet", row_group_size=100)
        spoil("t.parquet", f"many/{i}.parquet", ["b"], range(10))
        spoil("t.parquet", f"parts/day={i}/x.parquet", ["a", "b", "c"], range(1, 10))
    for path in ("many/*.parquet", "many"):
        got = rows(path, "-c", "c, a")
        assert got.column_names == ["c", "a"] and got["a"].to_pylist() == list(range(1000)) * 3
        p = subprocess.run([os.path.join(BIN, "bp-reduce"), "sum(a) AS s", path],
                           capture_output=True)
        assert p.returncode == 0, p.stderr
    assert bp_read("many").returncode == 1
    got = rows("parts", "-w", "a < 100 AND day <> '1' AND day IS NOT NULL")
    assert sorted(set(got["day"].to_pylist())) == ["0", "2"] and got.num_rows == 200
    p = subprocess.run([os.path.join(BIN, "bp-filter"), "a < 100", "parts"], capture_output=True)
    assert p.returncode == 0 and ipc.open_stream(p.stdout).read_all().num_rows == 300, p.stderr
    # a directory's value decides for its file: only that of day 2 has more groups to read
    assert bp_read("parts", "-w", "day = '7'").returncode == 0
    assert bp_read("parts", "-w", "day = '2'").returncode == 1


@tap.check("the real sample")
def _():
    path = os.path.join(DATA, "yellow_tripdata_sample.parquet")
    if os.path.exists(path):
        same(path)


# ---- damage ----

def refused(path):
    p = bp_read(path, "-j", "1")
    assert p.returncode in (0, 1), f"exit {p.returncode}: {p.stderr.decode()[-300:]}"
    if p.returncode == 1:
        assert p.stderr.count(b"\n") == 1, p.stderr.decode()
    return p.returncode == 1


@tap.check("a file that was cut is refused")
def _():
    pq.write_table(TABLES["some"].slice(0, 300), "t.parquet")
    data = open("t.parquet", "rb").read()
    for n in sorted(R.sample(range(4, len(data)), 60)):
        with open("cut.parquet", "wb") as f:
            f.write(data[:n])
        assert refused("cut.parquet"), n


@tap.check("flipped bytes are refused, or change values, and never crash")
def _():
    for codec in ("none", "snappy"):
        pq.write_table(TABLES["some"].slice(0, 300), "t.parquet", compression=codec,
                       write_page_checksum=False)
        data = open("t.parquet", "rb").read()
        n_refused = 0
        for _ in range(250):
            bad = bytearray(data)
            for _ in range(R.choice([1, 1, 4])):
                bad[R.randrange(4, len(bad))] = R.randrange(256)
            with open("bad.parquet", "wb") as f:
                f.write(bad)
            n_refused += refused("bad.parquet")
        assert n_refused > 30, n_refused


@tap.check("few bytes that stand for many are refused where memory is small")
def _():
    t = pa.table({"t": ["x" * 1000000 + str(i) for i in range(30)]})
    for encoding in ("DELTA_BYTE_ARRAY", None):  # shared beginnings; a dictionary's values
        if not encoding:
            t = pa.table({"t": pa.array([b"y" * 1000000] * 30, pa.binary())})
        pq.write_table(t, "t.parquet", use_dictionary=not encoding,
                       column_encoding=encoding and {"t": encoding})
        p = bp_read("t.parquet", "--mem", "16M")
        assert p.returncode == 1 and b"under this --mem" in p.stderr, p.stderr
        same("t.parquet", "--mem", "1G")


@tap.check("with checksums, no flipped byte in a page goes by")
def _():
    pq.write_table(TABLES["some"].select(["i64", "text"]), "t.parquet", write_page_checksum=True,
                   use_dictionary=False)
    meta = pq.ParquetFile("t.parquet").metadata.row_group(0).column(1)
    data = open("t.parquet", "rb").read()
    for at in R.sample(range(meta.data_page_offset + 60, meta.data_page_offset + 4000), 30):
        bad = bytearray(data)
        bad[at] ^= 1 << R.randrange(8)
        with open("bad.parquet", "wb") as f:
            f.write(bad)
        p = bp_read("bad.parquet")
        assert p.returncode == 1 and b"checksum" in p.stderr, (at, p.stderr)


sys.exit(tap.done())
