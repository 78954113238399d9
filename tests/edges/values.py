# SPDX-License-Identifier: Apache-2.0
"""The edge values of every type, and the tables made of them.

A column is called TYPE_PLACE: i4_a is the first argument, an integer. A table holds the
arguments of one call: all combinations of the edge values of one or two, and of more every
value at every place beside chosen ones and a fixed sample of the other combinations.
"""
import itertools
import random

# name: (our type, PostgreSQL's, values); NULL is added to each. The first are the plainest.
TYPES = {
    "b": ("boolean", "boolean", ["t", "f"]),
    "i1": ("tinyint", "smallint", [1, 0, -1, 7, 127, -128]),
    "i2": ("smallint", "smallint", [1, 0, -1, 7, 32767, -32768]),
    "i4": ("integer", "integer", [1, 0, -1, 2, 5, 46341, -100000, 2147483647, -2147483648]),
    "i8": ("bigint", "bigint", [1, 0, -1, 3, 3037000500, 9007199254740993, 9223372036854775807,
                                -9223372036854775808]),
    "u1": ("utinyint", "smallint", [1, 0, 7, 255]),
    "u2": ("usmallint", "integer", [1, 0, 7, 65535]),
    "u4": ("uinteger", "bigint", [1, 0, 7, 65536, 4294967295]),
    "u8": ("ubigint", "numeric(20,0)", [1, 0, 7, 9223372036854775808, 18446744073709551615]),
    "f4": ("real", "real", [1.5, 0, "-0", -2.5, 0.1, 16777216, "3.4e38", "-3.4e38", "1e-45", "NaN",
                            "Infinity", "-Infinity"]),
    "f8": ("double precision", "double precision",
           [1.5, 0, "-0", -2.5, 0.1, 3, -90, "9007199254740993", "9223372036854775808", "2147483647.5",
            "1.7e308", "-1.7e308", "4.9e-324", "NaN", "Infinity", "-Infinity"]),
    "n": ("decimal(20,4)", "numeric(20,4)", ["1.5000", 0, "-2.5000", "0.0001", "-0.0050", "123.4567",
                                             "9999999999999999.9999", "-9999999999999999.9999"]),
    "w": ("decimal(38,0)", "numeric(38,0)", [1, 0, -7, "9" * 38, "-" + "9" * 38]),
    "q": ("decimal(38,20)", "numeric(38,20)", ["1.5", 0, "-0.00000000000000000001", "2.5",
                                               "999999999999999999.99999999999999999999"]),
    "s": ("text", "text", ["abc", "", "ABC", "a", "b", "aXbXc", "  12 ", "-0.5e1", "true", "NaN", "日本語",
                           "Straße é", "😀e\u0301", "a%_\\", "l'\"$1", "t\tn\nr", "x" * 70,
                           "2020-02-29 12:34:56.789", "1 day", "99999999999999999999"]),
    "x": ("bytea", "bytea", ["\\x616263", "\\x", "\\x00", "\\xff00fe", "\\xc3a9", "\\x" + "80" * 70]),
    "d": ("date", "date", ["2020-02-29", "1970-01-01", "1969-12-31", "2000-01-01", "1900-03-01", "2023-01-31",
                           "9999-12-31", "0001-01-01", "0001-12-31 BC", "2001-02-29 BC", "5874897-12-31"]),
    "t": ("time", "time", ["12:34:56.789012", "00:00:00", "00:00:00.000001", "23:59:59.999999", "24:00:00",
                           "06:30:00"]),
    "ts": ("timestamp", "timestamp",
           ["2020-02-29 12:34:56.789012", "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999",
            "1999-12-31 23:59:59.5", "2023-01-31 23:00:00", "9999-12-31 23:59:59.999999",
            "0001-01-01 00:00:00", "0044-03-15 12:00:00 BC", "2001-02-29 00:00:00 BC",
            "294246-12-31 23:59:59.999999"]),
    "tz": ("timestamptz", "timestamptz",
           ["2020-02-29 12:34:56.789012+00", "1970-01-01 00:00:00+00", "1969-12-31 23:59:59.999999+00",
            "2021-03-28 01:00:00+00", "2021-10-31 00:30:00+00", "9999-12-31 23:59:59.999999+00",
            "0001-01-01 00:00:00+00", "2001-02-29 00:00:00+00 BC", "294246-12-31 23:59:59.999999+00"]),
    "v": ("interval", "interval",
          ["1 mon", "0", "1 day", "-1 days +01:00:00", "1 year 2 mons 3 days 04:05:06.789", "00:00:00.000001",
           "-100 years", "30 days", "720:00:00", "-1 mon", "178000000 years", "2147483647 days",
           "-178000000 years -2147483647 days -2562047:00:00"]),
}
PLACES = "abcdefg"
MOST_ROWS = 260  # of a table of three columns and more


def column(type_, place):
    return f"{type_}_{PLACES[place]}"


def values(type_):
    return [str(v) for v in TYPES[type_][2]] + [None]


def rows(types):
    """The rows of the table of these types."""
    of = [values(t) for t in types]
    if not of:
        return [[]]
    if len(of) <= 2:
        return [list(r) for r in itertools.product(*of)]
    out = [list(r) for r in itertools.product(*[v[:2] for v in of])] if len(of) < 5 else []
    plain = [[v[0] for v in of], [v[1] for v in of]]
    for base in plain:
        for place, vs in enumerate(of):
            out += [base[:place] + [v] + base[place + 1:] for v in vs]
    pick = random.Random(" ".join(types))
    while len(out) < MOST_ROWS:
        out.append([pick.choice(v) for v in of])
    return out


def schema(types, pg):
    return ", ".join(["id int"] + [f"{column(t, i)} {TYPES[t][1 if pg else 0]}" for i, t in enumerate(types)])


def everything():
    """One schema of all columns there can be, for binding."""
    return ", ".join(f"{column(t, i)} {TYPES[t][0]}" for t in TYPES for i in range(len(PLACES)))


def write_table(path, types):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(",".join(["id"] + [column(t, i) for i, t in enumerate(types)]) + "\n")
        for i, row in enumerate(rows(types)):
            cells = ["" if v is None else '"' + v.replace('"', '""') + '"' for v in row]
            f.write(",".join([str(i)] + cells) + "\n")
