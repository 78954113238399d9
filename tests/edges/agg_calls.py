# SPDX-License-Identifier: Apache-2.0
"""Every aggregate over every type: ours, PostgreSQL's words for it, and where we differ on purpose.

{0} is the column, {1} another of the same type. Each is tried with every type; one that only one
side takes is a difference.
"""
import re

import values

STRINGS = ("s", "x")
TYPES = [t for t in values.TYPES if t not in ("i1", "u1", "u2", "u4", "u8")]
NUMBERS = ("i2", "i4", "i8", "f4", "f8", "n", "w", "q")
ONE = {
    "count({0})": None, "count(distinct {0})": None, "min({0})": None, "max({0})": None, "sum({0})": None,
    "sum(distinct {0})": None, "avg({0})": None, "avg(distinct {0})": None,
    "any_value({0})": "(array_agg({0} order by {0}) filter (where {0} is not null))[1]",
    "first({0})": "(array_agg({0} order by id))[1]", "last({0})": "(array_agg({0} order by id desc))[1]",
    "first(id order by {0} desc, id)": "(array_agg(id order by {0} desc nulls last, id))[1]",
    "last({0} order by {1}, id desc)": "(array_agg({0} order by {1} desc nulls first, id))[1]",
    "count_if({0})": "count(*) filter (where {0})",
    "bool_and({0})": None, "bool_or({0})": None, "every({0})": None,
    "bit_and({0})": None, "bit_or({0})": None, "bit_xor({0})": None,
    "median({0})": "percentile_cont(0.5) within group (order by {0}::float8)",
    "mode() within group (order by {0})": None,
    "percentile_disc(0.3) within group (order by {0})": None,
    "percentile_cont(0.3) within group (order by {0})": "percentile_cont(0.3) within group (order by {0}::float8)",
    "approx_count_distinct({0})": "count(distinct {0})",
    "approx_percentile({0}, 0.3)": "(percentile_disc(0.3) within group (order by {0}::float8))",
    "string_agg({0}, '|')": "string_agg({0}, '|' order by id)",
    "string_agg({0}::text, ',' order by {0} desc, id)": "string_agg({0}::text, ',' order by {0} desc nulls last, id)",
    "string_agg(distinct {0}::text, ';')": None,
    "array_agg({0})": "array_agg({0} order by id)",
    "array_agg({0} order by {0} desc nulls last, id)": None,
    "array_agg(distinct {0})": None,
}
TWO = {
    "min_by({0}, {1})": "(array_agg({0} order by {1}, {0}) filter (where {0} is not null and {1} is not null))[1]",
    "max_by({0}, {1})":
        "(array_agg({0} order by {1} desc, {0}) filter (where {0} is not null and {1} is not null))[1]",
}
for name in "stddev stddev_samp stddev_pop variance var_samp var_pop".split():
    ONE[name + "({0})"] = name + "({0})::float8"
for name in ("corr covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_r2 regr_slope regr_sxx "
             "regr_sxy regr_syy").split():
    TWO[name + "({0}, {1})"] = name + "({0}::float8, {1}::float8)"
TWO["regr_count({0}, {1})"] = "count(*) filter (where {0} is not null and {1} is not null)"


def groups(type_):
    """[(name of the group, [(first, second)])]: each value alone and beside a NULL, two neighbours, all."""
    of = [str(v) for v in values.TYPES[type_][2]]
    ring = of[1:] + of[:1]
    out = [("nulls", [(None, None), (None, None)]), ("all", list(zip(of, ring))), ("all twice", list(zip(of + of, of + ring)))]
    for i, (a, b) in enumerate(zip(of, ring)):
        out += [(f"one {i}", [(a, a), (None, b)]), (f"two {i}", [(a, b), (b, a)]), (f"three {i}", [(a, of[0]), (b, a), (b, None)])]
    return out


def calls(type_):
    """[(ours, PostgreSQL's)]"""
    names = [values.column(type_, 0), values.column(type_, 1)]
    out = []
    for ours, theirs in list(ONE.items()) + list(TWO.items()):
        theirs = theirs or ours
        if type_ == "x" and ours == "string_agg({0}, '|')":
            ours, theirs = (e.replace("'|'", "'|'::bytea") for e in (ours, theirs))
        if type_ in ("f4",) and re.match(r"sum|avg", ours):
            theirs = theirs.replace("{0}", "{0}::float8")
        if type_ in ("n", "w", "q") and ours.startswith("avg"):
            theirs = theirs.replace("avg(", "sum(") + "::numeric(1000,60) / count(" + theirs[4:]
        if type_ in ("i2", "i4", "i8") and ours.startswith("avg"):
            theirs += "::float8"
        out.append((ours.format(*names), theirs.format(*names)))
    return out


