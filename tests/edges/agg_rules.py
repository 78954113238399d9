# SPDX-License-Identifier: Apache-2.0
"""Where our aggregates mean something else than PostgreSQL's, and why (bp-reduce(1))."""
import collections
import re

import moments

CallRule = collections.namedtuple("CallRule", "reason pattern types")
TypeRule = collections.namedtuple("TypeRule", "reason pattern ours theirs")
ValueRule = collections.namedtuple("ValueRule", "reason pattern types differs")

FLOATS = ("f4", "f8")
INTS = ("i2", "i4", "i8")
DECIMALS = ("n", "w", "q")
NUMBERS = INTS + FLOATS + DECIMALS
MOMENTS = r"^(stddev|variance|var_|corr|covar|regr_)"


def exact(c, rows, ours, theirs):
    return moments.is_right(c.ours, c.type, rows, ours)


def zero(c, rows, ours, theirs):
    return ours == re.sub(r"-0(?![.\d])", "0", theirs)


def length(text):
    """An interval as PostgreSQL compares it: months of 30 days, days of 24 hours; in microseconds."""
    m = re.fullmatch(r"(?:([-+]?\d+) years? ?)?(?:([-+]?\d+) mons? ?)?(?:([-+]?\d+) days? ?)?(?:([-+]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?", text)
    if not m or not text:
        return 0 if text == "0" else None
    years, months, days, sign, h, mi, s, us = m.groups()
    time = int(h or 0) * 3600 + int(mi or 0) * 60 + int(s or 0)
    time = time * 10**6 + int((us or "0").ljust(6, "0"))
    whole = (int(years or 0) * 12 + int(months or 0)) * 30 + int(days or 0)
    return whole * 86400 * 10**6 + (-time if sign == "-" else time)


def as_long(c, rows, ours, theirs):
    """An interval as long as PostgreSQL's, or a number of different ones that is larger."""
    if ours.isdigit() and theirs.isdigit():
        return int(ours) >= int(theirs)
    if ours.startswith("{") or c.ours.startswith("string_agg"):
        inside = [set(map(length, re.split("[,;]", t.strip("{}").replace('"', "")))) for t in (ours, theirs)]
        return inside[0] == inside[1]
    texts = [a for a, _ in rows if a is not None]
    if c.ours.startswith(("min_by", "max_by")):
        pairs = [(length(b), length(a)) for a, b in rows if a is not None and b is not None]
        best = (max if c.ours.startswith("max") else min)(b for b, _ in pairs)
        return (best, length(ours)) in pairs
    if c.ours.startswith("mode"):
        most = max(map(texts.count, texts))
        return length(ours) == min(length(t) for t in texts if texts.count(t) == most)
    if c.ours.startswith("sum(distinct"):
        return length(ours) == sum(length(t) for t in set(texts))
    return length(ours) is not None and length(ours) == length(theirs)


def mean(c, rows, ours, theirs):
    """The mean of the intervals, to the microsecond that is printed."""
    texts = [a for a, _ in rows if a is not None]
    texts = set(texts) if "distinct" in c.ours else texts
    return length(ours) is not None and abs(length(ours) * len(texts) - sum(map(length, texts))) <= len(texts)


def beyond(c, rows, ours, theirs):
    return theirs == "ERROR"


def refused(c, rows, ours, theirs):
    return ours == "ERROR"


CALLS = [
    CallRule("a time is no interval: sum and avg need a cast", r"^(sum|avg)\(", ("t",)),
    CallRule("min and max of bytea", r"^(min|max)\(", ("x",)),
    CallRule("numbers are not read from text", r"^(median|percentile_cont|approx_percentile|corr|covar|regr_(?!count))", ("s",)),
]
TYPES = []
VALUES = [
    ValueRule("-0 is 0", ".", FLOATS, zero),
    ValueRule("intervals of other fields are different values", r"distinct|^max|^min|^any_value|^mode|^percentile|order by", ("v",),
              as_long),
    ValueRule("a sum or average beyond its type on the way is no error", r"^(sum|avg|regr_avg)", FLOATS + ("v",), beyond),
    ValueRule("an average of intervals is exact", r"^avg", ("v",), mean),
    ValueRule("moments are exact, by fractions; PostgreSQL's lose digits", MOMENTS, NUMBERS, exact),
    ValueRule("values of 2^511 and more have no moments", MOMENTS, ("f8",), refused),
    ValueRule("between two equal infinities lies that infinity", r"^(percentile_cont|median)", FLOATS,
              lambda c, rows, ours, theirs: theirs == "NaN" and "Infinity" in ours),
]
ALL = CALLS + TYPES + VALUES


def of_call(c):
    return next((r for r in CALLS if re.search(r.pattern, c.ours) and c.type in r.types), None)


def of_types(c):
    return next((r for r in TYPES if re.search(r.pattern, c.ours) and re.fullmatch(r.ours, c.our_type) and
                 re.fullmatch(r.theirs, c.their_type)), None)


def of_value(c, rows, ours, theirs):
    return next((r for r in VALUES if re.search(r.pattern, c.ours) and c.type in r.types and
                 r.differs(c, rows, ours, theirs)), None)
