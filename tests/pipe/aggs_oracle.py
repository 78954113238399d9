# SPDX-License-Identifier: Apache-2.0
"""Aggregates against DuckDB and exact fractions, whole and in two stages.

Each aggregate runs once over a generated table (NULLs, ties, negative and huge
numbers, empty and multi-byte text, groups of one row and of NULLs only) by key and
without, with FILTER, and again as three tasks: --partial | bp-shuffle | --final. Those
two have to be the same bytes; DuckDB has to agree with the first.

    BP_PYTHON tests/pipe/aggs_oracle.py        prints TAP

The programs are those in $BP_BUILD/bin (build/bin).
"""

import csv
import io
import math
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import duckdb

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BP_BUILD", ROOT / "build")).resolve() / "bin"
ENV = {k: v for k, v in os.environ.items() if k not in ("BP_TASK", "BP_TASKS")}
ENV["PATH"] = f"{BIN}:{ENV['PATH']}"
ROWS = 3000
TASKS = 3

SCHEMA = ("k int, i int, big bigint, d decimal(18,3), f double precision, g double precision, "
          "t text, b boolean, dt date, row int")

# what bp-reduce is asked, what DuckDB is asked (the same if None)
SAME = [
    ("bool_and(b)", None),
    ("bool_or(b)", None),
    ("every(b)", "bool_and(b)"),
    ("bool_and(b) filter (where i > 0)", None),
    ("count_if(i > 3)", "count(*) filter (where i > 3)"),
    ("countif(b)", "count(*) filter (where b)"),
    ("string_agg(t, '-')", "string_agg(t, '-' order by row)"),
    ("string_agg(t, ', ' order by i desc, row)", None),
    ("string_agg(t, '' order by g) filter (where b)",
     "string_agg(t, '' order by g, row) filter (where b)"),
    ("string_agg(distinct t, '|')", "string_agg(distinct t, '|' order by t)"),
    ("string_agg(distinct t, '|' order by t desc)", None),
    ("listagg(t, '+') filter (where i = 3)", "string_agg(t, '+' order by row) filter (where i = 3)"),
    ("first(row order by i, row)", None),
    ("first(t order by g desc)", "first(t order by g desc nulls last)"),
    ("last(row order by i, row desc)", None),
    ("first(t order by row desc nulls first)", None),
    ("last(t order by row)", None),
    ("last(row order by t nulls first, d)", "last(row order by t nulls first, d nulls last, row)"),
    ("sum(distinct i)", None),
    ("sum(distinct d)", None),
    ("avg(distinct i)", None),
    ("sum(distinct i) filter (where b)", None),
    ("count_if(distinct b)", "count(distinct b) filter (where b)"),
    ("any_value(distinct t)", "min(t)"),
    ("approx_count_distinct(t)", "count(distinct t)"),
    ("approx_count_distinct(i) filter (where b)", "count(distinct i) filter (where b)"),
    ("approx_percentile(i, 0.9)", "quantile_disc(i, 0.9)::double"),
    ("approx_quantile(i, 0.25) filter (where b)", "(quantile_disc(i, 0.25) filter (where b))::double"),
    ("percentile_approx(i, 0)", "min(i)::double"),
    ("quantile_disc(t, 0.3)", None),
    ("bit_and(i)", None),
    ("bit_or(big) filter (where i > 18)", None),
    ("bit_xor(big)", None),
    ("mean(i)", "avg(i)"),
    ("any_value(t)", "min(t)"),
    ("any_value(dt)", "min(dt)"),
    ("any_value(d)", "min(d)"),
    ("first(row)", "first(row order by row)"),
    ("last(row)", "last(row order by row)"),
    ("first(t)", "first(t order by row)"),
    ("last(f)", "last(f order by row)"),
    ("last(i) filter (where i < 5)", "last(i order by row) filter (where i < 5)"),
    ("max_by(row, row)", None),
    ("max_by(t, row)", None),
    ("min_by(dt, row)", None),
    ("min_by(row, t)", "first(row order by t, row) filter (where t is not null)"),
    ("max_by(row, d)", "first(row order by d desc, row) filter (where d is not null)"),
    ("count(distinct t)", None),
    ("count(distinct f)", None),
    ("count(distinct dt) filter (where b)", None),
    ("count(distinct row)", None),
    ("median(i)", None),
    ("median(f)", None),
    ("median(d)", "median(d::double)"),
    ("percentile_cont(0.25) within group (order by g)", None),
    ("percentile_cont(0.9) within group (order by i)", None),
    ("percentile_disc(0.9) within group (order by i)", None),
    ("percentile_disc(0) within group (order by t)", "min(t)"),
    ("percentile_disc(1) within group (order by dt)", "max(dt)"),
    ("mode() within group (order by t)",
     "first(t order by c desc, t) filter (where t is not null) from "
     "(select KEY as k, t, count(*) as c from t group by all)"),
    ("arg_max(row, f)", "first(row order by f desc, row) filter (where f is not null)"),
]

