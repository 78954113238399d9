# SPDX-License-Identifier: Apache-2.0
"""Every function, operator and cast against PostgreSQL 15, over edge values of every type.

The calls are made from `bp-map --functions` (tests/edges/calls.py), the tables from
tests/edges/values.py: no signature is left out by hand. A value that fails in one must fail
in the other, a type that one refuses the other refuses, and results have the same type. Where
we differ on purpose a rule of tests/edges/rules.py says so, with its reason; a rule that no
call needs is a failure too.

    BP_PYTHON tests/pipe/expr_edges.py [REGEX]     prints TAP; only calls that match
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
import calls  # noqa: E402
import postgres  # noqa: E402
import rules  # noqa: E402
import tap  # noqa: E402
import values  # noqa: E402

BUILD = Path(os.environ.get("BP_BUILD", TESTS.parent / "build")).resolve()
ENV = {k: v for k, v in os.environ.items() if not k.startswith("BP_") or k == "BP_BATCH_ROWS"}


class Case:
    """A call with what both sides make of it."""

    def __init__(self, call):
        self.call = call
        self.ours = self.our_type = self.our_refusal = None
        self.theirs = self.their_type = self.their_refusal = None
        self.rule = None


# ---- types ----

def bind_ours(cases):
    p = subprocess.run([BUILD / "pipe" / "expr_bind", values.everything()], check=True, capture_output=True,
                       input="".join(c.call.ours + "\n" for c in cases).encode())
    for c, line in zip(cases, p.stdout.decode().splitlines(), strict=True):
        if line[0] == "=":
            c.our_type = line[2:]
        else:
            c.our_refusal = line[2:]


def bind_theirs(server, cases):
    """The first text that PostgreSQL knows, and its type."""
    asked = [(c, t) for c in cases for t in c.texts]
    script = [f"\\echo # {i}\nSELECT {t} FROM {table(c.call.types)} \\gdesc\n" for i, (c, t) in enumerate(asked)]
    p = server.psql(setup() + "".join(script) + "\\echo # end\n")
    at, kind = None, None
    refusals = iter(re.findall(r"ERROR:  (.*)", p.stderr.decode()))
    for line in p.stdout.decode().splitlines() + ["# end"]:
        if line.startswith("# "):
            if at is not None:
                c, text = asked[at]
                if kind is None:
                    why = next(refusals, "?")
                    c.their_refusal = c.their_refusal or why
                elif c.theirs is None:
                    c.theirs, c.their_type = text, kind
            at, kind = (None if line == "# end" else int(line[2:])), None
        elif at is not None:
            kind = line.split(",", 1)[1].strip('"')


# ---- values ----

def table(types):
    return "t_" + "_".join(types) if types else "t_none"


SETUP = """
CREATE FUNCTION pg_temp.dec(x numeric, p int, s int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$
BEGIN
 IF x = 'NaN' OR abs(x) = 'Infinity' OR abs(round(x, s)) >= ('1e' || p - s)::numeric THEN
  RAISE numeric_value_out_of_range; END IF;
 RETURN round(x, s)::text; END $f$;
CREATE FUNCTION pg_temp.fit(x numeric, lo numeric, hi numeric) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$
BEGIN
 IF NOT (x BETWEEN lo AND hi) THEN RAISE numeric_value_out_of_range; END IF;
 RETURN CASE WHEN x = trunc(x) THEN trunc(x)::text ELSE x::text END; END $f$;
CREATE FUNCTION pg_temp.int4(x bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE WHEN x > 2147483647 THEN 2147483647 WHEN x < -2147483648 THEN -2147483648 ELSE x END::int $f$;
CREATE FUNCTION pg_temp.exact(x float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE WHEN abs(x) >= 1e15 AND abs(x) < 1e19 THEN (x / 65536)::bigint::numeric * 65536 +
  (x - (x / 65536)::bigint::float8 * 65536)::bigint ELSE x::text::numeric END $f$;
CREATE FUNCTION pg_temp.exact(x numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$ SELECT x $f$;
CREATE FUNCTION pg_temp.even(x float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE WHEN abs(x) < 1e15 THEN x::bigint::numeric ELSE pg_temp.exact(x) END $f$;
CREATE FUNCTION pg_temp.digits(x text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE WHEN x ~ '^ *[-+]?[0-9]+ *$' THEN x::numeric ELSE x::int::numeric END $f$;
CREATE FUNCTION pg_temp.at(x bigint, per_second int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $f$
 SELECT to_timestamp(0) + make_interval(days => div(x, 86400::bigint * per_second)::int) +
  interval '1 microsecond' * ((x % (86400::bigint * per_second)) * (1000000 / per_second)) $f$;
CREATE FUNCTION pg_temp.down(x numeric, y numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$
 SELECT div(x, y) - (mod(x, y) < 0)::int $f$;
CREATE FUNCTION pg_temp.months(a timestamp) RETURNS numeric LANGUAGE sql IMMUTABLE AS $f$
 SELECT (extract(year from a) + (extract(year from a) < 0)::int) * 12 + extract(month from a) - 1 $f$;
CREATE FUNCTION pg_temp.date_diff(part text, a timestamp, b timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE
  WHEN part = 'day' THEN b::date - a::date
  WHEN part = 'week' THEN (date_trunc('week', b)::date - date_trunc('week', a)::date) / 7
  WHEN part IN ('month', 'quarter', 'year', 'decade')
  THEN pg_temp.down(pg_temp.months(b), n) - pg_temp.down(pg_temp.months(a), n)
  ELSE pg_temp.down(floor(extract(epoch from b) * 1000000), n) - pg_temp.down(floor(extract(epoch from a) * 1000000), n) END
 FROM (SELECT CASE part WHEN 'hour' THEN 3600000000 WHEN 'minute' THEN 60000000 WHEN 'second' THEN 1000000
  WHEN 'millisecond' THEN 1000 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 WHEN 'decade' THEN 120 ELSE 1 END::numeric AS n) AS unit $f$;
CREATE FUNCTION pg_temp.date_diff(part text, a timestamptz, b timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$
 SELECT pg_temp.date_diff(part, a::timestamp, b::timestamp) $f$;
"""


def setup():
    return "SET client_min_messages = error; SET extra_float_digits = 1;\n" + SETUP + rules.SETUP


LIMITS = {f"{u}{k}": (0 if u else -2**(n - 1), 2**(n if u else n - 1) - 1) for u in ("", "u")
          for k, n in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64))}


def as_text(c):
    """PostgreSQL's value as the text that our type has."""
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", c.our_type or "")
    if decimal and c.their_type != "text":
        return f"pg_temp.dec(({c.theirs})::numeric, {decimal[1]}, {decimal[2]})"
    if c.our_type in LIMITS and c.our_type != c.their_type:
        return "pg_temp.fit({}, {}, {})".format(c.theirs, *LIMITS[c.our_type])
    return f"({c.theirs})::text"


ANSWERS = """
CREATE TABLE calls (k int PRIMARY KEY, tbl text, params text, args text, call text);
\\copy calls from '{path}' with (format csv)
-- All rows at once; where a value is an error, each by itself.
CREATE FUNCTION pg_temp.answers(c calls) RETURNS json LANGUAGE plpgsql AS $f$
DECLARE a text[]; BEGIN
 EXECUTE format('SELECT array_agg(coalesce(%s, ''NULL'') ORDER BY id) FROM %s', c.call, c.tbl) INTO a;
 RETURN array_to_json(a);
EXCEPTION WHEN OTHERS THEN
 EXECUTE format('CREATE FUNCTION pg_temp.f%s(%s) RETURNS text LANGUAGE plpgsql AS $b$ BEGIN RETURN coalesce(%s, ''NULL''); '
  'EXCEPTION WHEN {errors} THEN RETURN ''ERROR''; WHEN OTHERS THEN RETURN ''REFUSED: '' || sqlerrm; END $b$',
  c.k, c.params, c.call);
 EXECUTE format('SELECT array_agg(pg_temp.f%s(%s) ORDER BY id) FROM %s', c.k, c.args, c.tbl) INTO a;
 RETURN array_to_json(a); END $f$;
SELECT pg_temp.answers(calls) FROM calls ORDER BY k;
"""


def their_values(server, room, cases):
    path = os.path.join(room, "calls.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f)
        for k, c in enumerate(cases):
            names = [(values.column(t, i), values.TYPES[t][1]) for i, t in enumerate(c.call.types)]
            w.writerow([k, table(c.call.types), ", ".join(f"{n} {t}" for n, t in names), ", ".join(n for n, _ in names),
                        as_text(c)])
    out = server.sql(setup() + ANSWERS.format(path=path, errors=postgres.VALUE_ERRORS))
    for c, row in zip(cases, csv.reader(io.StringIO(out)), strict=True):
        c.their_values = json.loads(row[0])


def evaluate(room, types, cases):
    clause = Path(room) / f"{table(types)}.sql"
    clause.write_text(",\n".join(f"coalesce(try(coalesce(({c.ours})::text, 'NULL')), 'ERROR') AS e{i}"
                                 for i, c in enumerate(cases)))
    p = subprocess.run(f"'{BUILD}/bin/bp-map' -s '{values.schema(types, False)}' @{clause} {room}/{table(types)}.csv | "
                       f"'{BUILD}/bin/bp-write'", shell=True, capture_output=True, env=ENV)
    if p.returncode:
        raise RuntimeError(f"{types}: {p.stderr.decode()}")
    rows = [r or [""] for r in csv.reader(io.StringIO(p.stdout.decode()))][1:]
    for c, column in zip(cases, zip(*rows), strict=True):
        c.our_values = list(column)


def our_values(room, cases):
    by_table = collections.defaultdict(list)
    for c in cases:
        by_table[c.call.types].append(c)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: evaluate(room, *item), by_table.items()))


# ---- what comes of it ----

def plain_type(name):
    """A type without its size, by one spelling."""
    name = re.sub(r"\(\d+(,\d+)?\)", "", name)
    name = {"timestamptz": "timestamp with time zone", "decimal": "numeric", "character varying": "text"}.get(name, name)
    return name.replace(" without time zone", "")


def same_type(c):
    if re.search("tinyint|usmallint|uinteger|ubigint", c.our_type):  # there are none in PostgreSQL
        return True
    return plain_type(c.our_type) == plain_type(c.their_type)


def difference(c, purposes):
    """What is wrong with a case, or None; what is on purpose is counted."""
    if c.our_refusal and (c.theirs is None or set(c.their_values) <= {"ERROR", "NULL"}):
        return None
    if c.our_refusal:
        return f"we refuse it ({c.our_refusal}), PostgreSQL gives {c.their_type}"
    if c.theirs is None:
        return f"we give {c.our_type}, PostgreSQL refuses it ({c.their_refusal})"
    if not same_type(c):
        rule = rules.of_types(c)
        if not rule:
            return f"we give {c.our_type}, PostgreSQL {c.their_type}"
        purposes[rule] += 1
    wrong = []
    for row, ours, theirs in zip(values.rows(c.call.types), c.our_values, c.their_values, strict=True):
        if ours == theirs:
            continue
        rule = rules.of_value(c, row, ours, theirs)
        if rule:
            purposes[rule] += 1
        else:
            wrong.append(f"of {row} we give {ours!r}, PostgreSQL {theirs!r}")
    if wrong:
        return "; ".join(wrong[:3]) + (f"; {len(wrong)} values differ" if len(wrong) > 3 else "")
    return None


def all_calls(only):
    listing = subprocess.run([BUILD / "bin" / "bp-map", "--functions"], check=True, capture_output=True).stdout.decode()
    out = list(calls.function_calls(listing)) + list(calls.operator_calls()) + list(calls.cast_calls())
    out += list(calls.small_calls())
    seen, unique = set(), []
    for c in out:
        if c.ours not in seen and (not only or re.search(only, c.ours) or re.search(only, c.group)):
            seen.add(c.ours)
            unique.append(Case(c))
    return unique


def run(server, room, only):
    cases = all_calls(only)
    for c in cases:
        c.rule = rules.of(c.call)
        c.ours = c.call.ours
        c.texts = c.rule.theirs(c.call) if c.rule and c.rule.theirs else c.call.theirs
    tables = sorted({c.call.types for c in cases})
    script = []
    for types in tables:
        path = os.path.join(room, table(types) + ".csv")
        values.write_table(path, types)
        script.append(f"CREATE TABLE {table(types)} ({values.schema(types, True)});\n"
                      f"\\copy {table(types)} from '{path}' with (format csv, header)\n")
    server.sql("".join(script))
    bind_ours(cases)
    bind_theirs(server, cases)
    both = [c for c in cases if c.our_type and c.theirs is not None]
    their_values(server, room, [c for c in cases if c.theirs is not None])
    our_values(room, both)
    report(cases, only)


def report(cases, only):
    groups = collections.defaultdict(list)
    for c in cases:
        groups[c.call.group].append(c)
    purposes = collections.Counter()
    n_values = 0
    for group, of in groups.items():
        wrong = []
        n_values += sum(len(getattr(c, "our_values", [])) for c in of)
        for c in of:
            bad = difference(c, purposes)
            if c.rule and (c.rule.theirs or bad):
                purposes[c.rule] += 1
            if bad and not (c.rule and not c.rule.theirs):
                wrong.append(f"{c.call.ours}: {bad}")
        tap.report(f"{group} ({len(of)} calls)", "\n".join(wrong) or None)
    for r in rules.ALL:
        if not only:
            tap.claim(purposes[r], f"on purpose: {r.reason} ({purposes[r]})", "nothing needs this rule")
    print(f"# {len(cases)} calls, {n_values} values")


def main():
    if not postgres.programs():
        tap.skip("every function, operator and cast agrees with PostgreSQL", "no PostgreSQL here")
        return tap.done()
    with postgres.running() as (server, room):
        run(server, room, sys.argv[1] if len(sys.argv) > 1 else None)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
