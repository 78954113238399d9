# SPDX-License-Identifier: Apache-2.0
"""Results for people: a table for the terminal, Markdown for the README, one picture."""

import subprocess
import sys

from engines import FASTEST_OF
from results import BOTH_CORES, TWO_COPIES


QUIET = 0.05  # the part of the machine that others may take without a warning


def text_table(s):
    """A case as lines of text."""
    f = s.first
    size = f"{f.rows:,} rows, {f.in_bytes / 1e6:,.1f} MB"
    lines = [f"{f.case}  {f.title}  ({size})",
             "  engine     wall s    cpu s  peak MiB   x wall    x cpu  answer"]
    for engine in s.engines:
        wall = s.middle(engine, "wall_s")
        if wall is None:
            lines.append(f"  {engine:<9} {s.trouble(engine)}")
            continue
        rounds = len(s.good(engine))
        ratio = "".join(f"{r:9.2f}" if r else " " * 9
                        for r in (s.ratio(engine), s.ratio(engine, "cpu_s")))
        lines.append(f"  {engine:<9} {wall:7.3f}  {s.middle(engine, 'cpu_s'):7.3f}  "
                     f"{s.middle(engine, 'peak_mib'):8.1f}{ratio}  {s.answer(engine)}"
                     + (f"  ({rounds} round)" if rounds == 1 else "")
                     + (f"  {s.trouble(engine)}" if s.trouble(engine) else ""))
    ours = s.middle("batchpipe", "wall_s")
    if ours:
        lines.append(f"  floor {f.floor_s:.3f} s ({f.floor_of}): {100 * f.floor_s / ours:.0f} % reached")
    lines += verdict(s)
    if s.disturbed() > QUIET:
        lines.append(f"  NOT QUIET: other processes took {100 * s.disturbed():.0f} % of the machine")
    return "\n".join(lines)


def verdict(s):
    name, ratio = s.fastest()
    if ratio is None or not s.middle("batchpipe", "wall_s"):
        return []
    lines = []
    if ratio < 1:
        lines.append(f"  AHEAD OF US: {name}, {1 / ratio:.2f} times as fast")
    if s.first.must:
        word = "met" if ratio >= s.first.must else "NOT MET"
        lines.append(f"  {ratio:.2f} times the fastest rival ({name}); must {s.first.must:g}: {word}, "
                     f"aim {s.first.aim:g}")
    if s.leanest():
        lines.append(f"  the leanest rival takes {s.leanest():.1f} times our memory")
    return lines


def cell(s, engine):
    """A rival in the Markdown table: its ratio, or why there is none."""
    if engine not in s.engines:
        return ""
    ratio = s.ratio(engine)
    if ratio is None:
        return s.trouble(engine).split(":")[0] or "-"
    mark = "" if s.answer(engine) in ("same", "") else " (other answer)"
    return (f"**{ratio:.2f}**" if ratio < 1 else f"{ratio:.1f}") + mark


