# SPDX-License-Identifier: Apache-2.0
"""bp-read -w on Parquet files: what is left out must not be missed. TAP.

Files of pyarrow, DuckDB, Polars and bp-write, with and without page index, dictionaries
and Bloom filters, sorted and not, with pages of few rows: every condition must give the
rows that DuckDB gives, for any batch size and number of threads. Then the point of it:
how many bytes of a file are read where few rows pass.

    BP_PYTHON tests/pipe/parquet_prune.py        prints TAP
"""
import datetime as dt
import decimal
import os
import random
import re
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import polars as pl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.path.abspath(os.environ.get("BP_BUILD", "build")), "bin")
os.chdir(tempfile.mkdtemp(prefix="parquet_prune."))


def bp_read(path, *args, **env):
    p = subprocess.run([os.path.join(BIN, "bp-read"), *args, path], capture_output=True,
                       timeout=120, env={**os.environ, **env})
    assert p.returncode == 0, p.stderr.decode()
    return ipc.open_stream(p.stdout).read_all()


# ---- tables ----

def table(n, seed, is_sorted):
    r = random.Random(seed)
    ids = list(range(n)) if is_sorted else [r.randrange(n) for _ in range(n)]
    some = lambda v, p: None if r.random() < p else v  # noqa: E731
    return pa.table({
        "id": pa.array(ids, pa.int64()),
        "small": pa.array([some(i // 500 % 40, 0.1) for i in ids], pa.int16()),
        "name": pa.array([some(f"n{r.randrange(30)}", 0.2) for _ in ids], pa.string()),
        "token": pa.array([f"{r.randrange(10**9):x}-{i}" for i in ids], pa.string()),
        "x": pa.array([r.choice([float("nan"), -0.0, 0.0, 1.5, float(i)]) for i in ids]),
        "money": pa.array([some(i * 3 % 10007, 0.05) for i in ids], pa.int64())
                 .cast(pa.decimal128(20, 0)).cast(pa.decimal128(12, 2), safe=False),
        "day": pa.array([i // 100 for i in ids], pa.int32()).cast(pa.date32()),
        "late": pa.array([i if i > n * 0.7 else None for i in ids], pa.int32()),
        "rest": pa.array([f"row {i} of the table" for i in range(n)], pa.string()),
    })


def arrow_stream(t):
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, t.schema) as w:
        w.write_table(t)
    return sink.getvalue().to_pybytes()


def bp_write(t, path, *args):
    p = subprocess.run([os.path.join(BIN, "bp-write"), *args, path], input=arrow_stream(t),
                       capture_output=True, timeout=120)
    assert p.returncode == 0, p.stderr.decode()


N = 20000
files = []
for name, is_sorted in (("sorted", True), ("mixed", False)):
    t = table(N, 7, is_sorted)
    f = f"pyarrow_{name}"
    for kind, opts in (("index", dict(write_page_index=True, data_page_size=2048,
                                      row_group_size=7000)),
                       ("plain", dict(use_dictionary=False, write_page_index=True,
                                      data_page_size=4096, data_page_version="2.0")),
                       ("none", dict(write_statistics=False, data_page_size=2048,
                                     row_group_size=9000))):
        pq.write_table(t, f"{f}_{kind}.parquet", **opts)
        files.append(f"{f}_{kind}.parquet")
    pl.from_arrow(t).write_parquet(f"polars_{name}.parquet", data_page_size=4096)
    duckdb.from_arrow(t).write_parquet(f"duckdb_{name}.parquet", row_group_size=4096)
    bp_write(t, f"bp_{name}.parquet", "--row-group-rows", "6000")
    bp_write(t, f"bp_{name}_bloom.parquet", "--row-group-rows", "6000", "--bloom",
             "id,small,name,token,money,day,late")
    files += [f"polars_{name}.parquet", f"duckdb_{name}.parquet", f"bp_{name}.parquet",
              f"bp_{name}_bloom.parquet"]

CONDITIONS = [
    "id = 12345", "id between 3000 and 3050", "id < 10", "id > 19990 or id < 5", "id = -1",
    "small = 7", "small is null and id < 100", "small in (1, 2, 3, 4, 5, 6, 7)",
    "name = 'n3' and id < 2000", "name = 'nowhere'", "name like '%9' and id between 100 and 900",
    "name is null and id > 19000", "name is not null and id > 19950", "name <> 'n1' and id < 50",
    "coalesce(name, 'none') = 'none' and id < 700",
    "x = 0 and id < 300", "x > 15000", "x = 'NaN' and id < 100",
    "money = 300.00", "money > 10000", "day = '1970-03-01'", "day in ('1970-01-05')",
    "late is null and id < 20", "late = 15000", "late is not null and late < 14010",
    "token like 'a%' and id < 3000", "id % 5000 = 17", "not (id > 10)",
    "id in (1, 2, 3, 500, 501, 19999, 12, 77777)", "name in ('n1', 'x', 'y', 'z', 'w') and id < 99",
]


def key(row):
    return tuple((v is not None, str(v)) for v in row)


def rows(t):
    return sorted((tuple(r.values()) for r in t.to_pylist()), key=key)


for f in files:
    @tap.check(f"{f}: each condition gives the rows that DuckDB gives")
    def _(f=f):
        # DuckDB reads the file as written; it compares floats as we do
        whole = pq.read_table(f)  # noqa: F841: the query names it
        for i, w in enumerate(CONDITIONS):
            want = duckdb.sql(f"select id, rest, name from whole where {w}").to_arrow_table()
            env = [{}, {"BP_BATCH_ROWS": "100"}, {"BP_JOBS": "1", "BP_BATCH_ROWS": "1000"}][i % 3]
            have = bp_read(f, "-c", "id, rest, name", "-w", w, **env)
            assert rows(have) == rows(want), f"{w}: {have.num_rows} rows, not {want.num_rows}"


@tap.check("rows come in the order of the file, and the same bytes whatever the batches")
def _():
    for f in ("bp_mixed.parquet", "pyarrow_mixed_index.parquet"):
        outs = set()
        for env in ({}, {"BP_BATCH_ROWS": "64"}, {"BP_JOBS": "1"}):
            t = bp_read(f, "-w", "id % 900 = 5", **env)
            outs.add(str(t.column("rest").to_pylist()))
        assert len(outs) == 1
        at = [int(v.split()[1]) for v in t.column("rest").to_pylist()]
        assert at == sorted(at) and at


def typed(n):
    r = random.Random(5)
    return pa.table({
        "u64": pa.array([r.randrange(2**64) for _ in range(n)], pa.uint64()),
        "u8": pa.array([i // 20 % 256 for i in range(n)], pa.uint8()),
        "i8": pa.array([i // 20 % 256 - 128 for i in range(n)], pa.int8()),
        "b": pa.array([i < n // 2 for i in range(n)]),
        "bin": pa.array([bytes([i // 20 % 256, 200]) for i in range(n)]),
        "ts": pa.array([dt.datetime(2020, 1, 1) + dt.timedelta(hours=i) for i in range(n)],
                       pa.timestamp("ns")),
        "tms": pa.array([i * 1000 for i in range(n)], pa.time32("ms")),
        "d38": pa.array([decimal.Decimal(i - n // 2) * 10**20 for i in range(n)],
                        pa.decimal128(38, 2)),
        "d5": pa.array([decimal.Decimal(i - n // 2) / 100 for i in range(n)],
                       pa.decimal128(7, 2)),
        "f": pa.array([(i - n // 2) / 7 for i in range(n)], pa.float32()),
        "list": [[i] for i in range(n)],
        "row": pa.array(range(n)),
    })


@tap.check("every type: pages, dictionaries and Bloom filters leave out no row that bp-filter keeps")
def _():
    t = typed(5000)
    pq.write_table(t, "typed_1.parquet", write_page_index=True, data_page_size=256,
                   row_group_size=2000)
    pq.write_table(t, "typed_2.parquet", write_page_index=True, data_page_size=256,
                   use_dictionary=False, store_decimal_as_integer=True)
    flat = t.drop_columns(["list"])
    bp_write(flat, "typed_3.parquet", "--row-group-rows", "900", "--bloom",
             "u64, u8, i8, bin, ts, tms, d38, d5, f")
    whole = arrow_stream(flat)
    for w in (f"u64 = {t['u64'][77].as_py()}", "u64 > 18000000000000000000", "u8 = 200",
              "u8 > 240", "u8 in (1, 2, 3, 4, 5, 6, 7)", "i8 = -128", "i8 < -100 and u8 < 3",
              "b and row > 2400", "not b and row < 2510", "bin = '\\x05c8'::bytea",
              "ts between '2020-03-01' and '2020-03-02'", "tms = '00:00:07'",
              "d38 = -250000000000000000000000", "d38 > 249000000000000000000000",
              "d5 = -24.99", "d5 in (1.00, 2.00, 3.00, 4.00, 5.00, 6.00)", "f > 356", "f = 0",
              "row is not null and row < 3", "true", "row = row and row < 2"):
        p = subprocess.run([os.path.join(BIN, "bp-filter"), w], input=whole, capture_output=True)
        assert p.returncode == 0, p.stderr.decode()
        want = ipc.open_stream(p.stdout).read_all()["row"].to_pylist()
        assert want, w
        for i in (1, 2, 3):
            have = bp_read(f"typed_{i}.parquet", "-c", "row, d5", "-w", w)["row"].to_pylist()
            assert have == want, f"typed_{i}: {w}: {len(have)} rows, not {len(want)}"
    tasks = [bp_read("typed_1.parquet", "-c", "row", "-w", "row % 7 = 3", "--task", f"{i}/3")
             for i in range(3)]
    assert sum((x["row"].to_pylist() for x in tasks), []) == list(range(3, 5000, 7))


@tap.check("Hive directories: a condition over both kinds of columns")
def _():
    os.makedirs("hive/k=1")
    os.makedirs("hive/k=2")
    for k, f in ((1, "pyarrow_sorted_index.parquet"), (2, "bp_mixed_bloom.parquet")):
        os.link(f, f"hive/k={k}/a.parquet")
    whole = pa.concat_tables([pq.read_table(f).append_column("k", pa.array([k] * N))  # noqa: F841
                              for k, f in ((1, "pyarrow_sorted_index.parquet"),
                                           (2, "bp_mixed_bloom.parquet"))])
    for w in ("k = '1' and id < 50", "k = '2' and name = 'n4' and id < 4000", "k = '3'",
              "id between 7 and 70", "k is null", "k || name = '2n4' and small = 3"):
        want = duckdb.sql(f"select id, rest, name from whole where {w}").to_arrow_table()
        have = bp_read("hive", "-c", "id, rest, name", "-w", w)
        assert rows(have) == rows(want), f"{w}: {have.num_rows} rows, not {want.num_rows}"


# ---- what is read ----

def bytes_of(*argv):
    """What read() and pread() gave to a process, by the kernel's count."""
    p = subprocess.Popen([os.path.join(BIN, "bp-read"), *argv], stdout=subprocess.DEVNULL)
    os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)  # it is gone, its account still there
    with open(f"/proc/{p.pid}/io") as f:
        n = int(next(line for line in f if line.startswith("rchar")).split()[1])
    assert p.wait() == 0
    return n


def bytes_read(path, *args):
    """Of the file: a sanitizer reads much to start."""
    return bytes_of("-j", "1", *args, path) - bytes_of("--version")


def wide(n):
    r = random.Random(3)
    return pa.table({"a": pa.array(range(n), pa.int64())} |
                    {f"c{i}": pa.array([r.randrange(10**9) for _ in range(n)], pa.int64())
                     for i in range(49)})


@tap.check("one column of fifty: under 4 % of the file; a few of its rows: far less")
def _():
    t = wide(60000)
    pq.write_table(t, "wide.parquet", use_dictionary=False, write_page_index=True,
                   data_page_size=16384)
    bp_write(t, "wide_bp.parquet", "--row-group-rows", "20000")
    for f in ("wide.parquet", "wide_bp.parquet"):
        size = os.path.getsize(f)
        base = bytes_read(f, "-c", "a", "-w", "a < 0")  # start-up, footer
        n = bytes_read(f, "-c", "a", "-w", "a >= 0")
        assert n < 0.04 * size, f"{f}: {n} of {size} bytes"
        assert base < 0.015 * size, f"{f}: {base} of {size} bytes where no row can pass"
    few = bytes_read("wide.parquet", "-w", "a = 31000")
    assert few < 0.25 * os.path.getsize("wide.parquet"), f"{few} bytes for one row"


@tap.check("a Bloom filter spares the row groups that lack the value")
def _():
    n = bytes_read("bp_mixed_bloom.parquet", "-w", "token = '5e5-5000'")
    size = os.path.getsize("bp_mixed_bloom.parquet")
    plain = bytes_read("bp_mixed.parquet", "-w", "token = '5e5-5000'")
    assert n < plain / 3, f"{n} bytes of {size}, {plain} without a filter"


@tap.check("a count of pages that counts none says nothing of a dictionary that fell back")
def _():
    t = pa.table({"t": [f"v{i * 7919 % 20000:07d}" for i in range(20000)]})
    pq.write_table(t, "fell.parquet", dictionary_pagesize_limit=20000, data_page_size=8000,
                   write_batch_size=500, compression="none")
    with open("fell.parquet", "rb") as f:
        data = f.read()
    size = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - size:-8]
    # encoding_stats: a list of structs (page type, encoding, count) becomes an empty one
    counts = re.compile(rb"\x19[\x1c\x2c\x3c\x4c]((?:\x15[\x00-\x7f]\x15[\x00-\x7f]\x15"
                        rb"(?:[\x80-\xff]+[\x00-\x7f]|[\x00-\x7f])\x00)+)")
    assert len(counts.findall(footer)) == 1
    footer = counts.sub(b"\x19\x0c", footer)
    with open("fell.parquet", "wb") as f:
        f.write(data[:-8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert bp_read("fell.parquet", "-w", "t = 'v0000001'").num_rows == 1
    assert bp_read("fell.parquet", "-w", "t > 'v0019990'").num_rows == 9


sys.exit(tap.done())
