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
    return ours == "0" and theirs == "-0"


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
    ValueRule("intervals of other fields are different values", r"distinct|^max|^min|^any_value|^mode|^percentile|^last|order by", ("v",),
              lambda c, rows, ours, theirs: theirs != "ERROR"),
    ValueRule("a sum or average beyond its type on the way is no error", r"^(sum|avg)", FLOATS + ("v",), beyond),
    ValueRule("an average of intervals is exact", r"^avg", ("v",), lambda c, rows, ours, theirs: "ERROR" not in (ours, theirs)),
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
