# SPDX-License-Identifier: Apache-2.0
"""The jobs: jobs/NAME/job.toml, and one query file beside it for each engine.

A job has one or more cases, which override what the job says:

    title   = "one line"
    tables  = ["yellow"]          inputs, of data.SOURCES
    input   = "csv" | "csv.gz" | "jsonl" | "arrow" | "parquet"   what they are kept in
    out     = "csv" | "arrow" | "parquet" | "none"               Parquet: snappy
    columns = {hour = "timestamp", ...}   of the answer, for the comparison
    order   = ["hour", ...]       the answer is sorted by these; else its order is free
    mem     = "512M"              the memory the job may use (absent: no bound)
    must    = 4.0, aim = 8.0      ratio to the fastest of duckdb, polars, chdb
    factor  = 2                   times the rows of the tables
    rows    = {yellow = 9}        rows of a table, whatever the scale
    cores   = [0]                 instead of both; beside each such run one on both
    engines = ["batchpipe"]       only these
    like    = "J3"                the other engines' queries are that job's
    hops    = 3                   given to the query as $hops

    [[case]]
    id = "J8-csv"
    part = "q1"                   the section "-- q1" (or "# q1") of each query file
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

JOBS = Path(__file__).parent / "jobs"
SUFFIXES = {"duckdb": "sql", "chdb": "sql", "pyspark": "sql", "polars": "py"}


@dataclass
class Case:
    id: str
    dir: Path
    title: str
    tables: list
    columns: dict = field(default_factory=dict)
    input: str = "csv"
    out: str = "csv"
    order: list = field(default_factory=list)
    mem: str = ""
    must: float = 0
    aim: float = 0
    factor: float = 1
    rows: dict = field(default_factory=dict)
    cores: list = field(default_factory=list)
    engines: list = field(default_factory=list)
    like: str = ""
    part: str = ""
    hops: int = 0

    def query(self, engine):
        """The engine's query of this case, or None if it has none."""
        if self.engines and engine not in self.engines:
            return None
        name = f"{engine}.{SUFFIXES.get(engine, 'sh')}"
        for directory in [self.dir] + ([JOBS / self.like] if self.like else []):
            if (directory / name).exists():
                return section((directory / name).read_text(), self.part)
        return None

    @property
    def mem_bytes(self):
        if not self.mem:
            return 0
        return int(self.mem[:-1]) * {"M": 1 << 20, "G": 1 << 30}[self.mem[-1]]


def section(text, part):
    """The text before the first section, and that of this part; None if there is none."""
    if not part:
        return text
    pieces = re.split(r"(?m)^(?:--|#) (q[0-9]+)\b.*\n", text)
    for name, body in zip(pieces[1::2], pieces[2::2]):
        if name == part:
            return pieces[0] + body
    return None


def natural(name):
    return [int(s) if s.isdigit() else s for s in re.split(r"([0-9]+)", name)]


def load():
    """All cases of all jobs, in order."""
    out = []
    for file in sorted(JOBS.glob("*/job.toml"), key=lambda f: natural(f.parent.name)):
        job = tomllib.loads(file.read_text())
        for case in job.pop("case", [{}]):
            out.append(Case(**{"id": file.parent.name, "dir": file.parent, **job, **case}))
    return out


def choose(cases, words):
    """Those named: J3 stands for J3 and all J3-..., J10-q for all that begin so."""
    if not words:
        return cases
    chosen = [c for c in cases
              if any(c.id == w or c.id.startswith(w if w.endswith("-") else w + "-") for w in words)]
    for w in words:
        if not any(c.id == w or c.id.startswith(w.rstrip("-") + "-") for c in cases):
            raise SystemExit(f"no job '{w}'; there are: {' '.join(c.id for c in cases)}")
    return chosen
