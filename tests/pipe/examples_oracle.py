# SPDX-License-Identifier: Apache-2.0
"""The examples in examples/taxi, and the same jobs on real files, against DuckDB.

Runs each script on a small generated set of trips in a scratch directory and
compares what it made with what DuckDB says about the same CSV: as multisets of
rows, every value as text, money to the cent. The real files are those in the
folder $BP_SHARED_DATA (../shared/data beside the checkout); absent: skipped.

    BP_PYTHON tests/pipe/examples_oracle.py        prints TAP

The programs are those in $BP_BUILD/bin (build/bin); python needs duckdb and pyarrow.
"""

import csv
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.ipc as ipc

ROOT = Path(__file__).resolve().parents[2]
TAXI = ROOT / "examples" / "taxi"
BIN = Path(os.environ.get("BP_BUILD", ROOT / "build")) / "bin"
SHARED = Path(os.environ.get("BP_SHARED_DATA", ROOT.parent / "shared" / "data"))
ROWS = 30000

# the caller's task must not leak into the runs, nor must the make that runs the tests
ENV = {k: v for k, v in os.environ.items()
       if k not in ("BP_TASK", "BP_TASKS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
ENV["PATH"] = f"{BIN}:{ENV['PATH']}"

SQL_OF_ARROW = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "integer",
    "int64": "bigint", "float": "float", "double": "double", "string": "varchar",
    "date32[day]": "date", "timestamp[us]": "timestamp",
}

# ---- running ----


class Failed(Exception):
    pass


def run(argv, env=None, cwd=None):
    """stdout of a command that must succeed and, but for make, stay silent on stderr."""
    p = subprocess.run([str(a) for a in argv], env=env or ENV, cwd=cwd, capture_output=True,
                       timeout=300)
    if p.returncode != 0:
        raise Failed(f"exit {p.returncode}: {p.stderr.decode().strip()}")
    return p.stdout


def shell(script, cwd, env=None):
    """A pipeline; pipefail, so that every part must succeed."""
    return run(["bash", "-euo", "pipefail", "-c", script], cwd=cwd, env=env)


# ---- rows as text ----


def csv_rows(path):
    """Header and rows of a CSV file; a NULL is '' and so is an empty text."""
    with open(path, newline="") as f:
        rows = [tuple(r) for r in csv.reader(f)]
    return list(rows[0]), rows[1:]


def sql_rows(db, query):
    """Names and rows of a query, every value as text, NULL as ''."""
    names = [c[0] for c in db.execute(f"select * from ({query}) limit 0").description]
    cells = ", ".join(f"coalesce(\"{n}\"::varchar, '')" for n in names)
    return names, db.execute(f"select {cells} from ({query})").fetchall()


def arrow_rows(table):
    db = duckdb.connect()
    db.register("t", table)
    return sql_rows(db, "select * from t")


def arrow_file(path):
    with pa.memory_map(str(path)) as source:
        return ipc.open_file(source).read_all()


def arrow_stream(data):
    return ipc.open_stream(pa.BufferReader(data)).read_all()


def check_same(got, want, ordered=False):
    """got, want: (names, rows)."""
    if got[0] != want[0]:
        raise Failed(f"columns {got[0]}, not {want[0]}")
    a, b = (got[1], want[1]) if ordered else (sorted(got[1]), sorted(want[1]))
    if len(a) != len(b):
        raise Failed(f"{len(a)} rows, not {len(b)}")
    if not b:
        raise Failed("nothing to compare")
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            raise Failed(f"row {i}: {x}, not {y}")


def check(condition, text):
    if not condition:
        raise Failed(text)


# ---- the same trips in DuckDB ----


def sql_columns(name):
    """The columns of one of our schema files, as DuckDB wants them."""
    text = "".join(line.split("--")[0] for line in (TAXI / f"{name}.sql").open())
    pairs = []
    depth = start = 0
    for i, c in enumerate(text + ","):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            pairs.append(text[start:i].split())
            start = i + 1
    return "{" + ", ".join(f"'{n}': '{t}'" for n, t in pairs) + "}"


def generated(data):
    db = duckdb.connect()
    for kind in ("yellow", "green", "fhv"):
        db.execute(f"create table {kind} as from read_csv('{data}/{kind}.csv', header=true, "
                   f"columns={sql_columns(kind)})")
    db.execute(f"create table zones as from read_csv('{TAXI}/zones.csv', header=true, "
               f"columns={sql_columns('zones')})")
    for color, letter in (("yellow", "t"), ("green", "l")):
        db.execute(f"""create table revenue_{color} as
            select date_trunc('hour', {letter}pep_pickup_datetime)::timestamp as hour,
                   PULocationID as zone, sum(total_amount) as revenue, count(*) as trips
            from {color} where {letter}pep_pickup_datetime >= '2020-01-01' group by all""")
    db.execute("""create table joined as
        select hour, zone, coalesce(g.revenue, 0) as revenue_green,
               coalesce(g.trips, 0) as trips_green, coalesce(y.revenue, 0) as revenue_yellow,
               coalesce(y.trips, 0) as trips_yellow
        from revenue_green g full join revenue_yellow y using (hour, zone)""")
    db.execute("""create table named as
        select hour, j.zone, z."Zone" as zone_name, z.Borough as borough,
               revenue_green + revenue_yellow as revenue, trips_green + trips_yellow as trips
        from joined j left join zones z on j.zone = z.LocationID""")
    return db


# ---- tests: the scripts on generated trips ----

SCRATCH = None
GENERATED = None


def script(name):
    env = dict(ENV, TAXI_ROWS=str(ROWS), TAXI_DATA=str(SCRATCH / "data"),
               TAXI_OUT=str(SCRATCH / "out"))
    return run(["sh", TAXI / name], env=env, cwd="/").decode()


def oracle():
    global GENERATED
    if GENERATED is None:
        GENERATED = generated(SCRATCH / "data")
    return GENERATED


def out(name):
    return SCRATCH / "out" / name


def example_1_reads_with_a_schema_and_shows_it():
    text = script("01-read.sh")
    check(text.startswith("root\n |-- VendorID: integer (nullable = true)\n"
                          " |-- tpep_pickup_datetime: timestamp (nullable = true)\n"),
          f"the tree begins {text[:80]!r}")
    check(" |-- total_amount: decimal(10,2) (nullable = true)\n" in text, "no decimal in the tree")
    check("5 rows shown, more follow" in text, "no footer")
    for kind in ("green", "fhv"):
        run(["sh", TAXI / "data.sh", kind],
            env=dict(ENV, TAXI_ROWS=str(ROWS), TAXI_DATA=str(SCRATCH / "data"),
                     TAXI_OUT=str(SCRATCH / "out")))
    check_same(arrow_rows(arrow_file(out("yellow.arrow"))),
               sql_rows(oracle(), "from yellow"), ordered=True)


def example_2_makes_24_even_partitions():
    script("02-repartition.sh")
    names, rows = csv_rows(out("fhv-24.csv"))
    counts = [int(n) for _, n in rows]
    check(len(counts) == 24 and sum(counts) == ROWS and max(counts) - min(counts) <= 1,
          f"rows by partition: {counts}")
    whole = arrow_stream(run([BIN / "bp-read", out("fhv-24")]))
    check_same(arrow_rows(whole), sql_rows(oracle(), "from fhv"))


def example_3_keeps_four_columns_of_one_licence():
    script("03-hv0003.sh")
    check_same(csv_rows(out("hv0003.csv")), sql_rows(oracle(), """
        select pickup_datetime, dropoff_datetime, PULocationID, DOLocationID
        from fhv where hvfhs_license_num = 'HV0003'"""), ordered=True)


def example_4_adds_dates_and_base_id():
    script("04-base-id.sh")
    check_same(csv_rows(out("base_id.csv")), sql_rows(oracle(), """
        select case when n % 7 = 0 then 's/' || h when n % 3 = 0 then 'a/' || h
               else 'e/' || h end as base_id, pickup_datetime::date as pickup_date,
               dropoff_datetime::date as dropoff_date, PULocationID, DOLocationID
        from (select *, format('{:03x}', n) as h
              from (select *, substr(dispatching_base_num, 2)::int as n from fhv))"""),
               ordered=True)


def example_5_sums_revenue_alike_in_one_pipeline_and_in_two_stages():
    script("05-revenue.sh")
    for color in ("yellow", "green"):
        want = sql_rows(oracle(), f"from revenue_{color}")
        check_same(csv_rows(out(f"revenue-{color}.csv")), want)
        check(out(f"revenue-{color}.csv").read_bytes() ==
              out(f"revenue-{color}-staged.csv").read_bytes(), f"{color}: other bytes by stages")


def example_5_run_again_launches_no_task():
    before = {p: p.stat().st_mtime_ns for p in out("").rglob("*-of-*.arrow")}
    script("05-revenue.sh")
    after = {p: p.stat().st_mtime_ns for p in out("").rglob("*-of-*.arrow")}
    check(before and before == after, "task files were written again")


def example_6_joins_both_with_zeros():
    script("06-join.sh")
    table = arrow_file(out("joined.arrow"))
    check(all(c.null_count == 0 for c in table.columns), "there are NULLs")
    check_same(arrow_rows(table), sql_rows(oracle(), "from joined"))


def example_7_names_zones_and_sums_by_borough():
    script("07-zones.sh")
    check_same(arrow_rows(arrow_file(out("named.arrow"))), sql_rows(oracle(), "from named"))
    check_same(csv_rows(out("boroughs.csv")), sql_rows(oracle(), """
        select borough, sum(revenue) as revenue, sum(trips) as trips from named
        group by all order by revenue desc"""), ordered=True)


def example_8_orders_by_revenue():
    text = script("08-top.sh")
    check("10 rows shown, more follow" in text, "no top ten")
    check_same(csv_rows(out("ranking.csv")), sql_rows(oracle(), """
        from named order by revenue desc, hour, zone"""), ordered=True)


def make(*args):
    env = dict(ENV, TAXI_ROWS=str(ROWS), TAXI_DATA=str(SCRATCH / "data"),
               TAXI_OUT=str(SCRATCH / "make"))
    return run(["make", "--no-print-directory", "-C", TAXI, *args], env=env).decode()


def example_9_is_built_by_make_and_not_built_twice():
    make("-j4")
    tasks = sorted((SCRATCH / "make").rglob("*-of-*.arrow"))
    check(len(tasks) == 12, f"{len(tasks)} task files")
    check((SCRATCH / "make" / "ranking.csv").read_bytes() == out("ranking.csv").read_bytes(),
          "another ranking than the scripts'")
    text = make("-j4")
    check("sh " not in text, f"a second make did: {text}")


def example_9_makes_only_the_task_file_that_was_lost():
    for lost in ("stage/yellow/00002-of-00004.arrow", "revenue/green/00001-of-00002.arrow"):
        path = SCRATCH / "make" / lost
        was = {p: p.stat().st_mtime_ns for p in (SCRATCH / "make").rglob("*") if p.is_file()}
        path.unlink()
        make("-j4")
        now = {p: p.stat().st_mtime_ns for p in (SCRATCH / "make").rglob("*") if p.is_file()}
        changed = [p for p in now if now[p] != was.get(p)]
        check(changed == [path], f"{lost} was lost; made: {changed}")


def example_9_as_a_script_says_so():
    text = script("09-make.sh")
    check("\nnothing to do\n" in text, "the second make had something to do")
    again = text.split("one file lost:\n")[1]
    check(again.count("\nBP_TASK=") == 1 and "BP_TASK=2/4 sh" in again, f"made again: {again}")


def example_10_counts_partitions_before_and_after():
    text = script("10-skew.sh")
    check(text.count("\nskew: ") == 2, "not two lines of skew")
    before, after = ([int(n) for _, n in csv_rows(out(f"skew-{x}.csv"))[1]]
                     for x in ("before", "after"))
    by_key = [n for n, in oracle().execute(
        "select count(*) from fhv group by hvfhs_license_num").fetchall()]
    check(len(before) == len(after) == 8 and sum(before) == sum(after) == ROWS, "rows are lost")
    # partitions by licence are made of whole licences, so the heaviest one shows
    check(max(before) >= max(by_key) > 4 * ROWS / 8, f"by licence: {before}")
    check(max(after) < 1.3 * ROWS / 8, f"by time: {after}")


def example_10_sorts_by_partitions():
    whole = arrow_stream(run([BIN / "bp-read", out("fhv-sorted")]))
    names, rows = arrow_rows(whole)
    at = names.index("pickup_datetime")
    times = [r[at] for r in rows]
    check(times == sorted(times), "not in order")
    check_same((names, rows), sql_rows(oracle(), "from fhv"))


def example_11_retries_under_parallel():
    text = script("11-parallel.sh")
    check(out("parallel/broken").exists(), "no task failed")
    log = [line.split("\t") for line in (out("parallel/map.log")).read_text().splitlines()]
    check(sorted(int(r[0]) for r in log[1:]) == [1, 2, 3, 4] and
          all(r[6] == "0" for r in log[1:]), f"the log says {log}")
    check("BP_TASK=2/4" in text, "the log is not shown")
    check_same(csv_rows(out("parallel/revenue.csv")), sql_rows(oracle(), "from revenue_yellow"))


def example_12_backfills_and_runs_the_missing_day_only():
    text = script("12-backfill.sh")
    first, second = text.split("second run:\n")
    days = [f"2020-01-{d:02d}" for d in range(1, 32)]
    check("1 of 31 tasks are missing, the first is 16/31" in first, f"first run: {first}")
    check(sorted(line.split()[0] for line in first.splitlines() if line.endswith(" done")) ==
          days[:16] + days[17:], "not all other days were done")
    check(second == "2020-01-17 done\n", f"second run: {second}")
    check_same(csv_rows(out("daily.csv")), sql_rows(oracle(), """
        select tpep_pickup_datetime::date as day, PULocationID as zone,
               sum(total_amount) as revenue, count(*) as trips
        from yellow where tpep_pickup_datetime >= '2020-01-01'
            and tpep_pickup_datetime < '2020-02-01' group by all"""))


def example_13_writes_24_parquet_files_that_duckdb_reads():
    script("13-parquet.sh")
    files = sorted(out("fhv-parquet").glob("*.parquet"))
    check(len(files) == 24, f"{len(files)} files")
    db = duckdb.connect()
    got = sql_rows(db, f"from '{out('fhv-parquet')}/*.parquet'")
    check_same(got, sql_rows(oracle(), "from fhv"))
    names, rows = csv_rows(out("sizes.csv"))
    check(names == ["table", "files", "bytes"] and rows[1][:2] == ("Parquet", "24") and
          int(rows[1][2]) < int(rows[0][2]), f"{rows}")


def example_14_writes_hive_directories_of_parquet():
    script("14-hive.sh")
    db = duckdb.connect()
    got = sql_rows(db, f"""select day, hour, zone, revenue, trips from read_parquet(
        '{out('revenue-by-day')}/*/*.parquet', hive_partitioning=true)""")
    check_same(got, sql_rows(oracle(), "select hour::date as day, * from revenue_yellow"))
    names, rows = csv_rows(out("one-day.csv"))
    check_same((names, rows), sql_rows(oracle(), """select hour, zone, revenue, trips,
        hour::date as day from revenue_yellow where hour::date = '2020-01-17'"""))
    check_same(csv_rows(out("dearest.csv")), sql_rows(oracle(), """
        select tpep_pickup_datetime, PULocationID, total_amount from yellow
        where total_amount > 60 order by total_amount desc, tpep_pickup_datetime, PULocationID"""),
        ordered=True)
    check_same(csv_rows(out("appended.csv")), sql_rows(oracle(), """
        select hour::date as day, sum(revenue) as revenue, sum(trips) as trips from revenue_yellow
        where hour::date in ('2020-01-16', '2020-01-17') group by 1 order by 1"""), ordered=True)


def example_15_has_the_same_answer_from_gzipped_json():
    text = script("15-jsonl.sh")
    check(text.count("\n") == 3 and text.startswith('{"VendorID":'), text[:300])
    db = duckdb.connect()
    got = sql_rows(db, f"from read_json('{out('green.jsonl.gz')}', "
                       f"format='newline_delimited', columns={sql_columns('green')})")
    check_same(got, sql_rows(oracle(), "from green"), ordered=True)
    check_same(csv_rows(out("revenue-jsonl.csv")), sql_rows(oracle(), "from revenue_green"))


def the_generator_gives_the_same_bytes_everywhere():
    for kind, digest in (("yellow", "3ce66126a4442876"), ("green", "746615faaf8a3764"),
                         ("fhv", "aea9660cbbb98dc4")):
        data = run([BIN / "taxi-gen", "--kind", kind, "--rows", "10000"])
        got = hashlib.sha256(data).hexdigest()[:16]
        check(got == digest, f"{kind}: {got}, not {digest}")
        short = run([BIN / "taxi-gen", "--kind", kind, "--rows", "10"])
        check(data.startswith(short), f"{kind}: ten trips are not the first of ten thousand")


def trips_of_ones_own_are_left_alone():
    env = dict(ENV, TAXI_DATA=str(SCRATCH / "own"), TAXI_OUT=str(SCRATCH / "own"))
    (SCRATCH / "own").mkdir()
    (SCRATCH / "own" / "yellow.csv").write_text("mine\n")
    for rows in ("10", "20"):
        run(["sh", TAXI / "data.sh", "yellow", "green"], env=dict(env, TAXI_ROWS=rows))
        check((SCRATCH / "own" / "yellow.csv").read_text() == "mine\n", "it was overwritten")
        lines = (SCRATCH / "own" / "green.csv").read_text().count("\n")
        check(lines == int(rows) + 1, f"{lines} lines for {rows} rows")


def the_demo_ends_with_the_top_ten():
    text = script("demo.sh")
    lines = text.strip().splitlines()
    check(lines[-1] == "10 rows shown, more follow", f"the last line is {lines[-1]!r}")
    check(lines[-14].split() == ["hour", "zone_name", "revenue", "trips"],
          f"the head is {lines[-14]!r}")


# ---- tests: real files ----

JAN, APR = "yellow_tripdata_sample_2020-01.csv", "yellow_tripdata_sample_2020-04.csv"
MARCH, LOOKUP = "taxis_2019-03_green_yellow.csv", "taxi_zone_lookup.csv"


def real_db():
    db = duckdb.connect()
    money = "types={'total_amount': 'decimal(10,2)'}"
    for name, files in (("two", [JAN, APR]), ("jan", [JAN]), ("march", [MARCH])):
        paths = [str(SHARED / f) for f in files]
        db.execute(f"create table {name} as from read_csv({paths}, header=true, {money})")
    db.execute(f"create table lookup as from read_csv('{SHARED / LOOKUP}', header=true)")
    return db


def real_files_are_inferred_without_loss():
    for name in (JAN, APR, MARCH, LOOKUP):
        table = arrow_stream(run([BIN / "bp-read", SHARED / name]))
        types = {f.name: SQL_OF_ARROW[str(f.type)] for f in table.schema}
        columns = "{" + ", ".join(f"'{n}': '{t}'" for n, t in types.items()) + "}"
        # a column without values has no type that two readers must agree on; its values do
        want = sql_rows(duckdb.connect(),
                        f"from read_csv('{SHARED / name}', header=true, columns={columns})")
        check_same(arrow_rows(table), want, ordered=True)


REAL_KEYS = "-k \"date_trunc('hour', pickup_datetime) AS hour, pickup_location_id AS zone\" "
REAL_AGGS = "'sum(total_amount) AS revenue, count(*) AS trips, min(tip_amount) AS least_tip'"
REAL_REVENUE = """select date_trunc('hour', pickup_datetime)::timestamp as hour,
    pickup_location_id as zone, sum(total_amount) as revenue, count(*) as trips,
    min(tip_amount) as least_tip from two where pickup_datetime >= '2020-01-01' group by all"""


def real_revenue_by_hour_and_zone():
    shell(f"""bp-read -s 'total_amount decimal(10,2), tip_amount decimal(10,2), *' \
        '{SHARED / JAN}' '{SHARED / APR}' | bp-filter "pickup_datetime >= '2020-01-01'" |
        bp-reduce {REAL_KEYS} {REAL_AGGS} | bp-write real.csv""", SCRATCH)
    db = real_db()
    db.execute("alter table two alter tip_amount type decimal(10,2)")
    check_same(csv_rows(SCRATCH / "real.csv"), sql_rows(db, REAL_REVENUE))


def real_revenue_in_stages_has_the_same_bytes():
    for tasks, parts in ((3, 8), (7, 1)):
        stage = f"real-stage-{tasks}"
        shell(f"""for i in $(seq 0 {tasks - 1}); do
            bp-read --task $i/{tasks} -s 'total_amount decimal(10,2), tip_amount decimal(10,2), *' \
                '{SHARED / JAN}' '{SHARED / APR}' |
                bp-filter "pickup_datetime >= '2020-01-01'" |
                bp-reduce --partial {REAL_KEYS} {REAL_AGGS} |
                bp-shuffle --task $i/{tasks} -n {parts} {stage}
            done
            bp-reduce --final {stage} | bp-write real-{tasks}.csv
            cmp real.csv real-{tasks}.csv""", SCRATCH)


def real_full_join_of_green_and_yellow():
    half = """bp-read -s 'total_amount decimal(10,2), *' '{file}' | bp-filter "color = '{color}'" |
        bp-reduce -k "date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' | bp-write {color}.arrow\n"""
    shell("".join(half.format(file=SHARED / MARCH, color=c) for c in ("green", "yellow")) +
          "bp-join -t full -k hour,zone --fill 0 --suffix _green,_yellow green.arrow yellow.arrow |"
          " bp-write real-join.csv", SCRATCH)
    side = """(select date_trunc('hour', tpep_pickup_datetime)::timestamp as hour,
        PULocationID as zone, sum(total_amount) as revenue, count(*) as trips
        from march where color = '{}' group by all)"""
    check_same(csv_rows(SCRATCH / "real-join.csv"), sql_rows(real_db(), f"""
        select hour, zone, coalesce(g.revenue, 0) as revenue_green,
        coalesce(g.trips, 0) as trips_green, coalesce(y.revenue, 0) as revenue_yellow,
        coalesce(y.trips, 0) as trips_yellow
        from {side.format('green')} g full join {side.format('yellow')} y using (hour, zone)"""))


def real_zones_by_broadcast_in_order_of_revenue():
    shell(f"""bp-read -s 'total_amount decimal(10,2), *' '{SHARED / JAN}' |
        bp-join -t left -k 'pickup_location_id = locationid' -b '{SHARED / LOOKUP}' |
        bp-reduce -k borough,zone 'sum(total_amount) AS revenue, count(*) AS trips' |
        bp-sort 'revenue DESC, zone' | bp-write real-zones.csv""", SCRATCH)
    check_same(csv_rows(SCRATCH / "real-zones.csv"), sql_rows(real_db(), """
        select borough, zone, sum(total_amount) as revenue, count(*) as trips
        from jan left join lookup on pickup_location_id = locationid
        group by all order by revenue desc, zone"""), ordered=True)


# ---- TAP ----

GENERATED_TESTS = [
    example_1_reads_with_a_schema_and_shows_it,
    example_2_makes_24_even_partitions,
    example_3_keeps_four_columns_of_one_licence,
    example_4_adds_dates_and_base_id,
    example_5_sums_revenue_alike_in_one_pipeline_and_in_two_stages,
    example_5_run_again_launches_no_task,
    example_6_joins_both_with_zeros,
    example_7_names_zones_and_sums_by_borough,
    example_8_orders_by_revenue,
    example_9_is_built_by_make_and_not_built_twice,
    example_9_makes_only_the_task_file_that_was_lost,
    example_9_as_a_script_says_so,
    example_10_counts_partitions_before_and_after,
    example_10_sorts_by_partitions,
    example_11_retries_under_parallel,
    example_12_backfills_and_runs_the_missing_day_only,
    example_13_writes_24_parquet_files_that_duckdb_reads,
    example_14_writes_hive_directories_of_parquet,
    example_15_has_the_same_answer_from_gzipped_json,
    the_generator_gives_the_same_bytes_everywhere,
    trips_of_ones_own_are_left_alone,
    the_demo_ends_with_the_top_ten,
]
REAL_TESTS = [
    real_files_are_inferred_without_loss,
    real_revenue_by_hour_and_zone,
    real_revenue_in_stages_has_the_same_bytes,
    real_full_join_of_green_and_yellow,
    real_zones_by_broadcast_in_order_of_revenue,
]


def main():
    global SCRATCH
    bad = 0
    tests = GENERATED_TESTS + REAL_TESTS
    with tempfile.TemporaryDirectory(prefix="bp-examples-") as scratch:
        SCRATCH = Path(scratch)
        for number, test in enumerate(tests, 1):
            if test in REAL_TESTS and not (SHARED / JAN).exists():
                print(f"ok {number} - {test.__name__} # SKIP no real files in {SHARED}", flush=True)
                continue
            try:
                test()
                print(f"ok {number} - {test.__name__}", flush=True)
            except (Failed, OSError, duckdb.Error, pa.ArrowException,
                    subprocess.TimeoutExpired) as e:
                bad += 1
                print(f"not ok {number} - {test.__name__}")
                print("\n".join(f"# {line}" for line in str(e).splitlines()), flush=True)
    print(f"1..{len(tests)}")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
