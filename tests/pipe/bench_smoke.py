# SPDX-License-Identifier: Apache-2.0
"""The bench harness is alive: a few thousand rows, our commands and DuckDB, one round; no time is
looked at. TAP. What it must not do is let a wrong answer pass, so that is tried too."""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True  # nothing is left in the source tree
import tap  # noqa: E402

BUILD = Path(os.environ.get("BP_BUILD", ROOT / "build"))
BENCH = ROOT / "tests" / "bench"


def bench(build, *args):
    return subprocess.run([sys.executable, BENCH / "bench.py", *args, "--build", build],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)


def rows(build):
    with open(build / "bench" / "results.csv", newline="") as f:
        return list(csv.DictReader(f))


def own_build(scratch):
    """A build directory with the programs of this one and no results."""
    (scratch / "bench").mkdir(parents=True)
    (scratch / "bin").symlink_to(BUILD / "bin")
    (scratch / "bench" / "bin").symlink_to(BUILD / "bench" / "bin")
    return scratch


def each_job_runs_and_agrees(build):
    done = bench(build, "run", "--scale", SCALE, "--rounds", "1", "--engines",
                 "batchpipe,duckdb", *JOBS)
    got = rows(build) if done.returncode == 0 else []
    tap.claim("our commands and DuckDB run the jobs", done.returncode == 0, done.stdout + done.stderr)
    tap.claim("each job has a row of each", {(r["case"], r["engine"]) for r in got} >=
          {(j, e) for j in JOBS for e in ("batchpipe", "duckdb")}, got)
    tap.claim("all answers agree", all(r["answer"] == "same" for r in got), got)
    tap.claim("a row has wall, CPU and memory", all(
        float(r["wall_s"]) > 0 and float(r["cpu_s"]) > 0 and float(r["peak_mib"]) > 0
        for r in got), got)


def cores_are_compared(build):
    done = bench(build, "run", "--scale", SCALE, "--rounds", "1", "J15-J4-core")
    kinds = {r["engine"] for r in rows(build) if r["case"] == "J15-J4-core"}
    many = len(os.sched_getaffinity(0)) > 1
    tap.claim("one core, both, and two copies at once", done.returncode == 0 and
          kinds == {"batchpipe", "both cores"} | ({"two copies"} if many else set()) and
          (not many or "two copies at once give" in done.stdout), done.stdout + done.stderr)


def a_report_follows(build):
    done = bench(build, "report", "--scale", SCALE)
    tap.claim("the table names job, engine and date", done.returncode == 0 and
          all(w in done.stdout for w in ("| J3 |", "duckdb ", "Measured by")),
          done.stdout + done.stderr)


def a_wrong_answer_is_seen(scratch):
    sys.path.insert(0, str(BENCH))
    import answer
    columns = {"zone": "int", "revenue": "decimal(38,2)", "mean": "double precision"}
    prints = {}
    for name, text in (("a", "1,4.5,0.1\n2,3,0.2\n"), ("b", "2,3.00,0.2\n1,4.499999999,0.1\n"),
                       ("value", "1,4.51,0.1\n2,3,0.2\n"), ("float", "1,4.5,0.2\n2,3,0.1\n"),
                       ("less", "1,4.5,0.1\n")):
        file = scratch / f"{name}.csv"
        file.write_text("zone,revenue,mean\n" + text)
        prints[name] = answer.fingerprint(str(file), "csv", columns, [])
    tap.claim("order and trailing zeros do not matter",
          answer.compare(prints["a"], prints["b"]) is None, prints)
    for name in ("value", "float", "less"):
        tap.claim(f"another answer is seen ({name})", answer.compare(prints["a"], prints[name]), prints)
    ordered = answer.fingerprint(str(scratch / "b.csv"), "csv", columns, ["zone"])
    tap.claim("rows out of order are seen", answer.compare(prints["a"], ordered) == "not in order",
          ordered)


def every_job_can_be_read():
    done = bench(BUILD, "list")
    tap.claim("every job's description is read", done.returncode == 0 and "J14" in done.stdout,
          done.stdout + done.stderr)


JOBS, SCALE = ["J3", "J4", "J4-parquet", "J16-jsonl", "J7-2G"], "0.0005"

with tempfile.TemporaryDirectory(prefix="bp-bench-") as name:
    scratch_dir = Path(name)
    mine = own_build(scratch_dir / "build")
    each_job_runs_and_agrees(mine)
    cores_are_compared(mine)
    a_report_follows(mine)
    a_wrong_answer_is_seen(scratch_dir)
    every_job_can_be_read()
sys.exit(tap.done())
