# SPDX-License-Identifier: Apache-2.0
"""make bench: each job by each engine in turn, on the same two cores; see README.md here.

    bench.py run [--rounds N] [--scale X] [--engines A,B] [--timeout S] [JOB...]
    bench.py report         Markdown and picture of all that was measured at this scale
    bench.py list           the jobs
"""

import sys

sys.dont_write_bytecode = True  # nothing is left in the source tree

import argparse
import concurrent.futures
import datetime
import json
import os
import platform
import signal
import subprocess
from pathlib import Path

import answer
import cases
import data
import engines
import floors
import report
import results
import run

ROOT = Path(__file__).resolve().parents[2]
SLOW_S = 15  # an engine that takes longer, or fails, has no further rounds


def parse(argv):
    p = argparse.ArgumentParser(prog="bench.py", description=__doc__.splitlines()[0])
    p.add_argument("what", choices=["run", "report", "list"])
    p.add_argument("jobs", nargs="*", metavar="JOB")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--scale", type=float, default=1)
    p.add_argument("--engines", default="")
    p.add_argument("--timeout", type=float, default=600, help="seconds for one run")
    p.add_argument("--build", type=Path, default=ROOT / "build")
    return p.parse_intermixed_args(argv)


def both_cores():
    return set(sorted(os.sched_getaffinity(0))[:2])


def chosen_engines(words):
    names = words.replace(",", " ").split() or engines.NAMES
    unknown = [n for n in names if n not in engines.NAMES]
    if unknown:
        raise SystemExit(f"no engine '{unknown[0]}'; there are: {' '.join(engines.NAMES)}")
    out = []
    for e in engines.ENGINES:
        if e.name not in names:
            continue
        why = e.missing()
        if why:
            print(f"{e.name} is left out: {why}", file=sys.stderr)
        else:
            out.append(e)
    return out


class Bench:
    def __init__(self, args):
        self.args = args
        self.build = args.build.resolve()
        self.data = data.Data(self.build, args.scale)
        self.work = self.build / "bench" / "run"
        self.work.mkdir(parents=True, exist_ok=True)
        self.results = results.directory(self.build, args.scale)
        self.engines = chosen_engines(args.engines)
        self.versions = {e.name: e.version() for e in self.engines}
        self.floors = None

    def case(self, case):
        tables = [self.data.table(t, case.input, case.factor, case.rows.get(t)) for t in case.tables]
        for t in tables:
            data.warm(t["path"])
        if not self.floors:
            self.floors = floors.Floors(self.build, max(tables, key=lambda t: t["bytes"])["path"])
            print(f"this machine: {self.floors}\n", flush=True)
        live = [(e, case.query(e.name)) for e in self.engines
                if case.query(e.name) is not None and (case.input == "csv" or not e.csv_only)]
        rows = []
        try:
            self.rounds(case, live, tables, rows)
        finally:  # an interrupt keeps the runs that were complete
            if rows:
                results.save(self.results, rows)
        if rows:
            print(report.text_table(results.Summary(rows)) + "\n", flush=True)
        return rows

    def rounds(self, case, live, tables, rows):
        slow = set()
        for number in range(1, self.args.rounds + 1):
            for engine, query in live:
                if engine.name in slow:
                    continue
                row = self.one(case, engine, query, tables, number, rows)
                rows.append(row)
                if case.cores and row.status == "ok":  # beside it, in turn: machines change
                    rows.append(self.one(case, engine, query, tables, number, rows,
                                         name=results.BOTH_CORES))
                    rows += self.two(case, engine, query, tables, number)
                if row.status != "ok" or row.wall_s > SLOW_S:
                    slow.add(engine.name)

    def prepare(self, case, engine, query, tables, place):
        """Where a run works, what it is to write, and how it is started."""
        scratch = self.work / place
        out = scratch / "out" / f"answer.{case.out}" if case.out != "none" else ""
        env = engines.base_environment(self.build, scratch / "tmp")
        return scratch, out, engine.command(case, query, tables, out, scratch, env), env

    def one(self, case, engine, query, tables, number, before, name=None):
        scratch, out, command, env = self.prepare(case, engine, query, tables, engine.name)
        cores = set(case.cores) if case.cores and name != results.BOTH_CORES else both_cores()
        got = run.run(command, env, cores, scratch, case.mem_bytes, self.args.timeout)
        row = self.row(case, engine, name, tables, number, got, scratch, cores)
        if got.status == "ok" and case.out != "none" and number == 1:
            row.answer = self.judge(case, name or engine.name, out, not before)
        return row

    def two(self, case, engine, query, tables, number):
        """Two copies of the run at once, a core each: the row of the slower, or of one that failed;
        none on one core."""
        cores = sorted(both_cores())
        if len(cores) < 2:
            return []
        runs = [self.prepare(case, engine, query, tables, f"{engine.name}-{core}") for core in cores]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(run.run, command, env, {core}, scratch, case.mem_bytes,
                                self.args.timeout)
                    for core, (scratch, _, command, env) in zip(cores, runs)]
            got = [job.result() for job in jobs]
        worse = max(range(2), key=lambda i: (got[i].status != "ok", got[i].wall_s))
        row = self.row(case, engine, results.TWO_COPIES, tables, number, got[worse],
                       runs[worse][0], {cores[worse]})
        row.foreign = 0  # that is the other one
        return [row]

    def row(self, case, engine, name, tables, number, got, scratch, cores):
        if got.status != "ok":
            print(f"{case.id}: {engine.name}: {got.status}: {got.stderr[-2000:]}", file=sys.stderr)
        in_bytes = sum(t["bytes"] for t in tables)
        out_bytes = sum(f.stat().st_size for f in (scratch / "out").rglob("*") if f.is_file())
        floor_s, floor_of = self.floors.of(in_bytes, out_bytes, case.hops, len(cores))
        return results.Row(
            case=case.id, title=case.title, engine=name or engine.name,
            version=self.versions[engine.name], round=number, status=got.status,
            wall_s=round(got.wall_s, 5), cpu_s=round(got.cpu_s, 5),
            peak_mib=round(got.peak_bytes / 2**20, 2), answer="", in_bytes=in_bytes,
            out_bytes=out_bytes, rows=max(t["rows"] for t in tables), floor_s=round(floor_s, 5),
            floor_of=floor_of, must=case.must, aim=case.aim, scale=self.args.scale,
            date=datetime.date.today().isoformat(), hops=case.hops,
            factor=case.factor, foreign=round(got.foreign, 3), note=last_line(got.stderr))

    def judge(self, case, name, out, is_first):
        """Compared with the first engine's answer in the first round. An engine that writes no
        Arrow may have written answer.csv instead."""
        kind = case.out
        if not out.exists() and out.with_suffix(".csv").exists():
            out, kind = out.with_suffix(".csv"), "csv"
        spec = self.work / "answer.json"
        spec.write_text(json.dumps({"out": str(out), "format": kind, "columns": case.columns,
                                    "order": case.order}))
        done = subprocess.run([sys.executable, answer.__file__, spec], capture_output=True, text=True)
        if done.returncode != 0:
            return f"unreadable: {last_line(done.stderr)}"
        mine = json.loads(done.stdout)
        if is_first:
            self.reference = mine
        return answer.compare(self.reference, mine) or "same"


