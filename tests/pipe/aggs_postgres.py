# SPDX-License-Identifier: Apache-2.0
"""Aggregates against PostgreSQL 15, over groups of edge values.

Groups of NULLs only, of one row, of NaN and infinities, extreme dates, empty and
multi-byte text, 38-digit decimals. Results are compared as text (::text of both), but
for double precision, which is compared as numbers, exactly unless a tolerance is given.
What we mean on purpose otherwise (bp-reduce(1)) is written out for PostgreSQL. Then the
same aggregates in 1, 4 and 13 tasks, 1 and 64 partitions, and with inner batches of 1 and
7 rows: the same bytes.

    BP_PYTHON tests/pipe/aggs_postgres.py     prints TAP; without PostgreSQL it is skipped
"""

import csv
import io
import math
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
import postgres  # noqa: E402
import tap  # noqa: E402

BIN = (Path(os.environ.get("BP_BUILD", ROOT / "build")) / "bin").resolve()
ENV = {k: v for k, v in os.environ.items() if not k.startswith("BP_") or k == "BP_BATCH_ROWS"}
SCHEMA = ("id int, k text, i2 smallint, i4 int, i8 bigint, n decimal(20,4), w decimal(38,0), f4 real, "
          "f8 double precision, g8 double precision, s text, d date, ts timestamp, tz timestamptz, "
          "t time, v interval, b boolean")
NULLS = [None] * 15
NAN, INF = "NaN", "Infinity"
# k, i2, i4, i8, n, w, f4, f8, g8, s, d, ts, tz, t, v, b
ROWS = [
    ["nulls"] + NULLS, ["nulls"] + NULLS,
    ["one", 7, -7, 7, "7.5", "7", 0.5, 2.5, 1.5, "x", "2020-02-29", "2020-02-29 12:00:00",
     "2020-02-29 12:00:00+00", "12:00:00", "1 mon 2 days 03:04:05", True],
    ["one"] + NULLS,
    ["small", 1, 1, 1, "0.0001", "1", 0.25, 0.1, 3.0, "", "1970-01-01", "1970-01-01 00:00:00",
     "1970-01-01 00:00:00+00", "00:00:00", "0 s", False],
    ["small", -1, 2, -1, "-0.0001", "-1", -0.25, 0.2, 1.0, "a", "1969-12-31", "1969-12-31 23:59:59.999999",
     "1969-12-31 23:59:59.999999+00", "23:59:59.999999", "-1 mon 1 day", True],
    ["small", 0, 2, 0, "0", "0", 0.0, 0.3, -2.0, "ä", "1970-01-02", "1970-01-01 00:00:00.000001",
     "1970-01-01 00:00:00.000001+00", "00:00:00.000001", "1 mon -30 days", None],
    ["small", 3, 3, 3, "9999999999999999.9999", "5", 1.5, 0.7, 0.0, "東京", "1970-01-01",
     "1970-01-01 00:00:00", None, None, "00:00:00.000001", False],
    ["small", 3, None, 3, "1.1", None, None, None, 4.0, "a", None, None, None, "12:30:00", "1 year 5 days",
     True],
    ["big", 32767, 2147483647, 9223372036854775807, "9999999999999999.9999", "9" * 38, 1e30, 1e200, 1e10,
     "z" * 300, "9999-12-31", "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999+00",
     "23:59:59", "178000000 years", True],
    ["big", 32767, 2147483647, 9223372036854775806, "-9999999999999999.9999", "-" + "9" * 38, 1e30, 3e200,
     2e10, "Straße", "0001-01-01", "0001-01-01 00:00:00", "0001-01-01 00:00:00+00", "00:00:01",
     "-178000000 years", True],
    ["big", -32768, -2147483648, -9223372036854775808, "0.0002", "7", -1e30, -4e200, -3e10, "",
     "4713-01-01", "1582-10-15 00:00:00", "1582-10-15 00:00:00+00", "00:00:02", "2000 days", True],
    ["huge", *[None] * 6, 1.7e308, *[None] * 6, "178000000 years", None],
    ["huge2", *[None] * 6, 1.7e308, *[None] * 6, "178000000 years", None],
    ["nan", 1, 1, 1, "1", "1", NAN, NAN, 1.0, "a", None, None, None, None, None, None],
    ["nan", 2, 2, 2, "2", "2", 1.0, 1.0, NAN, "b", None, None, None, None, None, None],
    ["inf", 1, 1, 1, "1", "1", INF, INF, 1.0, "a", None, None, None, None, None, None],
    ["inf", 2, 2, 2, "2", "2", 1.0, 1.0, 2.0, "b", None, None, None, None, None, None],
    ["ninf", 1, 1, 1, "1", "1", "-" + INF, "-" + INF, 1.0, "a", None, None, None, None, None, None],
    ["mixed", 1, 1, 1, "1", "1", INF, INF, 1.0, "a", None, None, None, None, None, None],
    ["mixed", 2, 2, 2, "2", "2", "-" + INF, "-" + INF, 2.0, "b", None, None, None, None, None, None],
    [None, 5, 5, 5, "5", "5", 5.0, 5.0, 5.0, "five", "2000-01-01", "2000-01-01 00:00:00",
     "2000-01-01 00:00:00+00", "05:00:00", "5 days", False],
    [None, 5, 6, 7, "8", "9", 10.0, 11.0, 12.0, "five", "2000-01-01", "2000-01-01 00:00:00",
     "2000-01-01 00:00:00+00", "05:00:00", "5 days", False],
] + [["many", i % 7, i * i, i * 10**15, f"{i}.{i:04d}", str(i**9), i / 4, 1 / (i + 1), i * 1.5, f"t{i % 13}",
      f"2020-01-{i % 28 + 1:02d}", f"2020-01-{i % 28 + 1:02d} 10:00:00", None, f"{i % 24:02d}:00:00",
      f"{i} mons {i % 9} days 00:00:{i % 60:02d}", i % 2 == 0] for i in range(60)]

