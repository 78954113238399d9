# SPDX-License-Identifier: Apache-2.0
"""Every call there is: each line of bp-map --functions, each operator, each cast.

A call is a text with {0} {1} ... for its arguments, ours and PostgreSQL's. PostgreSQL may be
given several; the first that it knows counts. What an argument means to a function (a field,
a format, a pattern) is said here: the constants it is tried with, else all edge values of its
type.
"""
import collections
import itertools
import re

import values

Call = collections.namedtuple("Call", "group ours theirs types")

# what a listed type may be given as; all arguments of one kind alike
KINDS = {
    "boolean": ["b"], "tinyint": ["i1"], "smallint": ["i2"], "integer": ["i4", "i2"],
    "bigint": ["i4", "i8"], "utinyint": ["u1"], "usmallint": ["u2"], "uinteger": ["u4"],
    "ubigint": ["u8"], "whole number": ["i4", "i8", "i2"], "decimal": ["n", "w", "q"], "real": ["f4"],
    "double precision": ["f8", "i4", "n", "f4"], "text": ["s"], "bytea": ["x"], "date": ["d"], "time": ["t"],
    "timestamp": ["ts", "d"], "timestamptz": ["tz"], "interval": ["v"],
    "any": ["b", "i2", "i4", "i8", "f4", "f8", "n", "w", "s", "x", "d", "t", "ts", "tz", "v"],
}
# lists do not stand in the tables: they are made of constants and of the other arguments' type
LISTS = {"": ["array[1, 2, 1]", "array[3, null]", "array[null::int]", "null", "string_to_array('', 'x')"],
         "s": ["array['a', '', null, 'abc']", "string_to_array('', 'x')", "array[null::text]"]}
KINDS["list"] = ["l"]
MOMENTS = ["d", "ts", "tz"]
FIELDS = ("microseconds milliseconds second minute hour day week month quarter year decade century "
          "millennium").split()
PARTS = "microsecond millisecond second minute hour day week month quarter year decade".split()
ZONES = ["UTC", "Europe/Paris", "america/new_york", "EST", "+5:30"]
PATTERNS = ["[a-z]", "", "l", "(.)(b|語)?", "^.", "\\\\d+", "x*"]
CODINGS = ["hex", "base64", "escape"]


def q(texts):
    return ["'" + t.replace("'", "''") + "'" for t in texts]


TO_CHAR = {
    "f8": ["9", "999.99", "FM990.099S", "999.99S", "S9999", "FM999S", "9990.0PR", "9999999990.9MI"], "i4": ["999999", "S0999", "RN", "9,999PR"],
    "i8": ["99999999999999999999", "FM9.9"], "n": ["FM9999999999999999.9999", "0.0MI", "99th"],
    "v": ["YYYY-MM-DD HH24:MI:SS.US", "HH12 AM DDD"], "f4": ["99.999"], "w": ["9"], "q": ["9.99"],
    "ts": ["YYYY-MM-DD HH24:MI:SS.US BC", "Day DDth Mon IYYY-IW-ID J Q CC WW", "HH12 AM Y,YYY FF3 SSSS"],
}
TO_CHAR["d"], TO_CHAR["tz"] = TO_CHAR["ts"][:2], TO_CHAR["ts"]