def markdown(summaries, versions, machine, command):
    """The README's table: times for us, ratios for the others. Bold: a rival is ahead."""
    rivals = [e for e in versions if e != "batchpipe" and any(e in s.engines for s in summaries)]
    head = ["job", "what", "wall s", "cpu s", "peak MiB", "of floor"] + rivals + ["memory"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for s in summaries:
        wall = s.middle("batchpipe", "wall_s")
        if wall is None:
            continue
        lean = s.leanest()
        row = [s.first.case, s.first.title, f"{wall:.3f}", f"{s.middle('batchpipe', 'cpu_s'):.3f}",
               f"{s.middle('batchpipe', 'peak_mib'):.0f}", f"{100 * s.first.floor_s / wall:.0f} %"]
        row += [cell(s, e) for e in rivals] + [f"{lean:.1f}" if lean else ""]
        lines.append("| " + " | ".join(row) + " |")
    ahead = [f"{s.first.case} ({s.fastest()[0]}, {1 / s.fastest()[1]:.1f} times as fast)"
             for s in summaries if s.fastest()[1] and s.fastest()[1] < 1]
    named = ", ".join(f"{e} {versions[e]}" for e in versions)
    dates = sorted({s.first.date for s in summaries})
    return "\n".join(lines + [
        "", f"A rival's column says how many times our wall time it takes (median of paired rounds); "
        f"the last, how many times our memory the leanest of {', '.join(FASTEST_OF)} takes.",
        "A rival is ahead: " + ("; ".join(ahead) if ahead else "nowhere in this table") + ".",
        noisy_note(summaries) +
        f"Measured by `{command}` on {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, {machine}; "
        f"{named}."]) + "\n"


def noisy_note(summaries):
    noisy = [s.first.case for s in summaries if s.disturbed() > QUIET]
    return f"Other programs were running during {', '.join(noisy)}.\n" if noisy else ""


def across(summaries):
    """What only several cases together say: hops, growth, sums over queries."""
    by_id = {s.first.case: s for s in summaries if s.middle("batchpipe", "wall_s")}
    return hop_lines(by_id) + growth_lines(by_id) + sum_lines(by_id)


def hop_lines(by_id):
    """Seconds per GB and hop: the slope of a least-squares line."""
    points = [(s.first.hops, s.middle("batchpipe", "wall_s")) for s in by_id.values() if s.first.hops]
    if len(points) < 2:
        return []
    gb = next(s.first.in_bytes for s in by_id.values() if s.first.hops) / 1e9
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = (sum((x - mean_x) * (y - mean_y) for x, y in points)
             / sum((x - mean_x) ** 2 for x, _ in points))
    return [f"J14: {slope / gb:.3f} s per hop and GB; must 0.3, aim 0.05"]


def growth_lines(by_id):
    """J15-JOB-F against J15-JOB-1: 1.00 is linear; and one core against two."""
    lines = []
    for name, s in by_id.items():
        job = name.removeprefix("J15-").rpartition("-")[0]
        wall = s.middle("batchpipe", "wall_s")
        one = by_id.get(f"J15-{job}-1")
        if name.endswith("-core") and s.ratio(BOTH_CORES):
            line = f"J15: {job}: two cores are {1 / s.ratio(BOTH_CORES):.2f} times as fast as one"
            if s.ratio(TWO_COPIES):
                line += f"; two copies at once give {2 / s.ratio(TWO_COPIES):.2f}"
            lines.append(line + "; must 1.7")
        if name.startswith("J15-") and one and s is not one and not name.endswith("-core"):
            ratio = wall / one.middle("batchpipe", "wall_s")
            lines.append(f"J15: {job}: {s.first.factor:g} times the rows take "
                         f"{ratio / s.first.factor:.2f} times linear")
    return lines


SUMS = ("J10-group-csv-", "J10-group-arrow-", "J10-join-csv-", "J10-join-arrow-")


def sums(summaries, prefix, engine):
    """Of the queries that both sides finished: how many, theirs and our seconds."""
    both = [s for s in summaries if s.first.case.startswith(prefix)
            and s.middle(engine, "wall_s") and s.middle("batchpipe", "wall_s")]
    return (len(both), sum(s.middle(engine, "wall_s") for s in both),
            sum(s.middle("batchpipe", "wall_s") for s in both))


def sum_lines(by_id):
    lines = []
    for prefix in SUMS:
        for engine in FASTEST_OF:
            n, theirs, ours = sums(by_id.values(), prefix, engine)
            if n:
                lines.append(f"{prefix}*: {n} queries: {engine} {theirs:.2f} s, "
                             f"batchpipe {ours:.2f} s: {theirs / ours:.2f} times")
    return lines


GNUPLOT = """set terminal svg size 1000,420 font 'sans-serif,12' background '#ffffff'
set output '{svg}'
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9 relative
set logscale y
set ylabel 'times as long as batchpipe'
set xtics nomirror rotate by -35
set ytics nomirror
set grid ytics lc rgb '#dddddd'
set border 3
set key outside top center horizontal
set yrange [0.5:*]
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb '#333333'
set datafile missing '-'
plot {series}
"""
COLORS = ["#e3a008", "#2563a8", "#c2410c", "#4d7c3a", "#8b5fa8", "#777777", "#aa5555", "#55aaaa"]


def bars(summaries, rivals):
    """(name, ratio of each rival or None); the queries of J10 are one."""
    out, summed = [], set()
    for s in summaries:
        prefix = next((p for p in SUMS if s.first.case.startswith(p)), None)
        if prefix is None:
            out.append((s.first.case, [s.ratio(e) for e in rivals]))
        elif prefix not in summed:
            summed.add(prefix)
            both = [sums(summaries, prefix, e) for e in rivals]
            out.append((prefix.rstrip("-"), [theirs / ours if n else None for n, theirs, ours in both]))
    return [(name, ratios) for name, ratios in out if any(ratios)]


def picture(summaries, rivals, svg):
    """One bar a rival, a cluster a job, logarithmic: what lies above 1 is slower than we are."""
    rivals = [e for e in rivals if any(s.ratio(e) for s in summaries)]
    shown = bars(summaries, rivals)
    if not shown:
        return
    table = svg.with_suffix(".dat")
    with open(table, "w") as f:
        for name, ratios in shown:
            f.write(" ".join([f'"{name}"'] + [f"{r:.3f}" if r else "-" for r in ratios]) + "\n")
    series = ", ".join(
        f"'{table}' using {i + 2}{':xtic(1)' if i == 0 else ''} title '{e}' lc rgb '{COLORS[i]}'"
        for i, e in enumerate(rivals))
    try:
        subprocess.run(["gnuplot"], input=GNUPLOT.format(svg=svg, series=series), text=True,
                       check=True)
    except FileNotFoundError:
        print("no picture: gnuplot is not installed", file=sys.stderr)
