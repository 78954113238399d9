# SPDX-License-Identifier: Apache-2.0
"""Every aggregate over groups of edge values of every type, against PostgreSQL 15.

Groups hold NULLs only, each edge value alone, neighbours, and all of them (tests/edges).
Each aggregate is tried with each type: what one side refuses the other refuses, a group that
is an error in one is an error in the other. The whole result is then made again of partial
states through a stage: the same bytes. What differs on purpose is a rule with its reason.

    BP_PYTHON tests/pipe/aggs_edges.py [REGEX]     prints TAP; only aggregates that match
"""
import collections
import concurrent.futures
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "edges")]
sys.dont_write_bytecode = True
csv.field_size_limit(1 << 30)
import agg_calls  # noqa: E402
import agg_rules  # noqa: E402
import postgres  # noqa: E402
import sides  # noqa: E402
import tap  # noqa: E402
import values  # noqa: E402

BUILD = Path(os.environ.get("BP_BUILD", TESTS.parent / "build")).resolve()
ENV = {k: v for k, v in os.environ.items() if not k.startswith("BP_") or k == "BP_BATCH_ROWS"}
ENV["PATH"] = f"{BUILD / 'bin'}:{ENV['PATH']}"


class Case:
    def __init__(self, type_, ours, theirs):
        self.type, self.ours, self.theirs = type_, ours, theirs
        self.our_type = self.our_refusal = self.our_values = None
        self.their_type = self.their_refusal = self.their_values = None


def schema(type_, pg):
    t = values.TYPES[type_][1 if pg else 0]
    return f"id int, k text, {values.column(type_, 0)} {t}, {values.column(type_, 1)} {t}"


def write_table(path, type_):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"id,k,{values.column(type_, 0)},{values.column(type_, 1)}\n")
        n = 0
        for name, rows in agg_calls.groups(type_):
            for row in rows:
                cells = ["" if v is None else '"' + v.replace('"', '""') + '"' for v in row]
                f.write(",".join([str(n), name] + cells) + "\n")
                n += 1


# ---- ours ----

def sh(script, room, *args):
    return subprocess.run(["bash", "-o", "pipefail", "-c", script, "_", *args], cwd=room, capture_output=True, env=ENV)


def reduce(room, type_, aggs, *options):
    return subprocess.run([BUILD / "bin" / "bp-reduce", "-s", schema(type_, False), *options, aggs, f"{type_}.csv"],
                          cwd=room, capture_output=True, env=ENV)


def each_group(room, c):
    """A failing aggregate, which is of numbers or intervals, group by group."""
    c.our_values = {}
    for name, _ in agg_calls.groups(c.type):
        call = f"{c.ours} filter (where k = {postgres.literal(name)}) AS x"
        p = reduce(room, c.type, call)
        if p.returncode not in (0, 1):
            raise RuntimeError(f"{call}: {p.returncode} {p.stderr.decode()}")
        text = subprocess.run([BUILD / "bin" / "bp-write"], input=p.stdout, capture_output=True).stdout.decode()
        c.our_values[name] = "ERROR" if p.returncode else text.split("\n")[1] or "NULL"
    empty = sh('bp-reduce -s "$1" "$2" "$3" | bp-schema --sql -', room, schema(c.type, False),
               f"{c.ours} filter (where k = 'none') AS x", f"{c.type}.csv")
    c.our_type = empty.stdout.decode().strip().removeprefix("x ").removesuffix(" NOT NULL")


def try_alone(room, c):
    p = reduce(room, c.type, c.ours + " AS x", "-k", "k")
    if p.returncode not in (0, 1, 2):
        raise RuntimeError(f"{c.ours}: {p.returncode} {p.stderr.decode()}")
    if p.returncode == 2:
        c.our_refusal = p.stderr.decode().splitlines()[0]
    elif p.returncode:
        each_group(room, c)
    return p.returncode == 0


def together(room, type_, cases):
    """Those that hold no error, in one table; and the same bytes of partial states."""
    at = Path(room) / f"{type_}.sql"
    at.write_text(", ".join(f"{c.ours} AS x{i}" for i, c in enumerate(cases)))
    (Path(room) / f"{type_}.text").write_text("k, " + ", ".join(f"coalesce(x{i}::text, 'NULL') AS x{i}"
                                                                 for i in range(len(cases))))
    read = f'bp-reduce -s "$1" -k k @{type_}.sql {type_}.csv'
    p = sh(f"{read} > {type_}.arrow && bp-schema --sql {type_}.arrow && echo && bp-map @{type_}.text {type_}.arrow | bp-write",
           room, schema(type_, False))
    if p.returncode:
        raise RuntimeError(f"{type_}: {p.stderr.decode()}")
    head, _, body = p.stdout.decode().partition("\n\n")
    types = re.findall(r"^\s*x\d+ (.*?)(?: NOT NULL)?,?$", head, re.M)
    rows = list(csv.reader(io.StringIO(body)))[1:]
    for i, c in enumerate(cases):
        c.our_type = types[i]
        c.our_values = {r[0]: r[i + 1] for r in rows}
    parts = sh("".join(f'bp-reduce -s "$1" --partial --task {i}/3 -k k @{type_}.sql {type_}.csv | '
                       f"bp-shuffle --task {i}/3 -n 8 stage_{type_} && " for i in range(3)) +
               f"bp-reduce --final stage_{type_} | bp-write > a.{type_} && bp-write < {type_}.arrow > b.{type_} && "
               f"cmp a.{type_} b.{type_}", room, schema(type_, False))
    return None if parts.returncode == 0 else parts.stderr.decode() + parts.stdout.decode()