# (name, place): the constants; by type of the first argument where they differ
CONSTANTS = {
    ("extract", 0): FIELDS + "dow isodow doy isoyear epoch julian".split(),
    ("date_trunc", 0): q(FIELDS), ("date_diff", 0): q(PARTS), ("datediff", 0): q(PARTS),
    ("date_trunc", 2): q(ZONES[:3]), ("make_timestamptz", 6): q(ZONES),
    ("timezone", 0): q(ZONES), ("to_char", 1): {t: q(f) for t, f in TO_CHAR.items()},
    ("to_date", 1): q(["YYYY-MM-DD", "DD Mon YYYY"]), ("to_timestamp", 1): q(["YYYY-MM-DD HH24:MI:SS.MS"]),
    ("to_number", 1): q(["999", "S99.99", "FM9G999"]), ("encode", 1): q(CODINGS), ("decode", 1): q(CODINGS),
    ("convert_from", 1): q(["UTF8"]), ("convert_to", 1): q(["UTF8"]),
    ("regexp_count", 1): q(PATTERNS), ("regexp_instr", 1): q(PATTERNS), ("regexp_like", 1): q(PATTERNS),
    ("regexp_replace", 1): q(PATTERNS), ("regexp_substr", 1): q(PATTERNS), ("regexp_extract", 1): q(PATTERNS),
    ("regexp_replace", 2): q(["", "<\\&\\1>"]), ("regexp_replace", 3): q(["g", "i"]),
    ("regexp_count", 3): q(["i"]), ("regexp_like", 2): q(["i", "n"]), ("regexp_match", 1): q(PATTERNS), ("regexp_match", 2): q(["i"]), ("regexp_instr", 5): q(["i"]),
    ("regexp_instr", 4): ["0", "1"], ("regexp_instr", 6): ["0", "1", "2"], ("regexp_substr", 4): q(["i"]),
    ("regexp_substr", 5): ["0", "1", "2"], ("regexp_extract", 2): ["0", "1"],
    ("format", 0): q(["%s|%L", "%2$s", "[%5s][%-4s]"]), ("width_bucket", 3): ["1", "5", "0", "null"],
    ("repeat", 1): ["0", "3", "-1", "null"], ("lpad", 1): ["0", "3", "-1", "12", "null"],
    ("rpad", 1): ["0", "3", "-1", "12", "null"],
    ("substring", 1): {"text": q(PATTERNS)}, ("space", 0): ["0", "3", "-1", "null"],
    ("date_part", 0): q(FIELDS + "dow isodow doy isoyear epoch".split()),
    ("strftime", 1): q(["%FT%T.%f %%é\"%A %a %j %I %p %G %V %u"]), ("substring_index", 1): q(["b", "X", "", "abc", "xx"]),
    ("substring_index", 2): ["1", "2", "0", "-1", "-2", "9223372036854775807", "-9223372036854775808", "null"],
    ("round", 1): ["0", "2", "-2", "25", "null"], ("trunc", 1): ["0", "2", "-2", "25", "null"],
}

# how ours is written, where not f(a, b)
FORMS = {
    "extract": "extract({0} from {1})", "position": "position({0} in {1})", "overlaps": "({0}, {1}) overlaps ({2}, {3})",
    "overlay": {3: "overlay({0} placing {1} from {2})", 4: "overlay({0} placing {1} from {2} for {3})"},
}

# (name, number of arguments or None): PostgreSQL's words for it
SAME = {
    "array_contains": "array_position({0}, {1}) is not null",
    "add_months": "({0} + make_interval(months => {1}))::date",
    "contains": "strpos({0}, {1}) > 0", "ends_with": "right({0}, length({1})) = {1}",
    "endswith": "right({0}, length({1})) = {1}", "startswith": "starts_with({0}, {1})",
    "date_diff": "pg_temp.date_diff({0}, {1}, {2})",
    "datediff": {2: "{0}::date - {1}::date", 3: "pg_temp.date_diff({0}, {1}, {2})"},
    "date_add": "{0} + {1}", "date_sub": "{0} - {1}",
    "dayname": "to_char({0}, 'FMDay')", "monthname": "to_char({0}, 'FMMonth')",
    "dayofmonth": "extract(day from {0})", "dayofyear": "extract(doy from {0})",
    "weekofyear": "extract(week from {0})",
    "epoch": {"d": "extract(epoch from {0}::timestamp)::float8", "": "extract(epoch from {0})::float8"},
    "epoch_ns": "trunc(extract(epoch from {0}) * 1000000000)",
    "from_unixtime": "to_timestamp({0})::timestamp::text",
    "hash": "null", "if": "case when {0} then {1} else {2} end", "iff": "case when {0} then {1} else {2} end",
    "iif": "case when {0} then {1} else {2} end", "ifnull": "coalesce({0}, {1})", "nvl": "coalesce({0}, {1})",
    "nvl2": "case when {0} is not null then {1} else {2} end", "instr": "strpos({0}, {1})",
    "isinf": "abs({0}) = 'Infinity'", "isnan": "{0} = 'NaN'", "lcase": "lower({0})", "ucase": "upper({0})",
    "len": "length({0})", "locate": "strpos({1}, {0})",
    "last_day": "(date_trunc('month', {0}::timestamp) + interval '1 month')::date - 1",
    "log2": "log(2, pg_temp.exact({0}))::float8", "log": {2: "log(pg_temp.exact({0}), pg_temp.exact({1}))::float8"}, "md5": "md5({0})",
    "regexp_extract": "coalesce(regexp_substr({0}, {1}, 1, 1, '', {2}), case when {0} is not null then '' end)",
    "timestamp_seconds": "to_timestamp({0})", "to_date": {1: "({0})::date"}, "try": "{0}",
}
for field in "day hour isodow isoyear minute month quarter second week year".split():
    SAME[field] = f"trunc(extract({field} from {{0}}))"
    if field in ("hour", "minute", "second"):
        SAME[field] = {"d": SAME[field].replace("{0}", "{0}::timestamp"), "": SAME[field]}