INTS, NUMBERS = ["i2", "i4", "i8"], ["i2", "i4", "i8", "n", "f4", "f8"]
ORDERED = NUMBERS + ["w", "s", "d", "ts", "tz", "t", "v"]
FINITE = "k not in ('nan', 'inf', 'ninf', 'mixed')"
SMALL = FINITE + " and k not in ('big', 'huge', 'huge2')"


def exact(c):
    """c for PostgreSQL's exact averages and variances; a float is widened first."""
    return f"{c}::float8::numeric" if c[0] in "fg" else f"{c}::numeric"


# ours, PostgreSQL's, tolerance in ulps
CASES = [("count(*)", None, 0), ("count_if(b)", "count(*) filter (where b)", 0)]
CASES += [(f"count({c})", None, 0) for c in ORDERED]
# intervals of one length are equal to PostgreSQL, different keys to us
CASES += [(f"count(distinct {c})", None, 0) for c in ORDERED if c != "v"]
CASES += [("count(distinct v) filter (where k <> 'small')", None, 0)]
CASES += [(f"{f}({c})", None, 0) for f in ("min", "max") for c in ORDERED if c != "v"]
CASES += [(f"{f}(v) filter (where k <> 'small')", None, 0) for f in ("min", "max")]
CASES += [(f"sum({c})", f"sum({c})" + ("::numeric" if c == "i8" else ""), 0) for c in INTS + ["n", "w", "v"]]
CASES += [(f"sum({c})", f"sum({c}::float8)", 0) for c in ("f4", "g8")]
CASES += [(f"sum(f8) filter (where {FINITE})", f"sum(f8::numeric) filter (where {FINITE})::float8", 0),
          (f"sum(f8) filter (where not ({FINITE}))", None, 0),
          (f"avg(f8) filter (where not ({FINITE}))", None, 0)]
CASES += [(f"avg({c})", f"avg({c})::float8", 0) for c in INTS]
CASES += [("avg(n)", "round(avg(n), 10)", 0), ("avg(w)", "round(avg(w), 6)", 0), ("avg(v)", None, 0)]
CASES += [(f"avg({c}) filter (where {SMALL})", f"avg({exact(c)}) filter (where {SMALL})::float8", 0)
          for c in ("f4", "g8")]
CASES += [(f"{f}({c}) filter (where {SMALL})",
           f"{f}({exact(c)}) filter (where {SMALL})::float8", 2)
          for f in ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")
          for c in NUMBERS]
CASES += [(f"{f}(f8) filter (where k in ('nan', 'inf', 'mixed'))", None, 0) for f in ("var_pop", "stddev_samp")]
CASES += [(f"{f}({p}) filter (where k in ('many', 'one', 'nulls') or k is null)", None, 64)
          for f in ("covar_pop", "covar_samp", "corr") for p in ("f8, g8", "g8, f4", "i4, g8")]
