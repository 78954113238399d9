# SPDX-License-Identifier: Apache-2.0
"""Where we mean something else than PostgreSQL, and why.

A call's rule with `theirs` gives PostgreSQL's words for what we mean, and is checked like any
other call; one without gives up the comparison of the calls it matches, so it should match
few. Types and values that may differ have rules of their own.
"""
import collections
import re

Rule = collections.namedtuple("Rule", "reason pattern theirs")
TypeRule = collections.namedtuple("TypeRule", "reason pattern ours theirs")
ValueRule = collections.namedtuple("ValueRule", "reason pattern differs")


def floats(call):
    """Decimals become float64 before the call."""
    return [re.sub(r"\b([nwq]_[a-g])\b", r"\1::float8", t) for t in call.theirs]


def deep(call):
    """A division with more digits than PostgreSQL would choose."""
    a, b = call.ours.split(" / ")
    return [f"{a}::numeric(1000,45) / {b}::numeric"]


def replaced(old, new):
    return lambda call: [re.sub(old, new, t) for t in call.theirs]


NO_TYPE = r"\b(i1|u1|u2|u4|u8)_"

RULES = [
    Rule("roots, powers, logarithms and angles of decimals are float64",
         r"^(sqrt|exp|ln|log10|power|pow)\(.*\b[nwq]_|^log\([nwq]_a\)|\b[nwq]_[ab] \^|\^ [nwq]_", floats),
    Rule("/ of decimals has max(s1, 6) digits behind the point", r"^[nw]_a / [nwi]\d?_b$|^i\d_a / [nw]_b$|^u8_a / i\d_b$|^i\d_a / u8_b$", deep),
    Rule("date_part is extract's value as a float", r"^date_part\('epoch', (ts|tz|v)_",
         replaced(r"date_part\((.*), (\w+)\)", r"extract(\1 from \2)::numeric(18,6)::float8")),
    Rule("age(x) counts from today", r"^age\(\w+\)", None),
    Rule("a date moves by any whole number", r"^i8_a \+ d_b$|^d_a [-+] i8_b$", replaced(r"(i8_\w)", r"pg_temp.int4(\1)")),
    Rule("shifts by a bigint", r"^i\d_a (<<|>>) i8_b$", replaced(r"i8_b", "(i8_b & 63)::int")),
    Rule("any whole number is a boolean", r"^(i|u)\d_a::boolean$", replaced(r"(\w+)::boolean", r"\1 <> 0")),
    Rule("a boolean is any whole number", r"^b_a::(smallint|bigint)$", replaced("::", "::int::")),
    Rule("a time beside an interval needs a cast", r"^(t_a .* v_b|v_a .* t_b)$", None),
    Rule("text and bytea are not joined", r"^(s_a \|\| x_b|x_a \|\| s_b)$", None),
    Rule("like takes texts", r"^x_a (not )?like x_b$", None),
    Rule("what is looked for in a list is of its elements' type or a narrower one",
         r"^array_(position|contains)\(array\[[13n].*\b(i8|f4|f8|n|w|q)_a\)$", None),
    Rule("NULL has a type where it is a list, or a number of digits",
         r"^array_(position|contains)\(null, |^(round|trunc)\([nwq]_a, null\)$", None),
    Rule("the julian day is that of a date", r"^extract\(julian from t", None),
]

TYPES = [
    TypeRule("extract and its like give bigint",
             r"^(extract|day|dayofmonth|dayofyear|hour|isodow|isoyear|minute|month|quarter|second|week|weekofyear|year|"
             r"epoch_ms|epoch_us|epoch_ns|unix_timestamp|unix_seconds|unix_millis|unix_micros)\(", "bigint", "numeric"),
    TypeRule("PostgreSQL has no 8-bit and no unsigned numbers", NO_TYPE, None, None),
]


def day(text):
    """A date's year and month as months."""
    m = re.match(r"(\d+)-(\d\d)-\d\d.*?( BC)?$", text)
    return 12 * (1 - int(m[1]) if m[3] else int(m[1])) + int(m[2]) if m else 0


def wider(c, row, ours, theirs):
    """A value of ours beyond PostgreSQL's first day, or last."""
    last = 5874898 if c.our_type == "date" else 294277
    return theirs == "ERROR" and not 12 * -4713 + 11 < day(ours) <= 12 * last


