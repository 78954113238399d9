# SPDX-License-Identifier: Apache-2.0
"""How a type and a value of PostgreSQL's correspond to ours."""
import re

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
CREATE FUNCTION pg_temp.piece(s text, w text, i bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $f$
 SELECT CASE WHEN i IS NULL OR s IS NULL THEN NULL WHEN i = 0 OR w = '' OR s = '' THEN ''
  WHEN abs(i::numeric) >= n THEN s WHEN i > 0 THEN array_to_string(p[1:i::int], w)
  ELSE array_to_string(p[n + 1 + i::int:n], w) END
 FROM (SELECT p, cardinality(p) AS n FROM (SELECT CASE WHEN w = '' THEN NULL ELSE string_to_array(s, w) END AS p) AS a) AS b $f$;
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
    """What every session of PostgreSQL begins with."""
    return "SET client_min_messages = error; SET extra_float_digits = 1;\n" + SETUP


LIMITS = {f"{u}{k}": (0 if u else -2**(n - 1), 2**(n if u else n - 1) - 1) for u in ("", "u")
          for k, n in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64))}


def as_text(ours, theirs, text):
    """PostgreSQL's expression, of type theirs, as the text that a value of our type has."""
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", ours or "")
    if decimal and theirs != "text":
        return f"pg_temp.dec(({text})::numeric, {decimal[1]}, {decimal[2]})"
    if ours in LIMITS and ours != theirs:
        return "pg_temp.fit({}, {}, {})".format(text, *LIMITS[ours])
    return f"({text})::text"


def plain_type(name):
    """A type without its size, by one spelling."""
    if name.endswith("[]"):
        return plain_type(name[:-2]) + "[]"
    name = re.sub(r"\(\d+(,\d+)?\)", "", name)
    name = {"timestamptz": "timestamp with time zone", "decimal": "numeric", "character varying": "text"}.get(name, name)
    return name.replace(" without time zone", "")


def same_type(ours, theirs):
    if re.search("tinyint|usmallint|uinteger|ubigint", ours):  # there are none in PostgreSQL
        return True
    return plain_type(ours) == plain_type(theirs)