CASES += [(f"regr_count({p})", None, 0) for p in ("f8, g8", "i2, f4", "i4, n")]
CASES += [(f"regr_{f}({p}) filter (where k in ('many', 'one', 'nulls', 'small') or k is null)", None, 1 << 14)
          for f in ("sxx", "syy", "sxy", "avgx", "avgy", "slope", "intercept", "r2") for p in ("f8, i2", "i4, g8")]
CASES += [(f"{f}({c})", None, 0) for f in ("bit_and", "bit_or", "bit_xor") for c in INTS]
CASES += [(f"{f}(b)", None, 0) for f in ("bool_and", "bool_or", "every")]
CASES += [(f"any_value({c})", f"min({c})", 0) for c in ("i4", "n", "s", "d", "f8")]
CASES += [(f"first({c})", f"(array_agg({c} order by id))[1]", 0) for c in ("i8", "s", "ts", "v", "b", "f8")]
CASES += [(f"last({c})", f"(array_agg({c} order by id desc))[1]", 0) for c in ("n", "s", "tz", "t", "b")]
CASES += [("first(id order by s desc, id)", "(array_agg(id order by s desc nulls last, id))[1]", 0),
          ("last(id order by f8 nulls first, d, id)",
           "(array_agg(id order by f8 desc nulls last, d desc nulls first, id desc))[1]", 0),
          ("first(id order by v, n desc, b)",
           "(array_agg(id order by v, n desc nulls last, b, id))[1]", 0),
          ("max_by(id, id)", "max(id)", 0), ("min_by(s, id)", "(array_agg(s order by id) "
           "filter (where s is not null))[1]", 0)]
CASES += [("string_agg(s, '|')", "string_agg(s, '|' order by id)", 0),
          ("string_agg(s, '')", "string_agg(s, '' order by id)", 0),
          ("string_agg(s, ', ' order by s desc, id)", None, 0),
          ("string_agg(s, ', ' order by n, i4 desc)",
           "string_agg(s, ', ' order by n, i4 desc nulls last, id)", 0),
          ("string_agg(s, null) filter (where b)", "string_agg(s, null order by id) filter (where b)", 0),
          ("string_agg(distinct s, '-')", None, 0), ("string_agg(distinct s, '-' order by s desc)", None, 0),
          ("string_agg(id::text, ',' order by tz, t nulls first)",
           "string_agg(id::text, ',' order by tz, t nulls first, id)", 0)]
CASES += [(f"sum(distinct {c})", f"sum(distinct {c})" + ("::numeric" if c == "i8" else ""), 0)
          for c in INTS + ["n", "w"]]
CASES += [("sum(distinct v) filter (where k <> 'small')", None, 0),
          ("avg(distinct v) filter (where k <> 'small')", None, 0)]
CASES += [("sum(distinct f4)", "sum(distinct f4::float8)", 0),
          ("avg(distinct i4)", "avg(distinct i4)::float8", 0),
          ("bit_xor(distinct i4)", None, 0), ("bool_and(distinct b)", None, 0),
          ("var_pop(distinct i2)", "var_pop(distinct i2)::float8", 2)]
CASES += [(f"mode() within group (order by {c})", None, 0) for c in ORDERED if c != "v"]
CASES += [(f"percentile_disc({p}) within group (order by {c})", None, 0)
          for p in (0, 0.3, 0.5, 1) for c in ORDERED if c != "v"]
CASES += [(f"percentile_cont({p}) within group (order by {c})", None, 1)
          for p in (0, 0.25, 1) for c in ("i4", "f8", "g8")]
CASES += [("median(i4)", "percentile_cont(0.5) within group (order by i4)", 1)]
CASES += [(f"approx_count_distinct({c})", f"count(distinct {c})", 0) for c in ORDERED if c != "v"]
CASES += [(f"approx_percentile({c}, 0.5)", f"(percentile_disc(0.5) within group (order by {c}))::float8", 0)
          for c in NUMBERS]

# fail on both sides
ERRORS = [("sum(v)", "v > '1 year' and k <> 'many'"), ("sum(f8)", "f8 > 1e308 and f8 < 'infinity'")]

def sh(script, cwd, **env):
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=cwd, capture_output=True,
                       env={**ENV, "PATH": f"{BIN}:{os.environ['PATH']}", **env}, timeout=120)
    if p.returncode:
        raise RuntimeError(f"{script[:200]}: exit {p.returncode}: {p.stderr.decode()}")
    return p.stdout.decode()


