#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text of few values comes out of bp-read as a dictionary: the same rows, for whoever reads them,
whatever is done on the way. TAP. Oracle: pyarrow's CSV reader, and Polars."""
import json
import os
import subprocess
import sys
import tempfile

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = os.path.join(os.environ["BP_BUILD"], "bin")
WORK = tempfile.mkdtemp(prefix="dictionaries.")
CSV = os.path.join(WORK, "a.csv")
N = 150_000
SCHEMA = "n int, place text, own text, flag text"


def place(i):
    return ("" if i % 97 == 0 else f"\"Bay, {i % 31}\"" if i % 13 == 0
            else f"street of a long name, number {i % 700}".replace(",", "") if i % 3 == 0
            else f"p{i % 2000}")


with open(CSV, "w") as out:
    out.write("n,place,own,flag\n")
    for i in range(N):
        out.write(f"{i},{place(i * 7919 % N)},row {i},{'YN'[i % 2]}\n")

WANT = pacsv.read_csv(CSV, convert_options=pacsv.ConvertOptions(
    column_types={"n": pa.int32()}, strings_can_be_null=True, quoted_strings_can_be_null=False))


def run(line, **env):
    p = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, cwd=WORK,
                       env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **env}, timeout=300)
    assert p.returncode == 0, f"{line}: exit {p.returncode}: {p.stderr.decode()[:500]}"
    return p.stdout


def plain(table):
    return pa.table({f.name: c.cast(pa.string()) if pa.types.is_dictionary(f.type) else c
                     for f, c in zip(table.schema, table.columns)})


def within(peak, mib=16):
    """Of --mem; a sanitizer's own memory does not count."""
    return "/san-" in BIN or peak <= mib * 1.25 * 2**20 + 8 * 2**20


def same(got, want):
    assert plain(got).combine_chunks().equals(plain(want).combine_chunks().cast(plain(got).schema))


def kinds(schema):
    return [f.name for f in schema if pa.types.is_dictionary(f.type)]


STREAM = run(f"bp-read -s '{SCHEMA}' a.csv")


@tap.check("pyarrow: the columns that repeat are dictionaries, and the rows are those of its own reader")
def _():
    t = ipc.open_stream(STREAM).read_all()
    assert kinds(t.schema) == ["place", "flag"], t.schema
    same(t, WANT)


@tap.check("Polars reads the stream")
def _():
    t = pl.read_ipc_stream(STREAM)
    got = t.with_columns(pl.col("place", "flag").cast(pl.String)).to_arrow()
    same(got.cast(plain(WANT).schema), WANT)


@tap.check("the same bytes for any number of threads, batch and memory")
def _():
    for env in ({"BP_JOBS": "1"}, {"BP_JOBS": "5"}, {"BP_BATCH_ROWS": "777"},
                {"BP_BATCH_ROWS": "1", "BP_JOBS": "3"}, {"BP_MEM": "16M"}):
        assert run(f"bp-read -s '{SCHEMA}' a.csv", **env) == STREAM, env
    piped = run(f"bp-read -s '{SCHEMA}' < a.csv")  # the schema's metadata name the input
    assert ipc.open_stream(piped).read_all().equals(ipc.open_stream(STREAM).read_all())


@tap.check("shares put together are the whole")
def _():
    parts = b"".join(run(f"bp-read -s '{SCHEMA}' --task {i}/5 a.csv") for i in range(5))
    path = os.path.join(WORK, "shares")
    with open(path, "wb") as f:
        f.write(parts)
    assert (run("bp-read < shares | bp-write -f csv /dev/stdout")
            == run(f"bp-read -s '{SCHEMA}' a.csv | bp-write -f csv /dev/stdout"))


@tap.check("files have plain text; what was declared is a dictionary there, too")
def _():
    run(f"bp-read -s '{SCHEMA}' a.csv | bp-write f.arrow")
    t = ipc.open_file(os.path.join(WORK, "f.arrow")).read_all()
    assert kinds(t.schema) == [], t.schema
    same(t, WANT)
    assert run("bp-schema f.arrow") == run(f"bp-read -s '{SCHEMA}' a.csv | bp-schema")
    run(f"bp-read -s '{SCHEMA} DICTIONARY' a.csv | bp-write g.arrow")
    t = ipc.open_file(os.path.join(WORK, "g.arrow")).read_all()
    assert kinds(t.schema) == ["flag"], t.schema
    same(t, WANT)