def our_side(room, type_, cases):
    good = [c for c in cases if try_alone(room, c)]
    return together(room, type_, good) if good else None


# ---- PostgreSQL's ----

ANSWERS = """
CREATE TABLE calls (n int PRIMARY KEY, tbl text, call text);
\\copy calls from '{path}' with (format csv)
CREATE FUNCTION pg_temp.one(tbl text, g text, call text) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE a text; BEGIN
 EXECUTE format('SELECT coalesce(%s, ''NULL'') FROM %s WHERE k = %L', call, tbl, g) INTO a;
 RETURN a;
EXCEPTION WHEN {errors} THEN RETURN 'ERROR'; WHEN OTHERS THEN RETURN 'REFUSED: ' || sqlerrm; END $f$;
CREATE FUNCTION pg_temp.answers(c calls) RETURNS json LANGUAGE plpgsql AS $f$
DECLARE a json; BEGIN
 EXECUTE format('SELECT json_object_agg(k, r) FROM (SELECT k, coalesce(%s, ''NULL'') r FROM %s GROUP BY k) t', c.call, c.tbl)
  INTO a;
 RETURN a;
EXCEPTION WHEN OTHERS THEN
 EXECUTE format('SELECT json_object_agg(k, pg_temp.one(%L, k, %L)) FROM (SELECT DISTINCT k FROM %s) t', c.tbl, c.call, c.tbl)
  INTO a;
 RETURN a; END $f$;
SELECT pg_temp.answers(calls) FROM calls ORDER BY n;
"""


def bind_theirs(server, cases):
    script = [f"\\echo # {i}\nSELECT {c.theirs} FROM {c.type} \\gdesc\n" for i, c in enumerate(cases)]
    p = server.psql(sides.setup() + "".join(script))
    refusals = iter(re.findall(r"ERROR:  (.*)", p.stderr.decode()))
    blocks = ("\n" + p.stdout.decode()).split("\n# ")[1:]
    for c, block in zip(cases, blocks, strict=True):
        _, _, kind = block.partition("\n")
        if kind.strip():
            c.their_type = kind.strip().split(",", 1)[1].strip('"')
        else:
            c.their_refusal = next(refusals)


def their_values(server, room, cases):
    path = os.path.join(room, "calls.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f)
        for i, c in enumerate(cases):
            w.writerow([i, c.type, sides.as_text(c.our_type, c.their_type, c.theirs)])
    out = server.sql(sides.setup() + ANSWERS.format(path=path, errors=postgres.VALUE_ERRORS))
    for c, row in zip(cases, csv.reader(io.StringIO(out)), strict=True):
        c.their_values = json.loads(row[0])


# ---- what comes of it ----

def difference(c, purposes):
    rule = agg_rules.of_call(c)
    if c.our_refusal and c.their_refusal:
        return None
    if rule and (c.our_refusal or c.their_refusal):
        purposes[rule] += 1
        return None
    if c.our_refusal:
        return f"we refuse it ({c.our_refusal}), PostgreSQL gives {c.their_type}"
    if c.their_refusal:
        return f"we give {c.our_type}, PostgreSQL refuses it ({c.their_refusal})"
    if not sides.same_type(c.our_type, c.their_type):
        rule = agg_rules.of_types(c)
        if not rule:
            return f"we give {c.our_type}, PostgreSQL {c.their_type}"
        purposes[rule] += 1
    wrong = []
    for name, rows in agg_calls.groups(c.type):
        ours, theirs = c.our_values.get(name, "no such group"), c.their_values[name]
        if ours == theirs:
            continue
        rule = agg_rules.of_value(c, rows, ours, theirs)
        if rule:
            purposes[rule] += 1
        else:
            wrong.append(f"of {[a for a, _ in rows]} we give {ours!r}, PostgreSQL {theirs!r}")
    return "\n  ".join(wrong[:3]) + (f"\n  {len(wrong)} groups differ" if len(wrong) > 3 else "") if wrong else None


def run(server, room, only):
    cases = [Case(t, *c) for t in agg_calls.TYPES for c in agg_calls.calls(t) if not only or re.search(only, c[0])]
    by_type = collections.defaultdict(list)
    for c in cases:
        by_type[c.type].append(c)
    for t in by_type:
        path = os.path.join(room, f"{t}.csv")
        write_table(path, t)
        server.sql(f"CREATE TABLE {t} ({schema(t, True)});\n\\copy {t} from '{path}' with (format csv, header)\n")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda item: our_side(room, *item), by_type.items()))
    bind_theirs(server, cases)
    their_values(server, room, [c for c in cases if c.our_type and c.their_type])
    purposes = collections.Counter()
    by_call = collections.defaultdict(list)
    for c in cases:
        by_call[c.ours.replace(c.type + "_", "")].append(c)
    for call, of in by_call.items():
        wrong = [f"{c.ours}: {bad}" for c in of if (bad := difference(c, purposes))]
        tap.report(f"{call} of {len(of)} types", "\n".join(wrong) or None)
    for t, bad in zip(by_type, parts):
        tap.report(f"partial states of {t} through a stage give the same bytes", bad)
    for r in agg_rules.ALL:
        if not only:
            tap.claim(f"on purpose: {r.reason} ({purposes[r]})", purposes[r], "nothing needs this rule")


def main():
    if not postgres.programs():
        tap.skip("every aggregate agrees with PostgreSQL", "no PostgreSQL here")
        return tap.done()
    with postgres.running() as (server, room):
        run(server, room, sys.argv[1] if len(sys.argv) > 1 else None)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