def write_table(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write(",".join(c.split()[0] for c in SCHEMA.replace("(20,4)", "").replace("(38,0)", "").split(", "))
                + "\n")
        for i, row in enumerate(ROWS):
            cells = ["" if v is None else '"' + str(v) + '"' for v in row]
            f.write(",".join([str(i)] + cells) + "\n")
    os.chmod(path, 0o644)


def equal(got, want, ulps):
    if got == want:
        return True
    if "NULL" in (got, want):
        return False
    try:
        g, w = float(got), float(want)
    except ValueError:
        return False
    if math.isnan(g) or math.isnan(w) or math.isinf(w) or "." not in got + want and "e" not in got + want:
        return math.isnan(g) and math.isnan(w) or g == w
    return abs(g - w) <= ulps * math.ulp(w)


def answers(text):
    rows = [[c.replace("\\0", "") for c in r] for r in csv.reader(io.StringIO(text))]
    return {r[0]: r[1:] for r in rows}


def main():
    if not postgres.programs():
        tap.skip("aggregates agree with PostgreSQL", "no PostgreSQL here")
        return tap.done()
    with postgres.running() as (server, room):
        write_table(os.path.join(room, "t.csv"))
        compare(server, room)
        same_bytes(room)
    return tap.done()


def ours(room, aggs, tail=""):
    return sh(f"bp-reduce -s {quote(SCHEMA)} -k k @aggs.sql t.csv {tail}", room)


def quote(s):
    return "'" + s.replace("'", "'\\''") + "'"


def compare(server, room):
    items = [(a, p or a, u) for a, p, u in CASES]
    with open(os.path.join(room, "aggs.sql"), "w", encoding="utf-8") as f:
        f.write(",\n".join(f"{a} AS c{i}" for i, (a, _, _) in enumerate(items)))
    with open(os.path.join(room, "text.sql"), "w", encoding="utf-8") as f:
        f.write("coalesce(k, 'NULL') AS k, " + ", ".join(
            f"coalesce(c{i}::text, 'NULL') AS c{i}" for i in range(len(items))))
    got = answers(sh(f"bp-reduce -s {quote(SCHEMA)} -k k @aggs.sql t.csv | bp-map @text.sql | bp-write", room))
    server.sql(f"CREATE TABLE t ({SCHEMA});\n\\copy t from '{room}/t.csv' with (format csv, header)\n")
    want = {}
    for at in range(0, len(items), 100):
        part = ", ".join(f"coalesce(({p})::text, 'NULL')" for _, p, _ in items[at:at + 100])
        for k, row in answers(server.sql(f"SET extra_float_digits = 1; SELECT coalesce(k, 'NULL'), {part} "
                                         "FROM t GROUP BY k;")).items():
            want.setdefault(k, []).extend(row)
    for i, (a, p, ulps) in enumerate(items):
        bad = [f"group {k}: got {got.get(k, ['none'] * len(items))[i]}, PostgreSQL {want[k][i]}"
               for k in want if not equal(got[k][i], want[k][i], ulps)]
        tap.claim(a, not bad and len(got) == len(want) + 1, "\n".join(bad) or "other groups")
    for a, where in ERRORS:
        both = []
        for run in (lambda: sh(f"bp-filter -s {quote(SCHEMA)} {quote(where)} t.csv | bp-reduce "
                               f"{quote(a)} | bp-write", room),
                    lambda: server.sql(f"SELECT {a} FROM t WHERE {where}")):
            try:
                both.append(run())
            except RuntimeError:
                both.append("an error")
        tap.claim(f"{a} where {where} is an error", both == ["an error"] * 2, str(both))


def same_bytes(room):
    whole = ours(room, "", "| bp-write")
    for rows in (1, 7):
        tap.claim(f"inner batches of {rows} rows give the same bytes", whole == sh(
            f"bp-reduce -s {quote(SCHEMA)} -k k @aggs.sql t.csv | bp-write", room, BP_BATCH_ROWS=str(rows)))
    for tasks, parts in ((1, 64), (4, 1), (4, 64), (13, 64)):
        stage = f"stage{tasks}-{parts}"
        for i in range(tasks):
            sh(f"bp-reduce -s {quote(SCHEMA)} --partial --task {i}/{tasks} -k k @aggs.sql t.csv | "
               f"bp-shuffle --task {i}/{tasks} -n {parts} {stage}", room)
        tap.claim(f"{tasks} tasks and {parts} partitions give the same bytes",
                  sh(f"bp-reduce --final {stage} | bp-write", room) == whole)
        tap.claim("... and with inner batches of one row",
                  sh(f"bp-reduce --final --mem 64M {stage} | bp-write", room, BP_BATCH_ROWS="1") == whole)


if __name__ == "__main__":
    sys.exit(main())
