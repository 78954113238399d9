#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Directories by value against pyarrow and DuckDB, both ways. TAP."""
import datetime as dt
import decimal
import os
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.csv  # noqa: F401: pa.csv
import pyarrow.dataset as ds
import pyarrow.ipc as ipc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
os.chdir(tempfile.mkdtemp(prefix="hive."))
TEXTS = ["a", "", None, "..", ".", "x/y", "n\nl", "%2e", "q\"'", "a=b", "sp ace", "ü", "\\", "{}[]^?*#",
         "_s", ".h", "\x01\x7f", "+", "%", "%4", "NULL", "nan"]


def sort(rows):
    return sorted(rows, key=repr)


def run(argv, stdin=None):
    argv = [os.path.join(BIN, argv[0])] + argv[1:]
    return subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, check=True).stdout


def stream(table):
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as w:
        w.write_table(table)
    return sink.getvalue().to_pybytes()


def ours(*argv):
    return sort(ipc.open_stream(run(["bp-read", *argv])).read_all().to_pylist())


def texts():
    n = len(TEXTS) * 3
    return pa.table({"v": pa.array(range(n), pa.int64()), "t": pa.array([TEXTS[i % len(TEXTS)] for i in range(n)]),
                     "w": pa.array([f"row {i}" if i % 4 else None for i in range(n)])})


def rivals(table):
    """What pyarrow and DuckDB read of what we wrote, and what we do."""
    want = sort(table.to_pylist())
    for f, rival in (("csv", "csv"), ("arrow", "ipc"), ("parquet", "parquet"), ("jsonl", None)):
        run(["bp-write", "-f", f, "--by", "t", f], stream(table))
        tap.equal(f"bp-read: {f}, odd texts as values", ours("-c", "v,t,w", f), want)
        if not rival:
            continue
        part = ds.partitioning(pa.schema([("t", pa.string())]), flavor="hive")
        read = ds.dataset(f, format=rival, partitioning=part)
        if f == "csv":
            read = ds.dataset(f, partitioning=part, format=ds.CsvFileFormat(
                convert_options=pa.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)))
        tap.equal(f"pyarrow: {f}", sort(read.to_table(columns=["v", "t", "w"]).to_pylist()), want)
    for f, call in (("csv", "read_csv('csv/*/*.csv', header = true, hive_partitioning = true, hive_types_autocast = false)"),
                    ("parquet", "read_parquet('parquet/*/*.parquet', hive_partitioning = true, hive_types_autocast = false)")):
        rows = duckdb.sql(f"select v, t, w from {call}").fetchall()
        tap.equal(f"DuckDB: {f}", sort(dict(zip(("v", "t", "w"), r)) for r in rows), want)


def types():
    """Columns of many types come back as they were, by the list in _SUCCESS."""
    n = 60
    utc = dt.timezone.utc
    pick = lambda values: [values[i % len(values)] for i in range(n)]
    table = pa.table({
        "v": pa.array(range(n), pa.int64()),
        "d": pa.array(pick([dt.date(2024, 2, 29), dt.date(1, 1, 1), None, dt.date(9999, 12, 31)])),
        "ts": pa.array(pick([dt.datetime(2024, 1, 1, 12, 30), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), None]),
                       pa.timestamp("us")),
        "tz": pa.array(pick([dt.datetime(2024, 1, 1, tzinfo=utc), None]), pa.timestamp("us", "UTC")),
        "b": pa.array(pick([True, False, None])), "i": pa.array(pick([-1, 2**31 - 1, None]), pa.int32()),
        "f": pa.array(pick([0.1, float("inf"), 1e-5, None]), pa.float64()),
        "m": pa.array(pick([decimal.Decimal("1.50"), decimal.Decimal("-0.05"), None]), pa.decimal128(10, 2)),
        "x": pa.array(pick([b"\x00\xff", b"", None]), pa.binary())})
    for column in table.column_names[1:]:
        for f in ("jsonl", "arrow"):
            out = f"types-{f}-{column}"
            run(["bp-write", "-f", f, "--by", column, out], stream(table))
            read = ipc.open_stream(run(["bp-read", "-c", ",".join(table.column_names), out])).read_all()
            tap.equal(f"{f} by {column} {table.schema.field(column).type}", sort(read.to_pylist()), sort(table.to_pylist()))
            if read.schema.types != table.schema.types:
                tap.equal(f"the types of {out}", read.schema.types, table.schema.types)


def theirs(table):
    """What pyarrow and DuckDB write, read by us."""
    want = sort(table.to_pylist())
    ds.write_dataset(table, "pa", format="parquet", partitioning=ds.partitioning(
        pa.schema([("t", pa.string())]), flavor="hive"))
    tap.equal("pyarrow's parquet dataset", ours("-c", "v,t,w", "pa"),
          want)
    con = duckdb.connect()
    con.register("src", table)
    con.sql("copy (select v, w, v % 7 as k, date '2024-01-01' + (v % 3)::int as d from src) to 'duck' "
            "(format csv, header, partition_by (k, d))")
    got = ours("-s", "v bigint, w text, k smallint, d date", "-c", "v,k,d", "duck")
    tap.equal("DuckDB's csv, types declared", got,
          sort({"v": v, "k": v % 7, "d": dt.date(2024, 1, 1 + v % 3)} for v in range(table.num_rows)))


rivals(texts())
types()
theirs(texts())
sys.exit(tap.done())
