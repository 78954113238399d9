# SPDX-License-Identifier: Apache-2.0
"""Avro container files: Polars' and, for what Polars does not write, bytes by the specification. Prints TAP."""

import datetime
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import polars as pl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = pathlib.Path(os.environ["BP_BUILD"]) / "bin"
os.chdir(tempfile.mkdtemp(prefix="bp-avro-"))


def sh(script):
    env = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode()


def long(v):
    v = (v << 1) ^ (v >> 63)
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def text(s):
    s = s if isinstance(s, bytes) else s.encode()
    return long(len(s)) + s


MARK = bytes(range(16))


def make(name, types, blocks, codec=None, sized=False):
    """types: (name, type) each; blocks: (number of rows, their bytes) each."""
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in types]}
    entries = [text("avro.schema") + text(json.dumps(schema))] + ([text("avro.codec") + text(codec)] if codec else [])
    head = b"Obj\x01"
    for e in entries:  # each in a block of its own, with its size or without
        head += (long(-1) + long(len(e)) if sized else long(1)) + e
    out = head + long(0) + MARK
    for n, rows in blocks:
        if codec == "deflate":
            z = zlib.compressobj(9, zlib.DEFLATED, -15)
            rows = z.compress(rows) + z.flush()
        out += long(n) + long(len(rows)) + rows + MARK
    pathlib.Path(name).write_bytes(out)
    return out


def refused(name, part, types, blocks, codec=None):
    make("bad.avro", types, blocks, codec)
    code, out, err = sh("bp-read bad.avro | bp-write out.csv")
    tap.claim(name, code == 1 and part in err and not os.path.exists("out.csv"), f"{code} {err}")


N = 20000
frame = pl.DataFrame({
    "i": pl.Series([(k * 7919) % 1000 - 500 if k % 11 else None for k in range(N)], dtype=pl.Int32),
    "l": pl.Series([(-1) ** k * k ** 4 * 50 for k in range(N)], dtype=pl.Int64),
    "f": pl.Series([k / 8 for k in range(N)], dtype=pl.Float32),
    "d": [k / 3 if k % 5 else None for k in range(N)],
    "b": [k % 3 == 0 if k % 7 else None for k in range(N)],
    "s": [f"a,\u00e9{k % 100}" if k % 13 else None for k in range(N)],
    "day": [datetime.date(1960, 1, 1) + datetime.timedelta(days=k) for k in range(N)],
})
frame.write_parquet("want.parquet")
for codec in ("uncompressed", "deflate", "snappy"):
    frame.write_avro(f"{codec}.avro", compression=codec)
    tap.same(f"what Polars writes, {codec}: types and values", sh(
        f"cmp <(bp-read {codec}.avro | bp-write) <(bp-read want.parquet | bp-write) && "
        f"cmp <(bp-schema --sql {codec}.avro) <(bp-schema --sql want.parquet)"), (0, "", ""))
tap.same("several files, -c and -w", sh("bp-read -c l -w 'l > 7000000000000000000' *.avro | bp-reduce 'count(*) AS n' | bp-write"),
         (0, f"n\n{3 * frame.filter(pl.col('l') > 7 * 10 ** 18).height}\n", ""))

