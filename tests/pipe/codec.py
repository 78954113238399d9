#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compressed streams: frames that threads decode against Python's own codecs, and bombs. TAP."""
import bz2
import gzip
import json
import lzma
import os
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
SANITIZED = "/san-" in os.environ["BP_BUILD"]
os.environ["PATH"] = BIN + ":" + os.environ["PATH"]
os.chdir(tempfile.mkdtemp(prefix="codec.", dir=os.environ.get("TMPDIR")))
MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def sh(text):
    return subprocess.run(text, shell=True, capture_output=True, executable="/bin/bash")


def must(text):
    r = sh(text)
    if r.returncode:
        raise AssertionError(f"{text}: exits {r.returncode}: {r.stderr.decode()}")
    return r.stdout


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


def block(data, level=6):
    """A block of BGZF."""
    z = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = z.compress(data) + z.flush()
    return (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(body) + 25) + body
            + struct.pack("<II", zlib.crc32(data), len(data)))


def bgzf(data, level=6, size=0xff00):
    return b"".join(block(data[i:i + size], level) for i in range(0, len(data), size)) + MARKER


def csv(n):
    return b"id,t,v\n" + b"".join(b"%d,text %d,%d.25\n" % (i, i * 7919 % n, i % 1000) for i in range(n))


PLAIN = csv(150000)
put("plain.csv", PLAIN)
THREADS = (1, 2, 4)


def reads_equal(path):
    for j in THREADS:
        got = must(f"bp-read -j {j} {path} | bp-write")
        assert got == PLAIN, f"{path} -j {j}: {len(got)} bytes, not {len(PLAIN)}"


def refused(path, words):
    """With every number of threads in the same one line."""
    said = set()
    for j in THREADS:
        r = sh(f"bp-read -j {j} {path} >/dev/null")
        assert r.returncode == 1, f"{path} -j {j}: exits {r.returncode}"
        said.add(r.stderr)
    assert len(said) == 1, said
    text = said.pop().decode()
    assert text.count("\n") == 1 and path in text, text
    for w in words:
        assert w in text, f"no {w!r} in {text}"


@tap.check("BGZF of every level and block size is read with any number of threads")
def _():
    for level in (0, 1, 6, 9):
        put("x.csv.gz", bgzf(PLAIN, level))
        reads_equal("x.csv.gz")
    for size in (1000, 65536 - 100):
        put("x.csv.gz", bgzf(PLAIN, 6, size))
        reads_equal("x.csv.gz")


@tap.check("BGZF and other members of gzip mix, markers in the middle too")
def _():
    a, b = len(PLAIN) // 3, len(PLAIN) // 2
    for parts in ((bgzf(PLAIN[:a]), gzip.compress(PLAIN[a:b]), bgzf(PLAIN[b:])),
                  (gzip.compress(PLAIN[:a]), bgzf(PLAIN[a:b])[:-28], gzip.compress(PLAIN[b:])),
                  (bgzf(PLAIN[:a]), bgzf(b""), bgzf(PLAIN[a:]), bytes(1000))):
        put("x.csv.gz", b"".join(parts))
        assert gzip.decompress(b"".join(parts)) == PLAIN
        reads_equal("x.csv.gz")


