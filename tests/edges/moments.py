# SPDX-License-Identifier: Apache-2.0
"""What the aggregates of variances and regressions are, by fractions."""
import decimal
import math
import re
import struct
from fractions import Fraction

CONTEXT = decimal.Context(prec=60, Emax=10**6, Emin=-10**6)


def number(type_, text):
    """A value as the aggregate sees it; None: NULL, NaN or an infinity."""
    if text is None or text.strip("+-") in ("NaN", "Infinity"):
        return None
    if type_ == "f4":
        return Fraction(struct.unpack("f", struct.pack("f", float(text)))[0])
    return Fraction(float(text)) if type_ == "f8" else Fraction(text)


def root(x):
    return Fraction(CONTEXT.sqrt(CONTEXT.divide(decimal.Decimal(x.numerator), decimal.Decimal(x.denominator))))


def one(name, xs):
    n, mean = len(xs), sum(xs) / len(xs)
    ss = sum((x - mean) ** 2 for x in xs)
    below = n if name.endswith("_pop") else n - 1
    return None if not below else root(ss / below) if name.startswith("stddev") else ss / below


def two(name, ys, xs):
    n, my, mx = len(xs), sum(ys) / len(ys), sum(xs) / len(xs)
    sxx, syy = sum((x - mx) ** 2 for x in xs), sum((y - my) ** 2 for y in ys)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    of = {"covar_pop": lambda: sxy / n, "covar_samp": lambda: sxy / (n - 1) if n > 1 else None,
          "corr": lambda: (-1 if sxy < 0 else 1) * root(sxy * sxy / (sxx * syy)) if sxx and syy else None,
          "regr_sxx": lambda: sxx, "regr_syy": lambda: syy, "regr_sxy": lambda: sxy, "regr_count": lambda: Fraction(n),
          "regr_avgx": lambda: mx, "regr_avgy": lambda: my, "regr_slope": lambda: sxy / sxx if sxx else None,
          "regr_intercept": lambda: my - sxy / sxx * mx if sxx else None,
          "regr_r2": lambda: None if not sxx else sxy * sxy / (sxx * syy) if syy else Fraction(1)}
    return of[name]()


def is_right(call, type_, rows, text):
    """Is text what the call gives of the rows? None: that cannot be said by fractions."""
    name, args = re.match(r"(\w+)\((.*?)\)", call).groups()
    pairs = [(number(type_, a), number(type_, b)) for a, b in rows]
    if "," in args:
        given = [p for p, (a, b) in zip(pairs, rows) if a is not None and b is not None]
        values = [v for p in given for v in p]
    else:
        given = [p[0] for p, (a, _) in zip(pairs, rows) if a is not None]
        values = given
    if not given or None in values or "filter" in call or "distinct" in call:
        return None
    want = two(name, [p[0] for p in given], [p[1] for p in given]) if "," in args else one(name, given)
    if want is None:
        return text == "NULL"
    try:
        got = float(text)
    except ValueError:
        return False
    size = max(abs(want), abs(two("regr_avgy", *zip(*given)))) if name == "regr_intercept" else want  # a difference
    return math.isfinite(got) and abs(Fraction(got) - want) <= 4 * Fraction(math.ulp(float(size)))
