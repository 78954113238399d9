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
import sides  # noqa: E402
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
    p = server.psql(sides.setup() + "".join(script) + "\\echo # end\n")
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
                        sides.as_text(c.our_type, c.their_type, c.theirs)])
    out = server.sql(sides.setup() + ANSWERS.format(path=path, errors=postgres.VALUE_ERRORS))
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

def difference(c, purposes):
    """What is wrong with a case, or None; what is on purpose is counted."""
    if c.our_refusal and (c.theirs is None or "ERROR" in c.their_values and set(c.their_values) <= {"ERROR", "NULL"}):
        return None
    if c.our_refusal:
        return f"we refuse it ({c.our_refusal}), PostgreSQL gives {c.their_type}"
    if c.theirs is None:
        return f"we give {c.our_type}, PostgreSQL refuses it ({c.their_refusal})"
    if not sides.same_type(c.our_type, c.their_type):
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
            tap.claim(f"on purpose: {r.reason} ({purposes[r]})", purposes[r], "nothing needs this rule")
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