# name, columns, samples needed: against fractions, within an ulp
MOMENTS = [(f, c) for c in ("i", "big", "d", "f") for f in (
    "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")]
UNIQUE = [("var_samp(distinct i)", "variance", "i"), ("avg(distinct f)", "avg", "f"),
          ("covar_pop(distinct i, d)", "covar_pop", "i, d"), ("corr(distinct f, g)", "corr", "f, g")]
PAIRS = [(f, c) for c in ("f, g", "i, d", "big, f") for f in ("covar_samp", "covar_pop", "corr")]

def sh(script, cwd):
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=ENV, cwd=cwd,
                       capture_output=True, timeout=120)
    if p.returncode:
        raise RuntimeError(f"{script}: exit {p.returncode}: {p.stderr.decode()}")
    return p.stdout.decode()


def quote(s):
    return "'" + s.replace("'", "'\\''") + "'"


def make_rows():
    rng = random.Random(7)
    texts = ["", "a", "b", "Straße", "東京", "zz", "A,b", 'q"q', "a" * 40]
    rows = []
    for n in range(ROWS):
        k = rng.choice([1, 2, 3, 4, 5, None]) if n > 3 else 100 + n
        row = [
            k,
            rng.randint(-20, 20),
            rng.choice([rng.randint(-2**62, 2**62), rng.randint(-9, 9)]),
            f"{rng.randint(-10**14, 10**14) / 1000:.3f}" if rng.random() < .5 else
            f"{rng.randint(-50, 50)}.500",
            rng.choice([1e9 + rng.random(), rng.gauss(0, 1), 1e-3 * rng.randint(1, 9), -0.0]),
            rng.uniform(-1e6, 1e6),
            rng.choice(texts),
            rng.random() < .9,
            f"20{rng.randint(10, 30)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
            n,
        ]
        for c in range(1, 9):
            if rng.random() < .1 or k == 5:
                row[c] = None
        rows.append(row)
    return rows


def write_csv(rows, path):
    with open(path, "w") as f:
        f.write(",".join(c.split()[0] for c in SCHEMA.replace("(18,3)", "").split(", ")) + "\n")
        for r in rows:
            f.write(",".join(
                "" if v is None else "true" if v is True else "false" if v is False else
                '"' + v.replace('"', '""') + '"' if isinstance(v, str) and i == 6 else
                repr(v) if isinstance(v, float) else str(v)
                for i, v in enumerate(r)) + "\n")


def whole(aggs, keys, cwd):
    k = f"-k {keys}" if keys else ""
    return sh(f"bp-reduce -s {quote(SCHEMA)} {k} {quote(aggs)} t.csv | bp-write", cwd)


stages = 0


def staged(aggs, keys, cwd):
    global stages
    stages += 1
    k = f"-k {keys}" if keys else ""
    for i in range(TASKS):
        sh(f"bp-reduce -s {quote(SCHEMA)} --partial --task {i}/{TASKS} {k} {quote(aggs)} t.csv | "
           f"bp-shuffle --task {i}/{TASKS} -n {4 if keys else 1} s{stages}", cwd)
    return sh(f"bp-reduce --final s{stages} | bp-write", cwd)


def parse(text):
    """Rows as lists; NULL is None, as an empty unquoted field is."""
    out = []
    for rec in csv.reader(io.StringIO(text.replace(',""', ",\1").replace('\n""', "\n\1"))):
        out.append([None if v == "" else v.replace("\1", "") for v in rec])
    return out[1:]


def duck_type(con, rows):
    con.execute(f"create table t ({SCHEMA.replace('row int', 'row int')})")
    con.executemany("insert into t values (?,?,?,?,?,?,?,?,?,?)", rows)


def text(v):
    if v is None:
        return None
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return v
    return str(v)