@tap.check("BGZF that is cut, damaged or followed by other bytes is refused, and so is a missing marker")
def _():
    whole = bgzf(PLAIN)
    put("x.csv.gz", whole[:-28])
    refused("x.csv.gz", [f"compressed byte {len(whole) - 28}", "without its end marker"])
    put("x.csv.gz", whole[:-40])
    refused("x.csv.gz", ["ends early"])
    put("x.csv.gz", whole[:len(whole) // 2])
    refused("x.csv.gz", ["ends early"])
    put("x.csv.gz", whole + b"PK")
    refused("x.csv.gz", [f"compressed byte {len(whole)}", "behind its end"])
    hurt = bytearray(whole)
    hurt[len(hurt) // 2] ^= 0x10
    put("x.csv.gz", bytes(hurt))
    refused("x.csv.gz", ["the gzip data is damaged"])


def zstd_frames(size, *how):
    out = b""
    for i in range(0, len(PLAIN), size):
        put("piece", PLAIN[i:i + size])
        out += must("zstd -qc " + " ".join(how) + " piece")
    return out


@tap.check("frames of zstd that tell their size, those that do not and skippable ones mix")
def _():
    frames = zstd_frames(300000)
    skippable = struct.pack("<II", 0x184D2A5E, 100) + bytes(100)
    for data in (frames, skippable + frames + skippable, must("zstd -qc <plain.csv"),
                 zstd_frames(len(PLAIN) // 2 + 1, "--no-check")):
        put("x.csv.zst", data)
        reads_equal("x.csv.zst")
    put("x.csv.zst", frames[:-3])
    refused("x.csv.zst", ["ends early"])
    hurt = bytearray(frames)
    hurt[len(hurt) // 2] ^= 0x10
    put("x.csv.zst", bytes(hurt))
    refused("x.csv.zst", ["the zstd data is damaged"])


@tap.check("what we compress is the same for any -j and --mem, and other programs read it")
def _():
    must("bp-read plain.csv >plain.arrows")
    for suffix, unpack in (("gz", "gzip -dc"), ("zst", "zstd -qdc")):
        made = set()
        for how in ("-j 1", "-j 2", "-j 4", "--mem 16M"):
            must(f"bp-write {how} out.csv.{suffix} <plain.arrows")
            with open("out.csv." + suffix, "rb") as f:
                made.add(f.read())
        assert len(made) == 1, suffix
        assert must(f"{unpack} out.csv.{suffix}") == PLAIN
        assert must(f"bp-write --codec {'gzip' if suffix == 'gz' else 'zstd'} <plain.arrows") in made
        reads_equal("out.csv." + suffix)
    with open("out.csv.gz", "rb") as f:
        data = f.read()
    assert gzip.decompress(data) == PLAIN and data.endswith(MARKER)
    at = 0
    while at < len(data):  # every block tells its length, and is a member by itself
        size = struct.unpack_from("<H", data, at + 16)[0] + 1
        assert data[at:at + 4] == b"\x1f\x8b\x08\x04" and data[at + 12:at + 16] == b"BC\x02\0"
        assert len(zlib.decompress(data[at:at + size], 31)) <= 0xff00
        at += size
    assert must("zstd -lv out.csv.zst | grep -c '^# Zstandard Frames: 1'") == b"1\n"


@tap.check("pyarrow, Polars, DuckDB and pandas read what we compress")
def _():
    import duckdb
    import pandas
    import polars
    import pyarrow.csv
    n, total = 150000, sum(i * 7919 % 150000 for i in range(150000))
    for path in ("out.csv.gz", "out.csv.zst"):
        assert pyarrow.csv.read_csv(path).num_rows == n, path
        assert polars.read_csv(path)["t"].str.slice(5).cast(polars.Int64).sum() == total, path
        got = duckdb.sql(f"select count(*), sum(substr(t, 6)::bigint) from read_csv('{path}')").fetchall()
        assert got == [(n, total)], f"{path}: {got}"
    assert len(pandas.read_csv("out.csv.gz")) == n


# ---- bombs: little that becomes much ----

ROWS = 30_000_000  # of two bytes; above any buffer


def repeated(compressor, piece, n):
    return b"".join(compressor.compress(piece) for _ in range(n)) + compressor.flush()


def bombs():
    head, piece = b"a\n", b"1\n" * 1_000_000
    n = ROWS // 1_000_000
    yield "gz", repeated(zlib.compressobj(6, zlib.DEFLATED, 31), head + piece, 1) + repeated(
        zlib.compressobj(6, zlib.DEFLATED, 31), piece, n - 1)
    yield "bz2", bz2.compress(head + piece) + bz2.compress(piece) * (n - 1)
    yield "xz", lzma.compress(head + piece, preset=0) + lzma.compress(piece, preset=0) * (n - 1)
    yield "bgzf.gz", block(head) + block(b"1\n" * 30000) * (ROWS // 30000) + MARKER
    put("rows", head + piece * n)
    must("zstd -qf rows -o bomb.zst")
    os.remove("rows")
    with open("bomb.zst", "rb") as f:
        yield "zst", f.read()


def peak(stats):
    return json.loads(stats.decode().splitlines()[-1])["peak_bytes"]


@tap.check("what becomes 60 MB is read within 16 MiB, by threads within their bound")
def _():
    for suffix, data in bombs():
        put("bomb." + suffix, data)
        assert len(data) < 2 * ROWS / 50, f"{suffix}: {len(data)} bytes are no bomb"
        own = {"bz2": 4 << 20, "zst": 4 << 20, "xz": 2 << 20}.get(suffix, 0)  # what the format asks for
        for mem, most in (("16M", (16 << 20) + own), ("256M", 64 << 20)):
            r = sh(f"bp-read --mem {mem} -j 2 --stats -f csv bomb.{suffix} | bp-reduce --mem 16M 'count(*) AS n' | "
                   "bp-write --header no")
            assert r.stdout == b"%d\n" % ROWS, f"{suffix} {mem}: {r.stdout} {r.stderr}"
            assert SANITIZED or peak(r.stderr) < most, f"{suffix} {mem}: {r.stderr}"


@tap.check("one record without an end is refused where it is larger than memory allows")
def _():
    zeros = bytes(1 << 20)
    for suffix, data in (("gz", repeated(zlib.compressobj(1, zlib.DEFLATED, 31), zeros, 256)),
                         ("bz2", bz2.compress(zeros * 64)), ("xz", lzma.compress(zeros * 64, preset=0)),
                         ("bgzf.gz", block(bytes(0xff00)) * 2000 + MARKER)):
        put("zeros." + suffix, data)
        limit = "" if SANITIZED else "ulimit -v 160000; "
        r = sh(f"{limit}bp-read --mem 16M -f csv --header no zeros.{suffix} >/dev/null")
        assert r.returncode == 1, f"{suffix}: {r.stderr}"
        assert r.stderr.startswith(b"bp-read: zeros.%s:1: the row is longer than 4 MiB" % suffix.encode()), r.stderr


sys.exit(tap.done())
