#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our stream and file against pyarrow, Polars and chdb, both ways. TAP.

usage: ipc_interop.py IPC_CAT [work directory]

Every table goes from one of their writers through ipc_cat (our reader and our
writer) and must come out with its values unchanged, read by all three. Then
damage: a stream cut at any byte is refused, a flipped byte never crashes.
"""
import datetime as dt
import decimal
import io
import os
import struct
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

try:
    import polars as pl
except ImportError:
    pl = None
try:
    import chdb
except ImportError:
    chdb = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

CAT = (os.path.abspath(sys.argv[1]) if len(sys.argv) > 1
       else os.path.join(os.environ["BP_BUILD"], "pipe", "ipc_cat"))
WORK = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="ipc_interop.")


decimal.getcontext().prec = 60


def cat(data, *args):
    return subprocess.run([CAT, *args], input=data, capture_output=True, timeout=120)


def through(data, *args):
    p = cat(data, *args)
    assert p.returncode == 0, f"exit {p.returncode}: {p.stderr.decode()}"
    assert p.stderr == b"", p.stderr.decode()
    return p.stdout


def stream(table, chunk=None, **options):
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as w:
        w.write_table(table, max_chunksize=chunk)
    return sink.getvalue()


def file_bytes(table, chunk=None, **options):
    sink = io.BytesIO()
    with ipc.new_file(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as w:
        w.write_table(table, max_chunksize=chunk)
    return sink.getvalue()


def read(data):
    t = ipc.open_stream(data).read_all()
    t.validate(full=True)
    return t


def same(got, want):
    assert got.column_names == want.column_names, f"{got.column_names} != {want.column_names}"
    assert got.num_rows == want.num_rows, f"{got.num_rows} rows, not {want.num_rows}"
    for i, name in enumerate(want.column_names):
        a, b = got.column(i).to_pylist(), want.column(i).to_pylist()
        if a != b and repr(a) != repr(b):  # repr: NaN
            bad = next(k for k in range(len(a)) if repr(a[k]) != repr(b[k]))
            raise AssertionError(f"{name} row {bad}: {a[bad]!r} != {b[bad]!r}")


# ---- tables ----

N = 1003
EOS = b"\xff\xff\xff\xff\0\0\0\0"


def holes(values, every=7):
    return [None if i % every == 3 else v for i, v in enumerate(values)]


def ints(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [low, high] + [low + (i * 7919) % (high - low) for i in range(N - 2)]


def column_types():
    out = {"bool": pa.array(holes([i % 3 == 0 for i in range(N)]), pa.bool_())}
    for bits in (8, 16, 32, 64):
        out[f"int{bits}"] = pa.array(holes(ints(bits, True)), getattr(pa, f"int{bits}")())
        out[f"uint{bits}"] = pa.array(holes(ints(bits, False)), getattr(pa, f"uint{bits}")())
    floats = [float("nan"), float("inf"), -0.0] + [i / 3 for i in range(N - 3)]
    out["float32"] = pa.array(holes(floats), pa.float32())
    out["float64"] = pa.array(holes(floats), pa.float64())
    money = [decimal.Decimal(i * 37 - 9000).scaleb(-2) for i in range(N)]
    out["decimal128"] = pa.array(holes(money), pa.decimal128(38, 2))
    for digits in (9, 18, 19, 38):
        edge = decimal.Decimal(10**digits - 1).scaleb(-2)
        out[f"decimal of {digits} digits"] = pa.array(
            holes([edge, -edge, *(v % edge for v in money[2:])]), pa.decimal128(digits, 2))
    out["date32"] = pa.array(holes([i * 11 - 5000 for i in range(N)]), pa.date32())
    for unit in ("s", "ms", "us", "ns"):
        t = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
        out[f"time_{unit}"] = pa.array(holes([i * 13 for i in range(N)]), t)
        stamps = [i * 86_461 - 10**7 for i in range(N)]
        out[f"timestamp_{unit}"] = pa.array(holes(stamps), pa.timestamp(unit))
        out[f"instant_{unit}"] = pa.array(holes(stamps), pa.timestamp(unit, "UTC"))
    out["text"] = pa.array(holes([f"zone {i} é\U0001f68c"[: i % 12] for i in range(N)]))
    out["binary"] = pa.array(holes([bytes([255, i % 256]) * (i % 5) for i in range(N)]), pa.binary())
    out["dictionary"] = pa.array(holes([f"k{i % 11}" for i in range(N)])).dictionary_encode()
    out["interval"] = pa.array(holes([(i, -i, i * 10**9) for i in range(N)]),
                               pa.month_day_nano_interval())
    return out


TYPES = column_types()
ALL = pa.table(TYPES)
COMMON = ALL.drop_columns(["interval"])  # Polars and chdb have no such interval

# ---- pyarrow ----

for name, col in TYPES.items():
    @tap.check(f"pyarrow: {name} with nulls goes through unchanged, type and values")
    def _():
        t = pa.table({name: col})
        got = read(through(stream(t, chunk=400)))
        same(got, t)
        assert got.schema.field(0).type == t.schema.field(0).type, got.schema


@tap.check("pyarrow: a column without nulls, and one of nulls only")
def _():
    t = pa.table({"full": pa.array(range(N)), "none": pa.array([None] * N, pa.string()),
                  "nothing": pa.array([None] * N, pa.decimal128(9, 2))})
    same(read(through(stream(t))), t)


@tap.check("what we wrote, we read and write again: the same bytes")
def _():
    one = through(stream(ALL, chunk=100))
    assert through(one) == one
    assert through(stream(ALL, chunk=1)) == one, "inner batches show"
    assert through(stream(ALL, chunk=937)) == one, "inner batches show"


@tap.check("wider types come in as ours: large, views, date64, small decimals, intervals, zones")
def _():
    text = holes([f"value number {i}" for i in range(N)])
    raw = [None if v is None else v.encode() for v in text]
    days = holes([i * 86_400_000 for i in range(-500, N - 500)])
    cents = holes([decimal.Decimal(i).scaleb(-2) for i in range(N)])
    t = pa.table({
        "large": pa.array(text, pa.large_string()), "view": pa.array(text, pa.string_view()),
        "large_b": pa.array(raw, pa.large_binary()), "view_b": pa.array(raw, pa.binary_view()),
        "fixed": pa.array(holes([struct.pack("<i", i) for i in range(N)]), pa.binary(4)),
        "date64": pa.array(days, pa.date64()),
        "d32": pa.array(cents, pa.decimal32(9, 2)), "d64": pa.array(cents, pa.decimal64(18, 2)),
        "berlin": pa.array(holes(list(range(N))), pa.timestamp("us", "Europe/Berlin")),
    })
    got = read(through(stream(t)))
    want = t.set_column(8, "berlin", t["berlin"].cast(pa.timestamp("us", "UTC")))
    same(got, want)
    assert [str(f.type) for f in got.schema] == [
        "string", "string", "binary", "binary", "binary", "date32[day]", "decimal128(9, 2)",
        "decimal128(18, 2)", "timestamp[us, tz=UTC]"], got.schema


@tap.check("empty batches, an empty table, a table without columns")
def _():
    sink = io.BytesIO()
    with ipc.new_stream(sink, ALL.schema) as w:
        for part in (ALL.slice(0, 0), ALL.slice(0, 9), ALL.slice(9, 0), ALL.slice(9, 5)):
            for b in part.to_batches() or [pa.RecordBatch.from_pylist([], schema=ALL.schema)]:
                w.write_batch(b)
    same(read(through(sink.getvalue())), ALL.slice(0, 14))
    same(read(through(stream(ALL.slice(0, 0)))), ALL.slice(0, 0))
    none = pa.table({"x": range(70_001)}).select([])
    assert none.num_rows == 70_001
    got = ipc.open_stream(through(stream(none)))
    assert sum(b.num_rows for b in got) == 70_001


@tap.check("sliced arrays, at every kind of offset")
def _():
    for start, n in ((1, 9), (3, 500), (8, 64), (N - 1, 1), (5, 0)):
        same(read(through(stream(ALL.slice(start, n)))), ALL.slice(start, n))


@tap.check("dictionaries: every index type, null values, unused ones, replacement")
def _():
    values = pa.array(["a", None, "c", "unused"])
    for t in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        codes = pa.array([0, 1, None, 2, 2, 0], getattr(pa, t)())
        tab = pa.table({"k": pa.DictionaryArray.from_arrays(codes, values)})
        assert read(through(stream(tab))).column(0).to_pylist() == ["a", None, None, "c", "c", "a"], t
    sink = io.BytesIO()
    schema = pa.schema([("k", pa.dictionary(pa.int32(), pa.string()))])
    want = []
    with ipc.new_stream(sink, schema) as w:
        for i in range(40):
            part = [f"v{i * 3 + j}" for j in range(5)] + [None]
            want += part
            w.write_batch(pa.record_batch([pa.array(part).dictionary_encode()], schema=schema))
    assert read(through(sink.getvalue())).column(0).to_pylist() == want
    large = pa.array(["x", "y", None, "x"] * 9, pa.large_string()).dictionary_encode()
    numbers = pa.array([5, 6, None, 5] * 9, pa.int64()).dictionary_encode()
    t = pa.table({"large": large, "numbers": numbers})
    same(read(through(stream(t))), t)


@tap.check("a dictionary that never comes is none where all rows are null")
def _():
    data = stream(pa.table({"k": pa.array([None] * 5, pa.dictionary(pa.int32(), pa.string()))}))
    first = 8 + struct.unpack_from("<i", data, 4)[0]
    r = ipc.MessageReader.open_stream(pa.py_buffer(data[first:]))
    dictionary = r.read_next_message()
    assert dictionary.type == "dictionary", dictionary.type
    sink = pa.BufferOutputStream()
    r.read_next_message().serialize_to(sink)
    got = read(through(data[:first] + sink.getvalue().to_pybytes() + EOS))
    assert got["k"].to_pylist() == [None] * 5


@tap.check("a dictionary that outgrows its bound begins afresh")
def _():
    words = [f"{i}-{'x' * 40}" for i in range(150_000)]
    t = pa.table({"k": pa.array(words).dictionary_encode(), "n": pa.array(range(150_000))})
    data = through(stream(t, chunk=10_000))
    same(read(data), t)
    assert through(stream(t, chunk=60_000)) == data


@tap.check("compressed bodies: lz4 and zstd, compressible or not")
def _():
    noise = pa.table({"r": pa.array([os.urandom(50) for _ in range(500)], pa.binary()),
                      "z": pa.array([0] * 500), "s": pa.array(["tip"] * 500)})
    for codec in ("lz4", "zstd"):
        same(read(through(stream(ALL, chunk=300, compression=codec))), ALL)
        same(read(through(stream(noise, compression=codec))), noise)


@tap.check("metadata and NOT NULL are kept")
def _():
    schema = pa.schema([pa.field("a", pa.int32(), nullable=False), pa.field("b", pa.string())],
                       metadata={"who": "me"})
    got = read(through(stream(pa.table({"a": [1, 2], "b": ["x", None]}, schema=schema))))
    assert got.schema.field("a").nullable is False and got.schema.field("b").nullable is True
    assert got.schema.metadata[b"who"] == b"me", got.schema.metadata


@tap.check("batches end where the rule says: 65,536 rows or 1 MiB of values")
def _():
    narrow = pa.table({"x": pa.array(range(200_000), pa.int32())})
    sizes = [b.num_rows for b in ipc.open_stream(through(stream(narrow, chunk=1000)))]
    assert sizes == [65_536] * 3 + [200_000 - 3 * 65_536, 0], sizes
    wide = pa.table({"s": pa.array(["x" * 100] * 50_000)})
    sizes = [b.num_rows for b in ipc.open_stream(through(stream(wide, chunk=777)))]
    full = -(-(1 << 20) // 104)
    assert sizes == [full] * (50_000 // full) + [50_000 % full, 0], sizes


# ---- files ----


@tap.check("files: theirs are read, ours are read by them, dictionaries in one piece")
def _():
    src, dst = os.path.join(WORK, "in.arrow"), os.path.join(WORK, "out.arrow")
    for options in ({}, {"compression": "lz4"}):
        with open(src, "wb") as f:
            f.write(file_bytes(ALL, chunk=300, unify_dictionaries=True, **options))
        through(b"", "file", src, dst)
        got = ipc.open_file(dst).read_all()
        got.validate(full=True)
        same(got, ALL)
        same(read(through(b"", "from-file", dst)), ALL)
    words = pa.table({"k": pa.array([f"{i % 70_000}-{'y' * 20}" for i in range(100_000)]).dictionary_encode()})
    through(stream(words, chunk=9999), "to-file", dst)
    same(ipc.open_file(dst).read_all(), words)
    same(read(through(b"", "from-file", dst)), words)
    if pl:
        assert pl.read_ipc_stream(io.BytesIO(through(b"", "from-file", dst)))["k"].to_list() == words["k"].to_pylist()
        assert pl.read_ipc(dst)["k"].to_list() == words["k"].to_pylist()


@tap.check("files: empty ones, and ones without columns")
def _():
    dst = os.path.join(WORK, "none.arrow")
    for t in (ALL.slice(0, 0), pa.table({"x": range(9)}).select([])):
        through(stream(t), "to-file", dst)
        got = ipc.open_file(dst)
        assert sum(got.get_batch(i).num_rows for i in range(got.num_record_batches)) == t.num_rows
        through(b"", "from-file", dst)


@tap.check("only the wanted columns, in the wanted order, from streams and files")
def _():
    want = ALL.select([20, 0, ALL.schema.get_field_index("dictionary")])
    names = ",".join(str(ALL.schema.get_field_index(c)) for c in want.column_names)
    same(read(through(stream(ALL, chunk=99), "-c", names)), want)
    src = os.path.join(WORK, "in.arrow")
    big = pa.concat_tables([ALL] * 50).unify_dictionaries().combine_chunks()
    for options in ({}, {"compression": "zstd"}):
        with open(src, "wb") as f:
            f.write(file_bytes(big, **options))
        same(read(through(b"", "-c", names, "from-file", src)),
             pa.concat_tables([want] * 50).unify_dictionaries())


# ---- Polars, chdb ----

if pl:
    @tap.check("Polars reads ours: stream and file, every type it has")
    def _():
        t = COMMON
        data = through(stream(t, chunk=400))
        got = pl.read_ipc_stream(io.BytesIO(data))
        for c in t.column_names:
            if pa.types.is_time(t[c].type) or pa.types.is_dictionary(t[c].type):
                continue  # Polars has time in ns only: compared below
            same(pa.table({c: got[c].to_arrow()}),
                 pa.table({c: t[c].cast(got[c].to_arrow().type)}))
        for c in ("time_s", "time_ms", "time_us", "dictionary"):
            assert got[c].to_list() == t[c].to_pylist(), c
        dst = os.path.join(WORK, "pl.arrow")
        through(data, "to-file", dst)
        assert pl.read_ipc(dst).equals(got)

    @tap.check("Polars' streams go through unchanged: views, categoricals, large text, compression")
    def _():
        frame = pl.from_arrow(COMMON).with_columns(
            pl.col("text").cast(pl.Categorical).alias("cat"),
            pl.col("text").fill_null("-").cast(pl.Enum(pl.Series(["-"] + sorted(
                set(COMMON["text"].drop_null().to_pylist()))).unique(maintain_order=True))).alias("enum"))
        for compression in ("uncompressed", "lz4", "zstd"):
            for compat in (pl.CompatLevel.newest(), pl.CompatLevel.oldest()):
                sink = io.BytesIO()
                frame.write_ipc_stream(sink, compression=compression, compat_level=compat)
                data = through(sink.getvalue())
                got = pl.read_ipc_stream(io.BytesIO(data))
                for c in frame.columns:
                    assert repr(got[c].to_list()) == repr(frame[c].to_list()), c
                read(data)
else:
    tap.skip("Polars", "not installed")

if chdb:
    CH = ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 decimal128 date32 "
          "timestamp_s timestamp_ms timestamp_us timestamp_ns instant_s instant_ms instant_us instant_ns "
          "text dictionary").split()  # it writes binary as text that is not UTF-8: refused

    def clickhouse(data, query, fmt):
        path = os.path.join(WORK, "ch.arrows")
        with open(path, "wb") as f:
            f.write(data)
        return chdb.query(query.format(f"file('{path}', 'ArrowStream')"), fmt).bytes()

    @tap.check("chdb reads ours and its own stream of it goes through unchanged")
    def _():
        t = ALL.select(CH)
        data = through(stream(t, chunk=400))
        back = clickhouse(data, "select * from {}", "ArrowStream")
        again = read(through(back))
        same(again, read(back))
        assert again.num_rows == N
        for c in ("int64", "uint64", "decimal128", "date32"):
            assert again[c].to_pylist() == t[c].to_pylist(), c
        assert [None if v is None else v if isinstance(v, str) else v.decode()
                for v in again["text"].to_pylist()] == t["text"].to_pylist()
        total = clickhouse(data, "select sum(int32), count(), uniqExact(dictionary) from {}", "CSV")
        want = f"{sum(v for v in t['int32'].to_pylist() if v is not None)},{N},11\n"
        assert total.decode().strip() == want.strip(), f"{total} != {want}"
else:
    tap.skip("chdb", "not installed")

# ---- what is not read says so ----

REFUSED = {
    "duration": pa.array([1, None], pa.duration("s")), "null": pa.array([None, None]),
    "float16": pa.array([1.0, None], pa.float16()),
    "decimal256": pa.array([decimal.Decimal(1), None], pa.decimal256(40, 0)),
    "run_end_encoded": pc.run_end_encode(pa.array([1, 1])),
}
for name, col in REFUSED.items():
    @tap.check(f"refused, naming the column and the type: {name}")
    def _():
        p = cat(stream(pa.table({"fine": [1, 2], "the column": col})))
        text = p.stderr.decode()
        assert p.returncode == 1, p.returncode
        assert "'the column'" in text and name in text and text.count("\n") == 1, text


@tap.check("deltas of dictionaries and V4 streams and files are read")
def _():
    sink = io.BytesIO()
    schema = pa.schema([("k", pa.dictionary(pa.int32(), pa.string())),
                        ("n", pa.dictionary(pa.int32(), pa.int64()))])
    texts, numbers = ["a", None, "b", "c", "a"], [7, 8, None, 9, 7]
    with ipc.new_stream(sink, schema, options=ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as w:
        for i in range(1, 6):
            cols = [pa.DictionaryArray.from_arrays(pa.array([i - 1, 0], pa.int32()), pa.array(v[:i], t))
                    for v, t in ((texts, pa.string()), (numbers, pa.int64()))]
            w.write_batch(pa.record_batch(cols, schema=schema))
    got = read(through(sink.getvalue()))
    assert got["k"].to_pylist() == [x for v in texts for x in (v, "a")], got["k"]
    assert got["n"].to_pylist() == [x for v in numbers for x in (v, 7)], got["n"]
    for options in ({}, {"use_legacy_format": True}):
        options["metadata_version"] = ipc.MetadataVersion.V4
        old = stream(ALL, chunk=100, **options)
        same(read(through(old)), read(through(stream(ALL, chunk=100))))
        assert cat(old + old).stdout == cat(stream(ALL, chunk=100) * 2).stdout
        for cut in (len(old) - 4, len(old) - 1):
            assert cat(old[:cut]).returncode == 1
        src = os.path.join(WORK, "v4.arrow")
        with open(src, "wb") as f:
            f.write(file_bytes(ALL.unify_dictionaries(), **options))
        same(read(through(b"", "from-file", src)), ALL)
    assert cat(stream(ALL)[:-8] + bytes(8)).returncode == 1, "zeros are an end mark of V5"


@tap.check("refused: NULL in a NOT NULL column, text that is not UTF-8, a bad index")
def _():
    bad = {
        "NOT NULL": stream(pa.table({"a": pa.array([1, None])},
                                    schema=pa.schema([pa.field("a", pa.int64(), nullable=False)]))),
        "UTF-8": stream(pa.table({"a": pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(struct.pack("<ii", 0, 2)), pa.py_buffer(b"a\xff")])})),
        "dictionary of 1": stream(pa.table({"a": pa.DictionaryArray.from_arrays(
            pa.array([0, 1], pa.int8()), pa.array(["x"]), safe=False)})),
    }
    for what, data in bad.items():
        p = cat(data)
        assert p.returncode == 1 and what in p.stderr.decode(), f"{what}: {p.stderr.decode()}"


# ---- ends ----

SMALL = ALL.select(["int32", "text", "dictionary", "bool"]).slice(0, 20)
OWN = through(stream(SMALL, chunk=7))
assert OWN.endswith(EOS)


def refused(data, *texts):
    p = cat(data)
    assert p.returncode == 1, f"exit {p.returncode}"
    assert len(p.stderr.splitlines()) == 1, p.stderr.decode()
    for text in texts:
        assert text in p.stderr.decode(), p.stderr.decode()
    try:
        ipc.open_stream(p.stdout).read_all()
    except (pa.ArrowInvalid, OSError):
        return
    raise AssertionError("what came out reads as a whole stream")


def decimals(kind, second, nulls):
    """Three of 5 digits but for the second, which is null if nulls."""
    n = kind.bit_width // 8
    data = b"".join(v.to_bytes(n, "little", signed=True) for v in (125, second, -99999))
    valid = bytes([0b101]) if nulls else None
    return pa.table({"d": pa.Array.from_buffers(
        kind, 3, [valid and pa.py_buffer(valid), pa.py_buffer(data)])})


@tap.check("a decimal of more digits than its type says is refused by its column; a null's is not seen")
def _():
    want = [decimal.Decimal("1.25"), None, decimal.Decimal("-999.99")]
    for kind in (pa.decimal32(5, 2), pa.decimal64(5, 2), pa.decimal128(5, 2)):
        for wrong in (100000, -100000, 2**30, 2**62, -2**63, 2**64 + 7, -2**64):
            if -2**(kind.bit_width - 1) <= wrong < 2**(kind.bit_width - 1):
                assert read(through(stream(decimals(kind, wrong, True))))["d"].to_pylist() == want
                refused(stream(decimals(kind, wrong, False)), "column 'd'", "row 1", "decimal(5,2)")


# (every byte: tests/unit/ipc_stream_test.c)
@tap.check("a stream of ours that is cut is refused, and so is what came out of it")
def _():
    for n in {*range(0, len(OWN), 37), *range(len(OWN) - 9, len(OWN))}:
        refused(OWN[:n], "ended early")


@tap.check("a foreign stream that is cut is refused")
def _():
    data = stream(SMALL, chunk=9)
    for n in {*range(0, len(data), 37), *range(len(data) - 9, len(data))}:
        p = cat(data[:n])
        assert p.returncode == 1, f"{n} of {len(data)} bytes pass"


@tap.check("whole batches dropped, trailer kept or lost: refused")
def _():
    refused(OWN[:-8] + OWN[:0], "ended early")
    schema_end = 8 + struct.unpack_from("<i", OWN, 4)[0]
    refused(OWN[:schema_end] + EOS, "trailer")


@tap.check("an abort mark passes its reason on, at any place where a message may stand")
def _():
    why = b"bp-read: trips.csv:7: 'x' is not a number"
    mark = struct.pack("<IiI", 0xFFFFFFFF, -2, len(why)) + why
    for data in (mark, OWN[:-8] + mark, OWN + mark):
        p = cat(data)
        assert p.returncode == 1 and p.stderr.decode().strip() == why.decode(), p.stderr
        if p.stdout:
            assert p.stdout.endswith(mark), "the reason does not go on"


@tap.check("streams behind each other are one table; other bytes behind EOS are refused by place")
def _():
    same(read(through(OWN * 3)), pa.concat_tables([SMALL] * 3).unify_dictionaries())
    large = SMALL.set_column(1, "text", SMALL["text"].cast(pa.large_string()))
    same(read(through(OWN + stream(large))), pa.concat_tables([SMALL] * 2).unify_dictionaries())
    refused(OWN + b"more", f"byte {len(OWN)}")
    refused(OWN + stream(ALL), "other columns", f"byte {len(OWN)}")


@tap.check("marks: tasks' shares stay apart, sorted and unsorted do not mix")
def _():
    def marked(table, **meta):
        return through(stream(table), *(a for k, v in meta.items() for a in ("-m", f"bp.{k}={v}")))
    shares = [marked(SMALL.slice(i * 5, 5), task=f"{i}/4") for i in range(4)]
    out = io.BytesIO(through(b"".join(shares)))
    for i in range(4):
        r = ipc.open_stream(out)
        assert r.schema.metadata[b"bp.task"] == f"{i}/4".encode(), r.schema.metadata
        same(r.read_all(), SMALL.slice(i * 5, 5))
    dst = os.path.join(WORK, "united.arrow")
    through(b"".join(shares), "to-file", dst)
    assert b"bp.task" not in ipc.open_file(dst).schema.metadata
    p = cat(b"".join(shares[:3]), "to-file", dst)
    assert p.returncode == 1 and "3 of 4 shares" in p.stderr.decode(), p.stderr
    through(shares[2], "to-file", dst)
    assert ipc.open_file(dst).schema.metadata[b"bp.task"] == b"2/4"
    by_int = marked(SMALL, sorted="int32")
    same(read(through(by_int)), SMALL)
    p = cat(by_int + OWN)
    assert p.returncode == 1 and "sorted" in p.stderr.decode(), p.stderr
    foreign = stream(SMALL.replace_schema_metadata({"bp.sorted": "int32"}))
    p = cat(foreign)
    assert p.returncode == 1 and "trailer" in p.stderr.decode(), p.stderr


@tap.check("a flipped byte never crashes; a claim of 1 TiB costs no memory")
def _():
    data = stream(SMALL.slice(0, 5))
    for base in (data, through(data)):
        for i in range(0, len(base), 29):
            p = cat(base[:i] + bytes([base[i] ^ (1 << i % 8)]) + base[i + 1:])
            assert p.returncode in (0, 1), f"byte {i}: exit {p.returncode}: {p.stderr.decode()[:500]}"
    path = os.path.join(WORK, "flip.arrow")
    base = file_bytes(SMALL.slice(0, 5))
    for i in range(0, len(base), 29):
        with open(path, "wb") as f:
            f.write(base[:i] + bytes([base[i] ^ (1 << i % 8)]) + base[i + 1:])
        p = cat(b"", "from-file", path)
        assert p.returncode in (0, 1), f"file byte {i}: exit {p.returncode}: {p.stderr.decode()[:500]}"


sys.exit(tap.done())