@tap.check("text made again from the codes is the text that was read")
def _():
    want = run("bp-read -s 'n text, place text DICTIONARY, own text, flag text' a.csv | bp-write out.csv; cat out.csv")
    assert run(f"bp-read -s '{SCHEMA}' a.csv | bp-write out.csv; cat out.csv") == want
    same(pacsv.read_csv(os.path.join(WORK, "out.csv"), convert_options=pacsv.ConvertOptions(
        column_types={"n": pa.int32()}, strings_can_be_null=True,
        quoted_strings_can_be_null=False)), WANT)


# Each line twice: over the CSV, whose texts are dictionaries, and over a file, where they are plain.
LINES = {
    "filter": "bp-filter \"flag = 'Y' and place like 'p1%'\"",
    "map": "bp-map \"n, upper(place) as u, coalesce(place, 'none') as c, place || flag as both\"",
    "group": "bp-reduce -k place,flag 'count(*) as c, min(place) as low, max(own) as high' | bp-sort place,flag",
    "distinct": "bp-reduce -k flag 'count(distinct place) as d, mode(place) as m' | bp-sort flag",
    "sort": "bp-sort place,n",
    "top": "bp-sort 'place desc, n' | bp-head -n 5 -k place",
    "union": "bp-read - f.arrow",
    "unpivot": "bp-map --unpivot 'place, flag' | bp-sort n,key,value",
}


def both(name, tail):
    a = run(f"bp-read -s '{SCHEMA}' a.csv | {tail} | bp-write -f csv /dev/stdout")
    b = run(f"bp-read f.arrow | {tail} | bp-write -f csv /dev/stdout")
    assert a and a == b, f"{name}: {len(a)} and {len(b)} bytes"


for label, line in LINES.items():
    @tap.check(f"{label}: over dictionaries as over plain text")
    def _(label=label, line=line):
        both(label, line)


@tap.check("join and shuffle: on keys that are dictionaries on either side, or on none")
def _():
    run(f"bp-read -s '{SCHEMA}' a.csv | bp-reduce -k place 'count(*) as c' | bp-write right.arrow")
    both("join", "bp-join -k place - right.arrow | bp-sort n")
    for name, read in (("dict", f"bp-read -s '{SCHEMA}' a.csv"), ("plain", "bp-read f.arrow")):
        run(f"{read} | bp-shuffle -k place -n 4 st.{name}")
    for part in range(4):
        a, b = (run(f"bp-read st.{name} --part {part} | bp-sort n | bp-write -f csv /dev/stdout")
                for name in ("dict", "plain"))
        assert a and a == b, part


@tap.check("only NULLs in whole batches, the empty text in one, then values: over dictionaries as over plain text")
def _():
    with open(os.path.join(WORK, "holes.csv"), "w") as f:
        f.write("n,place,own,flag\n")
        for i in range(N):
            place = "" if i < N // 2 and i != 9 else '""' if i in (9, N // 2) else "" if i % 5 == 0 else f"p{i % 300}"
            f.write(f"{i},{place},row {i},{'' if i % 3 else 'Y'}\n")
    read = f"bp-read -s '{SCHEMA}' holes.csv"
    assert kinds(ipc.open_stream(run(read)).schema) == ["place", "flag"]
    run(f"{read} | bp-write holes.arrow")
    want = pacsv.read_csv(os.path.join(WORK, "holes.csv"), convert_options=pacsv.ConvertOptions(
        column_types={"n": pa.int32()}, strings_can_be_null=True, quoted_strings_can_be_null=False))
    same(ipc.open_file(os.path.join(WORK, "holes.arrow")).read_all(), want)
    for label, line in LINES.items():
        tail = line.replace("f.arrow", "holes.arrow")
        a, b = (run(f"{source} | {tail} | bp-write -f csv /dev/stdout")
                for source in (read, "bp-read holes.arrow"))
        assert a == b, label


@tap.check("ten dictionaries of 1,500 values keep to the memory")
def _():
    with open(os.path.join(WORK, "ten.csv"), "w") as f:
        f.write(",".join(f"c{k}" for k in range(10)) + "\n")
        for i in range(300_000):
            f.write(",".join(f"v{(i * 7919 + k * k) % 1500}" for k in range(10)) + "\n")
    schema = ", ".join(f"c{k} text" for k in range(10))
    assert len(kinds(ipc.open_stream(run(f"bp-read -s '{schema}' ten.csv")).schema)) == 10
    for jobs in ("1", "4"):
        stats = run(f"bp-read -s '{schema}' --stats ten.csv 2>&1 >/dev/null", BP_MEM="16M", BP_JOBS=jobs)
        peak = json.loads(stats)["peak_bytes"]
        assert within(peak), (jobs, peak)