for name, power in (("unix_timestamp", 1), ("unix_seconds", 1), ("unix_millis", 1000), ("unix_micros", 1000000),
                    ("epoch_ms", 1000), ("epoch_us", 1000000)):
    SAME[name] = {"d": f"floor(extract(epoch from {{0}}::timestamp) * {power})",
                  "": f"floor(extract(epoch from {{0}}) * {power})"}
SAME.update({
    "signum": "sign({0})", "ord": "ascii({0})", "unicode": "ascii({0})", "strlen": "octet_length({0})",
    "space": "repeat(' ', {0})", "isfinite": {t: "abs({0}::float8) < 'Infinity'" for t in ("f8", "f4", "i4", "n")},
    "hex": {"s": "upper(encode(convert_to({0}, 'UTF8'), 'hex'))", "x": "upper(encode({0}, 'hex'))", "": "upper(to_hex({0}::bigint))"},
    "unhex": "decode({0}, 'hex')", "unbase64": "decode({0}, 'base64')", "from_base64": "decode({0}, 'base64')",
    "base64": {"s": "translate(encode(convert_to({0}, 'UTF8'), 'base64'), E'\\n', '')",
               "x": "translate(encode({0}, 'base64'), E'\\n', '')"},
    "strftime": "to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US \"%é\\\"\"FMDay Dy DDD HH12 AM IYYY IW ID')",
    "substring_index": "pg_temp.piece({0}, {1}, {2})",
})
SAME["to_base64"] = SAME["base64"]
SAME["epoch_ms"].update({t: "pg_temp.at({0}, 1000)::timestamp" for t in ("i4", "i8")})
for name, power in (("timestamp_millis", 1000), ("timestamp_micros", 1000000)):
    SAME[name] = f"pg_temp.at({{0}}, {power})"
for name in ("sha224", "sha256", "sha384", "sha512"):
    SAME[name] = {"s": f"encode({name}(convert_to({{0}}, 'UTF8')), 'hex')"}
HASH = "hash({0}) = hash({1})"


def signatures(listing):
    for line in listing.splitlines():
        name, args, result = re.fullmatch(r"(\w+)\((.*)\) -> (.*)", line).groups()
        yield line, name, [a for a in args.split(", ") if a], result


def chosen(table, name, n_args, first):
    """An entry of SAME or FORMS, which may depend on the number of arguments or the first one's type."""
    e = table.get(name)
    return e.get(n_args) or e.get(first) or e.get("") if isinstance(e, dict) else e


def arguments(name, args):
    """The lists of argument types to try a signature with."""
    if args[-1:] == ["..."]:
        args = args[:-1] + ([args[-2]] if name != "format" else ["any", "any"])
    if name == "concat_ws":
        return [["s", t, t] for t in KINDS["any"]]
    if name == "format":
        return [["s", t, t] for t in KINDS["any"]]
    if name == "overlaps":
        return [[t, u, t, u] for t in MOMENTS + ["t"] for u in (t, "v")]
    if name in ("date_add", "date_sub") or name == "datediff" and args[0] == "any":
        return [[t, {"interval": "v", "any": t}.get(args[1], "i4")] for t in MOMENTS]
    if name == "to_date" and args == ["any"]:
        return [[t] for t in MOMENTS + ["s"]]
    if name[:3] == "sha":
        return [["s"], ["x"]]
    kinds = sorted(set(args))
    return [[dict(zip(kinds, choice))[a] for a in args] for choice in itertools.product(*[KINDS[k] for k in kinds])]


def constants(name, place, args, types):
    if args[place] == "list":
        return LISTS.get(types[-1], LISTS[""]) if name in ("array_position", "array_contains") else LISTS[""] + LISTS["s"]
    c = CONSTANTS.get((name, place))
    if isinstance(c, dict):
        c = c.get(types[0]) if name == "to_char" else c.get(args[place])
    return c


