#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command with its N-th malloc, read, write, open, rename, fsync or close failing. TAP.

usage: run.py [all] [WORD...]      WORD: only commands whose line holds it
BP_FAULT_ALL=1, or `all`: every N; else every N to 50, then every 17th, which CI bears.

A run must end with the right result, or with exit 1, a message that names the cause, and the
previous output or none; never with a signal, a hang, or part of an output under its final name.
A system call that is interrupted, or moves one byte only, must not show at all.
"""
import concurrent.futures
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

BUILD = os.environ["BP_BUILD"]
SHIM = os.path.join(BUILD, "fault", "shim.so")
BIN = os.path.join(BUILD, "bin")
AVRO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fuzz/corpus/avro/hand")
ALL = bool(os.environ.get("BP_FAULT_ALL")) or "all" in sys.argv[1:]
WORDS = [w for w in sys.argv[1:] if w != "all"]
# each start costs much more under a sanitizer, whose report is exit 1 or worse
SANITIZED = "/san-" in BUILD
EVERY_TO, STRIDE = (3, 97) if SANITIZED else (50, 17)
END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
CAUSE = {
    "malloc": ("memory", "cannot create shared object descriptor", "cannot start a thread"),
    "read": ("Input/output error",),
    "write": ("No space left on device",),
    "open": ("Too many open files",),
    "rename": ("Input/output error",),
    "fsync": ("Input/output error",),
    "close": ("Input/output error",),
}
# libpg_query when its first blocks are refused, snappy and its loader end the process themselves,
# in words and with a status of their own: then nothing may look like a result.
ENDS_BY_ITSELF = {"TopMemoryContext: ": (1, 2),
                  "error occurred before error message processing": (2,),
                  "out of memory": (1, 127),
                  "cannot allocate memory for thread-local data": (127,),
                  "terminate called after throwing an instance of 'std::bad_alloc'": (-signal.SIGABRT,)}
# where a library goes on without the memory it was refused, it shows at few N only
EVERY_MALLOC = ("bp-reduce --final stage",)
HELPERS = ("bp-sqlite: ", "bp-avro: ", "sh: ")
# HOW that the result must survive
HARMLESS = ("eintr", "short")

# (the command line, its stdin or None, what it writes or None)
COMMANDS = [
    ("bp-read in.csv", None, None),
    ("bp-read -s @in.sql -c k,v -w 'v > 3' in.csv", None, None),
    ("bp-read -c t in.csv.gz", None, None),
    ("bp-read in.csv.zst", None, None),
    ("bp-read -j 2 in.jsonl.gz", None, None),
    ("bp-read -j 1 in.csv.lz4", None, None),
    ("bp-read -j 1 in.csv.bz2", None, None),
    ("bp-read in.csv.xz", None, None),
    ("bp-read in.jsonl", None, None),
    ("bp-read -s 'k int, v decimal(12,2), *' -c k,v -w 'v > 3' in.jsonl", None, None),
    ("bp-read in.arrow parts in.arrows", None, None),
    ("bp-read 'i*.arrow' parts", None, None),
    ("bp-read in.parquet", None, None),
    ("bp-read -c t,k -w 'v > 3' in.parquet in.parquet", None, None),
    ("bp-read nested.parquet", None, None),
    ("bp-read nested.jsonl", None, None),
    ("bp-read in.avro", None, None),
    ("bp-read in.db#t", None, None),
    ("bp-read --task 1/3 in.csv in2.csv", None, None),
    ("bp-read --task 1/3 -c k,_file,_line in.csv in2.csv", None, None),
    ("bp-head -n 1 -k _part,_file stage", None, None),
    ("bp-map 'k, _file, _line' in.jsonl in.jsonl", None, None),
    ("bp-read --task 1/2 in.arrow sorted.arrow", None, None),
    ("bp-filter \"v > 2 AND t LIKE 'n%' OR d IS NULL\"", "in.arrows", None),
    ("bp-map -v x=5 \"k + :x AS a, upper(t) AS u, v * 2.5 AS w, date_trunc('month', d) AS m,"
     " CASE WHEN v > 3 THEN t ELSE 'none' END AS c\"", "in.arrows", None),
    ("bp-map -a 'v / 3 AS v, length(t) AS t'", "in.arrows", None),
    ("bp-map -r 'k AS kk'", "in.arrows", None),
    ("bp-reduce -k 'k % 7 AS g, t' 'sum(v) AS s, avg(f) AS a, min(t) AS lo, max(d) AS hi, count(*) AS n'",
     "in.arrows", None),
    ("bp-reduce --partial -k t 'sum(f) AS s, avg(v) AS a'", "in.arrows", None),
    ("bp-reduce --final stage", None, None),
    ("bp-reduce -k k 'string_agg(t, $$-$$ ORDER BY v DESC) AS s, sum(DISTINCT v) AS u,"
     " approx_count_distinct(t) AS n, approx_percentile(f, 0.5) AS p, first(t ORDER BY d) AS b'",
     "in.arrows", None),
    ("bp-reduce -k 'k % 7 AS g' --across 'v % 3' 'count(*) AS n, max(t) AS t'", "in.arrows", None),
    ("bp-join -k k in.arrow small.csv", None, None),
    ("bp-join -t full -k 'k = id' in.arrow small2.csv", None, None),
    ("bp-join -t left -k k -b small.csv", "in.arrows", None),
    ("bp-sort 't DESC, v'", "in.arrows", None),
    ("bp-sort 'v DESC' -n 5", "in.arrows", None),
    ("bp-sort -m 'k' sorted.arrow sorted.arrow", None, None),
    ("bp-sort --borders 4 'k DESC, t'", "in.arrows", None),
    ("bp-head -n 2 -k k", "in.arrows", None),
    ("bp-sample -n 20", "in.arrows", None),
    ("bp-sample -k t -n 5", "in.arrows", None),
    ("bp-sample -k k 30%", "in.arrows", None),
    ("bp-show -n 5 in.arrow", None, None),
    ("bp-show -a in.arrow", None, None),
    ("bp-show -a -x in.arrow", None, None),
    ("bp-schema --json in.csv", None, None),
    ("bp-stat in.arrow", None, None),
    ("bp-stat --verify stage", None, None),
    ("bp-stat -k 'k % 5, t' -n 3 in.arrow", None, None),
    ("bp-stat --fingerprint in.arrow", None, None),
    ("bp-todo -n 2 stage in.csv", None, None),
    ("bp-write", "in.arrows", None),
    ("bp-write out.db#t", "in.arrows", "out.db"),
    ("bp-write --replace out.db#t", "in.arrows", "out.db"),
    ("bp-write out.parquet", "in.arrows", "out.parquet"),
    ("bp-write --codec zstd --page-version 2 --row-group-rows 70 out.parquet", "in.arrows", "out.parquet"),
    ("bp-write --row-group-rows 20 out.parquet", "nested.arrows", "out.parquet"),
    ("bp-write out.csv", "in.arrows", "out.csv"),
    ("bp-write out.arrow", "in.arrows", "out.arrow"),
    ("bp-write out.jsonl", "in.arrows", "out.jsonl"),
    ("bp-write out.csv.gz", "in.arrows", "out.csv.gz"),
    ("bp-write out.jsonl.zst", "in.arrows", "out.jsonl.zst"),
    ("bp-write -j 2 out.csv.gz", "in.arrows", "out.csv.gz"),
    ("bp-write --by t --codec gzip -f csv by", "in.arrows", "by"),
    ("bp-write -f csv out/", "in.arrows", "out"),
    ("bp-write --task 1/2 -f arrow out/", "in.arrows", "out"),
    ("bp-write --by t,d -f csv by", "in.arrows", "by"),
    ("bp-write --by t -f arrow by/", "in.arrows", "by"),
    ("bp-write by/{t}.jsonl", "in.arrows", "by"),
    ("bp-write --parts 3 -f csv by/", "in.arrows", "by"),
    ("bp-write --target-size 2K -f parquet out/", "in.arrows", "out"),
    ("bp-write --run two -f csv --by k by/", "in.arrows", "by"),
    ("bp-write --replace-parts -f csv --by k by/", "small.arrows", "by"),
    ("bp-write --task 1/2 -f csv --by t out/", "in.arrows", "out"),
    ("bp-shuffle -k k -n 4 out", "in.arrows", "out"),
    ("bp-shuffle --task 0/2 -n 4 out", "partial.arrows", "out"),
    ("bp-shuffle --replace -k k -n 4 out", "in.arrows", "out"),
    ("bp-shuffle --range @borders.arrows out", "in.arrows", "out"),
    ("bp-shuffle -k k -n 4 --split-hot @small.csv out", "in.arrows", "out"),
    ("bp-shuffle -k k -n 4 --copy-hot @small.csv out", "in.arrows", "out"),
    ("bp-join --task 0/2 -k k split copied", None, None),
    ("bp-shuffle --even --target-size 1K out", "in.arrows", "out"),
]
# outputs that stand before the command starts
PREVIOUS = {"bp-write --replace out.db#t": "in.db", "bp-write out.csv": "in.csv", "bp-write out.arrow": "small.arrow",
            "bp-write --by t -f arrow by/": "old_by", "bp-write by/{t}.jsonl": "old_by",
            "bp-write --parts 3 -f csv by/": "old_by", "bp-write --run two -f csv --by k by/": "old_by",
            "bp-write --replace-parts -f csv --by k by/": "old_by",
            "bp-shuffle --replace -k k -n 4 out": "stage"}

count = failed = 0


def report(name, problems):
    global count, failed
    count += 1
    if not problems:
        print(f"ok {count} - {name}", flush=True)
        return
    failed += 1
    print(f"not ok {count} - {name}")
    for p in problems[:12]:
        print("# " + p.replace("\n", "\n#   "))
    if len(problems) > 12:
        print(f"# and {len(problems) - 12} more")
    sys.stdout.flush()


def sh(line):
    subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=True)


def prepare():
    """Small tables of all types, in the working directory."""
    with open("in.csv", "w") as f:
        f.write("k,t,v,f,d\n")
        for i in range(200):
            f.write(f"{i % 23},{'name' if i % 3 else 'other'}{i % 11},{i * 7 % 101},{i}.25,"
                    f"{'' if i % 5 == 0 else '2024-01-%02d' % (i % 28 + 1)}\n")
    with open("in.sql", "w") as f:
        f.write("k int, t text, v decimal(12,2), f float8, d date")
    with open("small.csv", "w") as f:
        f.write("k,label\n" + "".join(f"{i},label {i}\n" for i in range(0, 40, 3)))
    with open("small2.csv", "w") as f:
        f.write("id,t\n" + "".join(f"{i},right {i}\n" for i in range(0, 40, 3)))
    with open("nested.jsonl", "w") as f:
        for i in range(60):
            f.write(f'{{"k":{i},"l":[{i},null,"x{i % 7}"],"s":{{"a":{i * 3},"b":[{{"c":"t{i}"}},{{"c":null}}]}}}}\n')
    shutil.copyfile(AVRO, "in.avro")
    sh("bp-read nested.jsonl >nested.arrows; bp-write nested.parquet <nested.arrows; gzip -k in.csv; zstd -qk in.csv; lz4 -q in.csv in.csv.lz4; bzip2 -k in.csv; xz -k in.csv;"
       "bp-read -s @in.sql in.csv | bp-write in.jsonl; bp-read -s @in.sql in.csv | bp-write in.jsonl.gz;"
       "bp-read -s @in.sql in.csv >in.arrows; bp-write in.arrow <in.arrows;"
       "bp-read in.csv | bp-write in.parquet; bp-read small.csv | bp-write small.arrow; bp-write -f arrow parts/ <in.arrows;"
       "bp-write --by k -f csv old_by/ <in.arrows; bp-map 't, v, f, d, k' in.arrow | bp-filter 'k % 5 = 1' >small.arrows;"
       "bp-write in.db#t <in.arrows;"
       "bp-sort k in.arrow | bp-write sorted.arrow; bp-sort --borders 4 'k, t' in.arrow >borders.arrows; cp in.csv in2.csv;"
       "bp-reduce --partial -k k 'sum(f) AS s' in.arrow >partial.arrows;"
       "for i in 0 1; do bp-read --task $i/2 in.csv | bp-reduce --partial -k t 'sum(v) AS s, count(*) AS n'"
       " | bp-shuffle --task $i/2 -n 4 stage; done;"
       "bp-shuffle -k k -n 4 --split-hot @small.csv split <in.arrows;"
       "bp-read small.csv | bp-shuffle -k k -n 4 --copy-hot @small.csv copied")


def snapshot(path):
    """What stands under a name: {relative path: bytes}, or None."""
    if os.path.isfile(path):
        with open(path, "rb") as f:
            data = f.read()
        # a database that nothing was committed to is an empty file
        return {"": data} if data or not path.endswith(".db") else None
    if not os.path.isdir(path):
        return None
    found = {}
    for top, dirs, files in os.walk(path):
        dirs[:] = [d for d in dirs if not d.startswith(".tmp-")]  # rubbish() sees them
        for name in files:
            with open(os.path.join(top, name), "rb") as f:
                found[os.path.relpath(os.path.join(top, name), path)] = f.read()
    return found or None  # an empty directory is no output


def rubbish(path):
    """What was left under temporary names in a directory of outputs, and beside any output."""
    here = os.path.dirname(path)
    found = [n for n in os.listdir(here) if n.startswith(".tmp-")]
    for top, dirs, files in os.walk(path):
        found += [n for n in dirs + files if n.startswith(".tmp-")]
    return found


def place(path, previous):
    here = os.path.dirname(path)
    for n in os.listdir(here):
        if n.startswith(".tmp-"):
            shutil.rmtree(os.path.join(here, n)) if os.path.isdir(os.path.join(here, n)) else os.unlink(os.path.join(here, n))
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.unlink(path)
    if previous and os.path.isdir(previous):
        shutil.copytree(previous, path)
    elif previous:
        shutil.copyfile(previous, path)


class Command:
    def __init__(self, line, stdin, output, home):
        self.line, self.home = line, home
        self.stdin = os.path.join(home, stdin) if stdin else os.devnull
        self.output = os.path.join(home, output) if output else None
        self.argv = shlex.split(line)
        self.argv.insert(1, "-j")
        self.argv.insert(2, "1")
        if self.argv[0] in ("bp-todo", "bp-schema", "bp-show", "bp-head", "bp-stat"):
            del self.argv[1:3]
        self.argv[0] = os.path.join(BIN, self.argv[0])
        self.previous = PREVIOUS.get(line) and os.path.join(home, PREVIOUS[line])
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": os.environ["TMPDIR"]}
        if SANITIZED:
            self.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=1:exitcode=77"
            self.env["UBSAN_OPTIONS"] = "print_stacktrace=1:exitcode=77"

    def run(self, fault=None):
        """(status, stdout, stderr, output, was the call made?, what was left behind)"""
        env = dict(self.env)
        mark, out_name, errs_name = (os.path.join(self.home, n) for n in ("mark", "stdout", "stderr"))
        if fault:
            env.update(LD_PRELOAD=SHIM, BP_FAULT=fault, BP_FAULT_MARK=mark)
        if self.output:
            place(self.output, self.previous)
        if os.path.exists(mark):
            os.unlink(mark)
        with open(self.stdin, "rb") as stdin, open(out_name, "wb") as out, \
                open(errs_name, "wb") as errs:
            try:
                status = subprocess.run(self.argv, stdin=stdin, stdout=out, stderr=errs, env=env,
                                        cwd=self.home, timeout=10).returncode
            except subprocess.TimeoutExpired:
                status = "hang"
        with open(out_name, "rb") as out, open(errs_name, "rb") as errs:
            return (status, out.read(), errs.read().decode(errors="replace"),
                    snapshot(self.output) if self.output else None, os.path.exists(mark),
                    rubbish(self.output) if self.output else [])


def judge(cmd, good, old, kind, how, got):
    status, out, errs, written, _, left = got
    # a directory that cannot be opened, or read for want of memory, is not removed; nor is the
    # old one behind a commit, which the next writer's sweep tries again
    if left and status == 1 and how != "persist" and kind != "open":
        return f"rubbish is left: {left}"
    if status == 0:
        if out != good[1]:
            return "exit 0, but stdout is not the right one"
        return None if written == good[3] else "exit 0, but the output is not the right one"
    if kind == "malloc" and not out.endswith(END) and written == old and \
            any(errs.startswith(words) and status in own for words, own in ENDS_BY_ITSELF.items()):
        return None
    if status != 1:
        return f"status {status}"
    if how in HARMLESS:
        return "exit 1"
    # a helper says why in its own words, and what started it what is missing
    by_helper = any(errs.startswith(h) for h in HELPERS) or "or its keeper died" in errs
    if not by_helper and not any(c in errs for c in CAUSE[kind]):
        return "no cause in the message"
    if len(errs.splitlines()) > 1 + by_helper:
        return "not one line"
    # a table that stands whole when only its close or the directory's fsync failed is no harm
    if kind != "close" and cmd.output is None and good[1].endswith(END) and out.endswith(END):
        return "the stream ends as a complete one"
    if written not in (old, good[3]) and not refused(written, old, good[3]):
        return f"the output is neither the old nor the new one: {sorted(written)}"
    return None


def refused(written, old, new):
    """A directory that readers refuse: whole files, but of two numbers of tasks; not _SUCCESS."""
    return (written is not None and "" not in new and "_SUCCESS" not in written
            and all(v in (new.get(k), (old or {}).get(k)) for k, v in written.items()))


def step(n, every=False):
    return n + 1 if ALL or n < EVERY_TO or (every and not SANITIZED) else n + STRIDE


def try_all(cmd):
    good = cmd.run()
    if good[0] != 0:
        return cmd.line, [f"does not run: status {good[0]}: {good[2]}"]
    if cmd.output:
        place(cmd.output, cmd.previous)
    old = snapshot(cmd.output) if cmd.output else None
    problems, runs = [], 0
    for kind in CAUSE:
        hows = ["", "persist"] + (["eintr", "short"] if kind in ("read", "write") else [])
        for how in hows:
            n = 1
            while True:
                got = cmd.run(f"{kind}:{n}" + (f":{how}" if how else ""))
                runs += 1
                bad = judge(cmd, good, old, kind, how, got)
                if bad:
                    problems.append(f"{kind}:{n}:{how}: {bad}; {got[2].strip()[:600]}")
                if not got[4]:
                    break
                n = step(n, kind == "malloc" and cmd.line in EVERY_MALLOC)
    return f"{cmd.line}: {runs} faults", problems


def main():
    if "san-thread" in BUILD:
        print("ok 1 - faults # skip: one thread, and this sanitizer takes no other malloc\n1..1")
        return False
    work = tempfile.mkdtemp(prefix="bp-fault.")
    os.environ["PATH"] = BIN + ":" + os.environ["PATH"]
    os.environ.setdefault("TMPDIR", work)
    os.chdir(work)
    try:
        os.mkdir("tables")
        os.chdir("tables")
        prepare()
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for name, problems in pool.map(
                    lambda i: try_all(Command(*COMMANDS[i], shutil.copytree(
                        work + "/tables", f"{work}/{i}", copy_function=shutil.copy2))),
                    [i for i, c in enumerate(COMMANDS) if all(w in c[0] for w in WORDS)]):
                report(name, problems)
    finally:
        os.chdir("/")
        shutil.rmtree(work)
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