def narrower(c, row, ours, theirs):
    return ours == "ERROR" and day(theirs) > 12 * 294247


def close(c, row, ours, theirs):
    near = 1e-4 if "4.9e-324" in row else 1e-14  # whose text has one digit
    try:
        return abs(float(ours) - float(theirs)) <= near * abs(float(theirs))
    except ValueError:
        return False


def fails(c, row, ours, theirs):
    return ours == "ERROR"


def passes(c, row, ours, theirs):
    return theirs == "ERROR"


def beside_null(c, row, ours, theirs):
    return ours == "ERROR" and None in row


def hours(text):
    m = re.search(r"(-?\d+):\d\d:", text)
    return abs(int(m[1])) if m else 0


def infinite(c, row, ours, theirs):
    return ours == "ERROR" and theirs in ("infinity", "-infinity")


LAST = "294246-12-31"

VALUES = [
    ValueRule("dates and timestamps before 4714 BC", ".", wider),
    ValueRule("timestamps end in 294247, where 64 bits of microseconds since 1970 do", ".", narrower),
    ValueRule("the same within overlaps", "overlaps",
              lambda c, row, ours, theirs: ours == "ERROR" and any(LAST in v for v in row if v)),
    ValueRule("timestamps more than 64 bits of microseconds apart are an error, PostgreSQL 15 wraps around",
              r"^(d|ts|tz)_a - (d|ts|tz)_b$|^age",
              lambda c, row, ours, theirs: ours == "ERROR" and any(LAST in v for v in row if v)),
    ValueRule("dates and timestamps have no infinity", ".", infinite),
    ValueRule("an interval's time ends at 2562047 hours, 64 bits of nanoseconds", r"v_|t_a [*/]|\* t_b",
              lambda c, row, ours, theirs: ours == "ERROR" and hours(theirs) >= 2562047),
    ValueRule("what an argument is converted to may fail although another is NULL",
              r"^(add_months|date_add|date_sub)\(|d_", beside_null),
    ValueRule("a logarithm of any base has no float64 form in PostgreSQL, and is held to 1e-14", r"^(log2|log)\(", close),
    ValueRule("an interval too long is an error, PostgreSQL 15 wraps around", r"^make_interval\(",
              lambda c, row, ours, theirs: ours == "ERROR" and any(abs(float(v or 0)) > 1e8 for v in row)),
    ValueRule("months, days and time of an interval are hashed apart", r"^hash\(v_a",
              lambda c, row, ours, theirs: ours == "false"),
    ValueRule("right(s, -2147483648) leaves nothing: PostgreSQL's sign wraps around", r"^right\(",
              lambda c, row, ours, theirs: ours == "" and row[1] in ("-2147483648", "-9223372036854775808")),
    ValueRule("a place behind 2147483647 in overlay is behind the text, not an error", "^overlay", passes),
    ValueRule("PostgreSQL 15 rounds into a bucket behind the last", "^width_bucket",
              lambda c, row, ours, theirs: ours.isdigit() and c.call.ours.endswith(f", {ours})") and
              theirs in (str(int(ours) + 1), "-2147483648")),
    ValueRule("date_bin takes any distance and any number of days", r"^date_bin",
              lambda c, row, ours, theirs: theirs == "ERROR" and ("2147483647 days" == row[0] or any(LAST in v for v in row))),
    ValueRule("days of the year in to_char of an interval do not wrap around", "^to_char.*DDD",
              lambda c, row, ours, theirs: "178000000 years" in row[0]),
    ValueRule("a timestamp's text is no time of day", "^s_a::time",
              lambda c, row, ours, theirs: ours == "ERROR" and row[0] == "2020-02-29 12:34:56.789"),
]
ALL = RULES + TYPES + VALUES


def of(call):
    """The first rule that matches the text of a call."""
    return next((r for r in RULES if re.search(r.pattern, call.ours)), None)


def of_types(c):
    return next((r for r in TYPES if re.search(r.pattern, c.call.ours) and (not r.ours or r.ours == c.our_type and r.theirs == c.their_type)),
                None)


def of_value(c, row, ours, theirs):
    return next((r for r in VALUES if re.search(r.pattern, c.call.ours) and r.differs(c, row, ours, theirs)), None)