@tap.check("few values at first, then each row its own: from a stream, in little memory")
def _():
    with open(os.path.join(WORK, "late.csv"), "w") as f:
        f.write("k\n")
        for i in range(1_500_000):
            f.write(f"k{i % 1000 if i < 400_000 else i}\n")
    line = "cat late.csv | bp-read -s 'k text' | bp-write {}; cat {}"
    a = run(line.format("l1.csv", "l1.csv"))
    assert a == run("cat late.csv")
    assert a == run(line.format("l2.csv", "l2.csv"), BP_MEM="16M", BP_JOBS="3")
    stats = run("bp-read -s 'k text' --stats < late.csv 2>&1 >/dev/null", BP_MEM="16M")
    peak = json.loads(stats)["peak_bytes"]
    assert within(peak), peak


@tap.check("row groups with dictionaries of their own keep to the memory: a build side, a sort, a sample")
def _():
    rows, values = 40_000, 10_000
    with pq.ParquetWriter(os.path.join(WORK, "groups.parquet"),
                          pa.schema([("k", pa.int64())] + [(c, pa.string()) for c in "stu"])) as w:
        for g in range(30):
            texts = [[f"{c}-{g}-{i}-" + "x" * 60 for i in range(values)] for c in "stu"]
            w.write_table(pa.table([pa.array(range(g * rows, (g + 1) * rows))] +
                                   [pa.array([t[i * 7 % values] for i in range(rows)])
                                    for t in texts], ["k", "s", "t", "u"]))
    with open(os.path.join(WORK, "few.csv"), "w") as f:
        f.write("k\n5\n40000\n1199999\n1200000\n")
    line = "bp-read -s 'k bigint' few.csv | bp-join --stats --mem 48M -k k - groups.parquet"
    assert run(f"{line} 2>stats | bp-write -f csv").decode().split("\n")[1:-1] == [
        ",".join([str(k)] + [f"{c}-{k // rows}-{k % rows * 7 % values}-" + "x" * 60 for c in "stu"])
        for k in (5, 40_000, 1_199_999)]
    with open(os.path.join(WORK, "stats")) as f:
        peaks = [json.load(f)["peak_bytes"]]
    for line in ("bp-sort s", "bp-sort k", "bp-sample -n 300000"):
        stats = run(f"{line} --stats --mem 48M groups.parquet 2>&1 >/dev/null")
        peaks.append(json.loads(stats)["peak_bytes"])
    assert all(within(p, 48) for p in peaks), peaks


def peaks_of(file, columns):
    """Of commands with 16 MiB, by their name."""
    stream = os.path.join(WORK, "large.arrows")
    lines = {"read": f"bp-read --stats {file}", "filter": f"bp-filter --stats 'k > 5' {file}",
             "sort": f"bp-sort --stats s {file}", "sample": f"bp-sample --stats -n 300000 {file}",
             "group": f"bp-reduce --stats -k s 'count(*)' {file}",
             "parquet": f"bp-write --stats {WORK}/large.parquet < {stream}",
             "arrow": f"bp-write --stats {WORK}/large.arrow < {stream}",
             "stage": f"bp-shuffle --stats -n 4 -k k {WORK}/large-{columns} < {stream}"}
    run(f"bp-read {file} > {stream}")
    return {name: json.loads(run(f"{{ {line}; }} 2>&1 >/dev/null", BP_MEM="16M"))["peak_bytes"]
            for name, line in lines.items()}


@tap.check("large dictionaries keep to the least memory, in every command: long values, and many")
def _():
    peaks = peaks_of(os.path.join(WORK, "groups.parquet"), "stu")
    assert all(within(p) for p in peaks.values()), peaks
    file, rows, values = os.path.join(WORK, "many.parquet"), 40_000, 20_000
    with pq.ParquetWriter(file, pa.schema([("k", pa.int64())] + [(c, pa.string())
                                                                 for c in "stuvwxyz"])) as w:
        for g in range(12):
            texts = [[f"{c}{g}-{i}" for i in range(values)] for c in "stuvwxyz"]
            w.write_table(pa.table([pa.array(range(g * rows, (g + 1) * rows))] +
                                   [pa.array([t[i * 7 % values] for i in range(rows)])
                                    for t in texts], ["k", *"stuvwxyz"]))
    peaks = peaks_of(file, "many")
    assert all(within(p) for p in peaks.values()), peaks
    assert pq.read_table(os.path.join(WORK, "large.parquet")).equals(pq.read_table(file))


sys.exit(tap.done())
