# SPDX-License-Identifier: Apache-2.0
"""What an engine answered, reduced to numbers that can be compared: answer.py SPEC.json prints
JSON: rows, names, an order-free hash of the exact columns, and for each float column a sum
weighted by that hash of its row. Text is read with the types that the job gives, so 4.5,
4.50 and 4.499999999 are one decimal(38,2). Run as a process of its own: it needs memory.

The arithmetic is DuckDB's, for its own answers as for all: an engine that reads its own output
could hide nothing that another one's, read the same way, would not show."""

import json
import sys
from pathlib import Path

TOLERANCE = 1e-9  # relative, of sums of floats
FLOATS = ("double precision", "double", "real")


def compare(ours, theirs):
    """What is different, in a word; or None."""
    if ours["rows"] != theirs["rows"]:
        return f"{theirs['rows']} rows, not {ours['rows']}"
    if not theirs["sorted"]:
        return "not in order"
    if ours["hash"] != theirs["hash"]:
        return "other values"
    for name, a in ours["floats"].items():
        b = theirs["floats"][name]
        if abs(a - b) > TOLERANCE * max(abs(a), abs(b), 1):
            return f"{name}: sums {b!r}, not {a!r}"
    return None


def parts(path, suffix):
    """A file, or the data files of a directory (Spark writes those)."""
    path = Path(path)
    if path.is_dir():
        return sorted(str(p) for p in path.glob(f"*.{suffix}") if p.stat().st_size)
    return [str(path)]


def open_table(db, path, kind, columns):
    """A relation 'answer' with the job's columns, uncast where the file has types."""
    if kind == "csv":
        types = ", ".join(f"'{n}': '{t}'" for n, t in columns.items())
        db.execute(f"""create view answer as from read_csv({parts(path, 'csv')}, header=true,
            auto_detect=false, delim=',', quote='"', columns={{{types}}})""")
        return
    if kind == "parquet" or Path(path).is_dir():
        db.execute(f"create view answer as from read_parquet({parts(path, 'parquet')})")
        return
    import pyarrow.dataset as ds
    table = ds.dataset(path, format="ipc")
    db.register("answer", table)


def typed(db, name, sql_type):
    """The column as the job's type: an unsigned number is chdb's way to write a timestamp."""
    found = dict(db.execute("select column_name, column_type from (describe answer)").fetchall())
    if name not in found:
        raise SystemExit(f"the answer has no column {name}: {', '.join(found)}")
    quoted = f'"{name}"'
    if sql_type == "timestamp" and "INT" in found[name]:
        return f"make_timestamp({quoted}::bigint * 1000000)"
    if found[name] == "BLOB":
        return f"decode({quoted})"
    return f"{quoted}::{sql_type}"


def in_order(db, order, columns):
    """Are the rows, as they stand in the file, sorted by these columns?"""
    if not order:
        return True
    keys = ", ".join(typed(db, name, columns[name]) + f" as k{i}" for i, name in enumerate(order))
    names = ", ".join(f"k{i}" for i in range(len(order)))
    return db.execute(f"""select count(*) = 0 from (select row({names}) as k,
        lag(row({names})) over () as before from (select {keys} from answer)) where before > k
        """).fetchone()[0]


def fingerprint(path, kind, columns, order):
    import duckdb
    db = duckdb.connect(config={"threads": 2})
    open_table(db, path, kind, columns)
    exact = [typed(db, n, t) for n, t in columns.items() if t not in FLOATS]
    floats = {n: typed(db, n, t) for n, t in columns.items() if t in FLOATS}
    row_hash = f"hash({', '.join(exact or ['1'])})"
    sums = "".join(f", sum(coalesce({e}, -1) * (1 + h % 1000))" for e in floats.values())
    inner = ", ".join([f"{row_hash} as h"] + [f'"{n}"' for n in floats])
    rows, total, *rest = db.execute(
        f"select count(*), coalesce(sum(h::hugeint), 0){sums} from (select {inner} from answer)"
    ).fetchone()
    return {"rows": rows, "hash": str(total), "floats": dict(zip(floats, [x or 0 for x in rest])),
            "sorted": in_order(db, order, columns)}


if __name__ == "__main__":
    spec = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(fingerprint(spec["out"], spec["format"], spec["columns"], spec["order"])))
