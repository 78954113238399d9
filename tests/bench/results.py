# SPDX-License-Identifier: Apache-2.0
"""Results: one row a run, one CSV file a case under build/bench/results/SCALE, so that jobs can be
measured one by one and reported together. Medians and ratios are computed from the rows."""

import csv
from dataclasses import asdict, dataclass, fields
from statistics import median

from engines import FASTEST_OF


@dataclass
class Row:
    case: str
    title: str
    engine: str
    version: str
    round: int
    status: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    answer: str      # same, or what is different; empty: not compared
    in_bytes: int
    out_bytes: int
    rows: int
    floor_s: float
    floor_of: str
    must: float
    aim: float
    scale: float
    date: str
    hops: int
    factor: float
    foreign: float   # part of the machine that others took, 0 to 1
    note: str = ""


# In the rows of a case on fewer cores: the same on both, run in turn.
BOTH_CORES = "both cores"
TWO_COPIES = "two copies"  # of it at once, a core each: what two cores can give


def directory(build, scale):
    return build / "bench" / "results" / f"{scale:g}"


def save(where, rows):
    where.mkdir(parents=True, exist_ok=True)
    with open(where / f"{rows[0].case}.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, [x.name for x in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(r) for r in rows)


def load(where, case_id):
    """The rows of a case's last measurement; none if it was not measured."""
    path = where / f"{case_id}.csv"
    if not path.exists():
        return []
    kinds = {x.name: x.type for x in fields(Row)}
    with open(path, newline="") as f:
        reader = csv.DictReader(f)
        if reader.fieldnames != list(kinds):
            return []  # an older harness wrote it
        return [Row(**{k: kinds[k](v) for k, v in row.items()}) for row in reader]


class Summary:
    """A case's rows, engine by engine."""

    def __init__(self, rows):
        self.rows, self.first = rows, rows[0]
        self.engines = list(dict.fromkeys(r.engine for r in rows))

    def of(self, engine):
        return [r for r in self.rows if r.engine == engine]

    def good(self, engine):
        return [r for r in self.of(engine) if r.status == "ok"]

    def middle(self, engine, what):
        values = [getattr(r, what) for r in self.good(engine)]
        return median(values) if values else None

    def ratio(self, engine, what="wall_s"):
        """How many times our wall time (or CPU) the engine takes: the median of paired rounds."""
        ours = {r.round: getattr(r, what) for r in self.good("batchpipe")}
        pairs = [getattr(r, what) / ours[r.round] for r in self.good(engine) if ours.get(r.round)]
        return median(pairs) if pairs else None

    def fastest(self):
        """The name and ratio of the fastest of those whom the goals are about."""
        ratios = {e: self.ratio(e) for e in FASTEST_OF if self.ratio(e)}
        return min(ratios.items(), key=lambda x: x[1]) if ratios else (None, None)

    def leanest(self):
        """The least peak memory of the same, over ours."""
        ours = self.middle("batchpipe", "peak_mib")
        theirs = [p for p in (self.middle(e, "peak_mib") for e in FASTEST_OF) if p]
        return min(theirs) / ours if theirs and ours else None

    def disturbed(self):
        """The part of the machine that others took: the median over the runs of a second or so,
        whose clock ticks are exact enough; 0 if there is none."""
        shares = [r.foreign for r in self.rows if r.status == "ok" and r.wall_s > 0.5]
        return median(shares) if shares else 0

    def answer(self, engine):
        return next((r.answer for r in self.of(engine) if r.answer), "")

    def trouble(self, engine):
        return next((f"{r.status}: {r.note}".rstrip(": ") for r in self.of(engine)
                     if r.status != "ok"), "")