def function_calls(listing):
    for line, name, args, _ in signatures(listing):
        if name == "unnest":
            continue  # it makes rows, of no use in an expression: tests/cli/lists.bats
        for types in arguments(name, args):
            fixed = [constants(name, i, args + args[-2:], types) for i in range(len(types))]
            used = [t for t, f in zip(types, fixed) if not f]
            names = iter(values.column(t, i) for i, t in enumerate(used))
            choices = [f or [next(names)] for f in fixed]
            plain = f"{name}({', '.join('{%d}' % i for i in range(len(types)))})"
            first = types[0] if types else ""
            ours = chosen(FORMS, name, len(types), first) or plain
            theirs = chosen(SAME, name, len(types), first) or ours
            if name in ("date_add", "date_sub") and types[1] == "i4":
                theirs = theirs.replace("{0}", "{0}::date")
            if name == "hash":
                if len(types) == 2:
                    yield Call(line, "hash({0}) = hash({1})".format(*[c[0] for c in choices]),
                               ["{0} is not distinct from {1}".format(*[c[0] for c in choices])], tuple(used))
                continue
            for given in itertools.product(*choices):
                short = [{"i8": "pg_temp.int4({})", "i2": "{}::int", "i4": "{}::float8"}.get(t, "{}").format(g)
                         for t, g in zip(types, given)]
                yield Call(line, ours.format(*given), [theirs.format(*given), theirs.format(*short)], tuple(used))


BINARY = "+ - * / % ^ = <> < <= > >= || & | # << >> ~ !~ ~* !~* ^@".split() + [
    "like", "not like", "ilike", "is distinct from", "is not distinct from"]
UNARY = ["- {0}", "+ {0}", "@ {0}", "~ {0}", "|/ {0}", "||/ {0}", "not {0}", "{0} is null", "{0} is not null",
         "{0} is true", "{0} is not false", "{0} is unknown", "{0} is not unknown"]
TERNARY = ["{0} between {1} and {2}", "{0} not between symmetric {1} and {2}", "{0} in ({1}, {2})",
           "{0} not in ({1}, {2})", "case {0} when {1} then 1 when {2} then 2 end"]
OPERANDS = KINDS["any"]


def operator_calls():
    a, b, c = "{0}", "{1}", "{2}"
    for t in OPERANDS:
        for u in OPERANDS:
            names = [values.column(t, 0), values.column(u, 1)]
            for op in BINARY:
                text = f"{a} {op} {b}".format(*names)
                yield Call(f"{a} {op} {b}", text, [text], (t, u))
        for form in UNARY:
            text = form.format(values.column(t, 0))
            yield Call(form, text, [text], (t,))
        for form in TERNARY:
            text = form.format(*[values.column(t, i) for i in range(3)])
            yield Call(form, text, [text], (t, t, t))


TARGETS = {"b": "boolean", "i2": "smallint", "i4": "integer", "i8": "bigint", "f4": "real", "f8": "double precision",
           "n": "decimal(20,4)", "m": "decimal(10,2)", "w": "decimal(38,0)", "s": "text", "c": "varchar(3)",
           "x": "bytea", "d": "date", "t": "time", "t0": "time(0)", "ts": "timestamp", "ts0": "timestamp(0)",
           "ts3": "timestamp(3)", "tz": "timestamptz", "tz0": "timestamptz(0)", "v": "interval"}
SMALL = {"i1": "tinyint", "u1": "utinyint", "u2": "usmallint", "u4": "uinteger", "u8": "ubigint"}


def cast_calls():
    for t in values.TYPES:
        name = values.column(t, 0)
        for target in TARGETS.values():
            yield Call(f"cast to {target}", f"{name}::{target}", [f"{name}::{target}"], (t,))
        whole = {"s": f"pg_temp.digits({name})", "f4": f"pg_temp.even({name})",
                 "f8": f"pg_temp.even({name})"}.get(t, f"({name}::numeric)::numeric(100,0)")
        for target in SMALL.values():
            yield Call(f"cast to {target}", f"{name}::{target}", [whole, f"({name}::int)::numeric"], (t,))


def small_calls():
    """Whole numbers that PostgreSQL does not have: its decimals, and the range of our result."""
    for t in ("i1", "u1", "u2", "u4", "u8"):
        for u in ("i1", "u1", "u2", "u4", "u8", "i4", "i8"):
            pair = [values.column(t, 0), values.column(u, 1)]
            wide = [f"({p})::numeric" for p in pair]
            for op in "+ - * / % = < >=".split():
                ours = f"{{0}} {op} {{1}}"
                theirs = "div({0}, {1})" if op == "/" else ours
                yield Call(f"small {ours}", ours.format(*pair), [theirs.format(*wide)], (t, u))