TYPES = [
    ("date", {"type": "int", "logicalType": "date"}),
    ("t3", {"type": "int", "logicalType": "time-millis"}), ("t6", {"type": "long", "logicalType": "time-micros"}),
    ("z3", {"type": "long", "logicalType": "timestamp-millis"}), ("z6", ["null", {"type": "long", "logicalType": "timestamp-micros"}]),
    ("l3", {"type": "long", "logicalType": "local-timestamp-millis"}), ("l6", {"type": "long", "logicalType": "local-timestamp-micros"}),
    ("dec", [{"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2}, "null"]),
    ("fix", {"type": "fixed", "name": "F", "size": 3, "logicalType": "decimal", "precision": 5, "scale": 3}),
    ("u", {"type": "string", "logicalType": "uuid"}), ("e", {"type": "enum", "name": "E", "symbols": ["RED", "BLUE"]}),
    ("e2", ["null", "E"]), ("raw", "bytes"), ("one", ["int"]),
]
nested = pl.DataFrame({
    "n": list(range(3000)),
    "list": [None if k % 7 == 0 else [v if v % 3 else None for v in range(k % 5)] for k in range(3000)],
    "st": [None if k % 11 == 0 else {"x": k, "t": None if k % 2 else f"v{k}", "l": [k / 4] * (k % 3)} for k in range(3000)],
    "sts": [[{"day": datetime.date(2000, 1, 1) + datetime.timedelta(days=k), "b": k % 3 == 1}] * (k % 4) for k in range(3000)],
})
nested.write_parquet("nested.parquet")
nested.write_avro("nested.avro", compression="deflate")
tap.same("lists and structs as Polars writes them", sh(
    "cmp <(bp-read nested.avro | bp-write -f jsonl) <(bp-read nested.parquet | bp-write -f jsonl) && "
    "cmp <(bp-schema --sql nested.avro) <(bp-schema --sql nested.parquet)"), (0, "", ""))

COLOUR = {"type": "enum", "name": "E", "symbols": ["RED", "BLUE"]}
make("hand.avro", [
    ("m", {"type": "map", "values": ["null", "long"]}),
    ("p", {"type": "record", "name": "P", "namespace": "geo", "fields": [
        {"name": "x", "type": "int"}, {"name": "e", "type": COLOUR}, {"name": "deep", "type": {"type": "array", "items": {
            "type": "array", "items": "string"}}}]}),
    ("e", {"type": "enum", "name": "E", "symbols": ["LEFT", "RIGHT"]}),
    ("q", ["null", "geo.P"]), ("e2", "E"), ("e3", "geo.E"),
], [(2,
     long(1) + text("a") + long(1) + long(5) + long(-2) + long(99) + text("b") + long(0) + text("") + long(1) + long(-1) + long(0)
     + long(-7) + long(1) + long(2) + long(0) + long(1) + text("t") + long(0) + long(0)
     + long(1) + long(0) + long(1) + long(0)
     + long(0)
     + long(8) + long(0) + long(0) + long(0)
     + long(1) + long(9) + long(1) + long(0) + long(1) + long(1))])
tap.same("maps, lists of lists, records by name, blocks with their size, names by namespace", sh(
    "bp-read hand.avro | bp-write -f jsonl"), (0, (
        '{"m":[{"key":"a","value":5},{"key":"b","value":null},{"key":"","value":-1}],'
        '"p":{"x":-7,"e":"BLUE","deep":[[],["t"]]},"e":"RIGHT","q":null,"e2":"RIGHT","e3":"RED"}\n'
        '{"m":[],"p":{"x":8,"e":"RED","deep":[]},"e":"LEFT","q":{"x":9,"e":"BLUE","deep":[]},"e2":"RIGHT","e3":"BLUE"}\n'), ""))
big = 10 ** 38 - 1
# z6 has a branch in front of its value; l3 and l6 have none
ROWS = [
    long(-1) + long(1500) + long(86399999999) + long(-1) + long(1) + long(10 ** 6) + long(-1500) + long(-1500000)
    + long(0) + text((-big).to_bytes(17, "big", signed=True)) + (-12345).to_bytes(3, "big", signed=True)
    + text("00000000-0000-0000-0000-000000000001") + long(1) + long(1) + long(0) + text(b"\x00\xff") + long(0) + long(-2 ** 31),
    long(19723) + long(0) + long(0) + long(0) + long(0) + long(0) + long(0) + long(1) + b"\x00\x00\x07" + text("") + long(0)
    + long(0) + text(b"") + long(0) + long(2 ** 31 - 1),
]
WANT = ("date,t3,t6,z3,z6,l3,l6,dec,fix,u,e,e2,raw,one\n"
        "1969-12-31,00:00:01.5,23:59:59.999999,1969-12-31 23:59:59.999+00,1970-01-01 00:00:01+00,1969-12-31 23:59:58.5,"
        "1969-12-31 23:59:58.5,-999999999999999999999999999999999999.99,-12.345,00000000-0000-0000-0000-000000000001,BLUE,"
        "RED,\\x00ff,-2147483648\n"
        "2024-01-01,00:00:00,00:00:00,1970-01-01 00:00:00+00,,1970-01-01 00:00:00,1970-01-01 00:00:00,,0.007,\"\",RED,,\\x,2147483647\n")
for codec, sized in ((None, False), ("null", True), ("deflate", False)):
    whole = make("all.avro", TYPES, [(1, ROWS[0]), (0, b""), (1, ROWS[1])], codec, sized)
    tap.same(f"logical types, unions, enums, fixed; codec {codec}", sh("bp-read all.avro | bp-write"), (0, WANT, ""))
make("none.avro", TYPES[:2], [])
tap.same("no blocks", sh("bp-read none.avro | bp-write"), (0, "date,t3\n", ""))

LONG = [("a", "long")]
refused("another union", "column a: it is a union of other things", [("a", ["int", "string"])], [])
refused("a record of nothing", "column a: it is a record without fields",
        [("a", ["null", {"type": "record", "name": "x", "fields": []}])], [])
refused("a record that names itself", "column a: its type contains itself", [("a", ["null", "r"])], [])
refused("one that does in a list", "column a: its type contains itself",
        [("a", {"type": "record", "name": "x", "fields": [{"name": "f", "type": {"type": "array", "items": "x"}}]})], [])
doubling = [("a", {"type": "record", "name": "r0", "fields": [{"name": "f", "type": "int"}]})] + [
    (f"a{k}", {"type": "record", "name": f"r{k}", "fields": [{"name": n, "type": f"r{k - 1}"} for n in "fg"]})
    for k in range(1, 40)]
refused("types that double", "more than 10000 types", doubling, [])
deep = "int"
for _ in range(200):
    deep = {"type": "array", "items": deep}
refused("types too deep", "column a: its types are too deep", [("a", deep)], [])
refused("a name of another namespace", "column b: Avro's type 'E' is not read",
        [("a", {"type": "enum", "name": "E", "namespace": "n", "symbols": ["X"]}), ("b", "E")], [])
refused("another codec", "compressed by 'lzma9'", LONG, [], "lzma9")
refused("decimals too wide", "more than 38 digits", [("a", {"type": "bytes", "logicalType": "decimal", "precision": 39})], [])
refused("a list of too many items", "row 1: column a: damaged Avro file: a list of more items",
        [("a", {"type": "array", "items": "int"})], [(1, long(2 ** 40))])
refused("a list whose number has no opposite", "row 1: column a: damaged Avro file: a list of more items",
        [("a", {"type": "array", "items": "int"})], [(1, long(-2 ** 63) + long(1))])
refused("a list without an end", "row 1: column a: damaged Avro file: the block ends",
        [("a", {"type": "array", "items": "int"})], [(1, long(1) + long(3))])
refused("too few rows", "block 1 has bytes behind its rows", LONG, [(1, long(1) + long(2))])
refused("too many rows", "row 3: column a: damaged", LONG, [(3, long(1) + long(-70))])
refused("many rows of nothing", "fewer bytes than rows", LONG, [(2 ** 62, b"")])
refused("an int beyond 32 bits", "beyond 32 bits", [("a", "int")], [(1, long(2 ** 31))])
refused("a decimal of too many digits", "more digits than are declared",
        [("a", {"type": "bytes", "logicalType": "decimal", "precision": 2})], [(1, text(b"\x64"))])
refused("text that is not UTF-8", "row 1: column a: it is not valid UTF-8", [("a", "string")], [(1, text(b"\xff"))])
refused("a text longer than its block", "row 1: column a: damaged", [("a", "string")], [(1, long(2 ** 62) + b"x")])
refused("a time beyond the day", "not within a day", [TYPES[1]], [(1, long(86400000))])
refused("a branch that is none", "its union does not have", [("a", ["null", "long"])], [(1, long(2) + long(1))])
refused("a symbol that is none", "its enum does not have", [TYPES[10]], [(1, long(2))])

head = len(make("h.avro", TYPES, [], codec, sized))
ends, odd = {head, len(whole)}, []
first = make("f.avro", TYPES, [(1, ROWS[0])], codec, sized)
ends |= {len(first), len(make("f.avro", TYPES, [(1, ROWS[0]), (0, b"")], codec, sized))}
for n in sorted(set(range(5, len(whole), 37)) | set(range(head - 3, len(whole) + 1, 5)) | ends):
    pathlib.Path("cut.avro").write_bytes(whole[:n])
    code, out, err = sh("bp-read cut.avro | bp-write out.csv")
    if (code == 0) != (n in ends) or code not in (0, 1) or os.path.exists("out.csv") != (code == 0) or err.count("\n") > 2:
        odd.append((n, code, err))
    pathlib.Path("out.csv").unlink(missing_ok=True)
tap.same("cut anywhere but between blocks: refused, nothing written", odd, [])

snappy = pathlib.Path("snappy.avro").read_bytes()
at = snappy.index(b"avro.codec")
odd = []
for data, span in ((whole, range(0, len(whole), 17)), (snappy, range(at, len(snappy), len(snappy) // 25))):
    for n in span:
        pathlib.Path("hurt.avro").write_bytes(data[:n] + bytes([data[n] ^ 0x55]) + data[n + 1:])
        p = subprocess.run([BIN.parent / "libexec/batchpipe/bp-avro", "read", "hurt.avro", ""], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if p.returncode not in (0, 1) or p.stderr.count(b"\n") > 1:
            odd.append((n, p.returncode, p.stderr))
tap.same("a hurt byte: a line and 1, or other values; no crash", odd, [])
sys.exit(tap.done())