def last_line(text):
    return text.strip().splitlines()[-1][:300] if text.strip() else ""


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo")
                  if l.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0))
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{min(cores, 2)} of {cores} cores ({model}), {gib:.0f} GiB, Linux {platform.release()}"


def command(scale):
    return "make bench" if scale == 1 else f"make bench SCALE={scale:g}"


def make_report(args, all_cases):
    directory = results.directory(args.build, args.scale)
    summaries = [results.Summary(rows) for rows in (results.load(directory, c.id) for c in all_cases)
                 if rows]
    if not summaries:
        raise SystemExit(f"nothing is measured yet at scale {args.scale:g}: make bench")
    versions = {}
    for s in summaries:
        versions |= {r.engine: r.version for r in s.rows}
    versions = {e: versions[e] for e in engines.NAMES if e in versions}
    text = report.markdown(summaries, versions, machine(), command(args.scale))
    (args.build / "bench" / "table.md").write_text(text)
    report.picture(summaries, [e for e in versions if e != "batchpipe"],
                   args.build / "bench" / "ratios.svg")
    with open(args.build / "bench" / "results.csv", "w") as out:
        for i, s in enumerate(summaries):
            lines = (directory / f"{s.first.case}.csv").read_text().splitlines(keepends=True)
            out.writelines(lines[0 if i == 0 else 1:])
    print(text)
    print("\n".join(report.across(summaries)))


def main(argv):
    args = parse(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    os.environ["PATH"] = f"{args.build.resolve() / 'bin'}:{os.environ['PATH']}"
    chosen = cases.choose(cases.load(), args.jobs)
    if args.what == "list":
        for c in chosen:
            print(f"{c.id:14} {c.title}")
        return 0
    if args.what == "report":
        make_report(args, chosen)
        return 0
    bench, bad = Bench(args), 0
    print(f"{machine()}; {', '.join(f'{k} {v}' for k, v in bench.versions.items())}")
    for c in chosen:
        rows = bench.case(c)
        bad += sum(1 for r in rows if r.engine == "batchpipe" and r.status != "ok")
        bad += sum(1 for r in rows if r.answer not in ("", "same"))
    if bad:
        print(f"{bad} answers are different or not there", file=sys.stderr)
    make_report(args, cases.load())
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