def equal(got, want, ulps=0):
    if got is None or want is None:
        return got is None and want is None
    if isinstance(want, float):
        g = float(got)
        if math.isnan(want):
            return math.isnan(g)
        return abs(g - want) <= ulps * math.ulp(want)
    return got == str(want)


def groups_of(rows, keys):
    out = {}
    for r in rows:
        out.setdefault(str(r[0]) if keys and r[0] is not None else None, []).append(r)
    return out


def compare(name, got, want, ulps=0):
    bad = [f"key {k}: got {got.get(k)}, want {want.get(k)}" for k in want
           if k not in got or not equal(got[k], want[k], ulps)]
    tap.claim(name, not bad and len(got) == len(want), "\n".join(bad) or "other groups")


def exact_sqrt(x):
    """The nearest double, or its neighbour, of the root of a fraction."""
    shift = 2 * max(0, 200 - (x.numerator.bit_length() - x.denominator.bit_length()))
    return float(Fraction(math.isqrt((x.numerator << shift) // x.denominator),
                          1 << (shift // 2)))


def moment(func, values):
    pairs = [v if isinstance(v, tuple) else (v, v) for v in values]
    n = len(pairs)
    need = 2 if func in ("stddev", "stddev_samp", "variance", "var_samp", "covar_samp") else 1
    if n < need:
        return None
    if func == "avg":
        return float(sum(x for x, _ in pairs) / n)
    sx, sy = sum(x for x, _ in pairs), sum(y for _, y in pairs)

    def spread(p):
        return sum(p(x, y) for x, y in pairs)
    xy = spread(lambda x, y: x * y) - sx * sy / n
    if func == "corr":
        xx = spread(lambda x, y: x * x) - sx * sx / n
        yy = spread(lambda x, y: y * y) - sy * sy / n
        if not xx or not yy:
            return None
        r = exact_sqrt(xy * xy / (xx * yy))
        return -r if xy < 0 else r
    out = xy / (n - 1 if need == 2 else n)
    return exact_sqrt(out) if func.startswith("stddev") else float(out)


def fractions(rows, columns):
    at = [c.split()[0] for c in SCHEMA.replace("(18,3)", "").split(", ")]
    cols = [at.index(c) for c in columns.split(", ")]
    out = []
    for r in rows:
        vals = [r[c] for c in cols]
        if None not in vals:
            vals = [Fraction(v) for v in vals]
            out.append(tuple(vals) if len(vals) > 1 else vals[0])
    return out


def run(rows, cwd, keys, con):
    exact = [(f"{f}({c})", f, c) for f, c in MOMENTS + PAIRS] + UNIQUE
    asked = [a for a, _ in SAME] + [e[0] for e in exact]
    aggs = ", ".join(f"{a} AS c{i}" for i, a in enumerate(asked))
    how = "by key" if keys else "of everything"
    out = whole(aggs, keys, cwd)
    tap.claim(f"{how}: three tasks give the same bytes", out == staged(aggs, keys, cwd), out)
    got = parse(out)
    n_keys = 1 if keys else 0
    column = [{(r[0] if keys else None): r[n_keys + i] for r in got} for i in range(len(asked))]
    for i, (ours, theirs) in enumerate(SAME):
        what = (theirs or ours).replace("KEY", "k" if keys else "null::int")
        source = "" if " from (" in what else "from t"
        sql = f"select {'k' if keys else 'null'}, {what} {source} {'group by k' if keys else ''}"
        want = {text(k) if k is not None else None: text(v) for k, v in con.execute(sql).fetchall()}
        # DuckDB interpolates in another order of operations
        compare(f"{how}: {ours}", column[i], want, 2 if "percentile_cont" in ours else 0)
    for i, (ours, func, columns) in enumerate(exact):
        want = {}
        for k, g in groups_of(rows, keys).items():
            values = fractions(g, columns)
            want[k] = moment(func, list(dict.fromkeys(values)) if "distinct" in ours else values)
        compare(f"{how}: {ours}", column[len(SAME) + i], want, 4 if func == "corr" else 1)


def main():
    rows = make_rows()
    con = duckdb.connect()
    con.execute("set default_null_order = 'nulls_last'")
    duck_type(con, rows)
    with tempfile.TemporaryDirectory() as cwd:
        write_csv(rows, Path(cwd) / "t.csv")
        run(rows, cwd, "k", con)
        run(rows, cwd, None, con)
    return tap.done()


sys.exit(main())
