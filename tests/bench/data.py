# SPDX-License-Identifier: Apache-2.0
"""The inputs: generated once, kept under build/bench/data by name and rows."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import schema

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Source:
    """How a table is made. rows: at scale 1; 0 for a table that is always the same."""
    rows: int
    command: list          # the generator; --rows N is appended
    schema: str = ""       # in tables/; the table's own name where empty
    header: bool = True
    delim: str = ","
    least: int = 10        # rows, however small the scale


SOURCES = {
    "yellow": Source(8_000_000, ["taxi-gen", "--kind", "yellow"]),
    "green": Source(2_000_000, ["taxi-gen", "--kind", "green"]),
    "fhv": Source(12_000_000, ["taxi-gen", "--kind", "fhv"]),
    "zones": Source(0, ["cat", str(ROOT / "examples/taxi/zones.csv")]),
    "groupby": Source(10_000_000, ["h2o-gen", "groupby"], least=1000),
    "x": Source(10_000_000, ["h2o-gen", "x"], least=1000),
    "small": Source(10_000_000, ["h2o-gen", "small"], least=1000),
    "medium": Source(10_000_000, ["h2o-gen", "medium"], least=1000),
    "big": Source(10_000_000, ["h2o-gen", "big"], least=1000),
    "stations413": Source(100_000_000, ["stations-gen", "--stations", "413"], "stations",
                          header=False, delim=";"),
    "stations10k": Source(100_000_000, ["stations-gen", "--stations", "10000"], "stations",
                          header=False, delim=";"),
}


class Data:
    def __init__(self, build, scale):
        self.dir = build / "bench" / "data"
        self.dir.mkdir(parents=True, exist_ok=True)
        self.path = f"{build / 'bench' / 'bin'}:{build / 'bin'}:{os.environ['PATH']}"
        self.scale = scale

    def rows(self, name, factor=1, rows=None):
        source = SOURCES[name]
        if source.rows == 0:
            return 0
        return rows or max(source.least, round(source.rows * self.scale * factor))

    def table(self, name, kind, factor=1, rows=None):
        """What a driver has to know of an input; the file is made if it is not there yet.
        kind: as cases.py has it. A table of a few rows that is always the same stays CSV."""
        source = SOURCES[name]
        n = self.rows(name, factor, rows)
        if source.rows == 0:
            kind = "csv"
        file = self.dir / f"{name}-{n}.{kind}"
        csv = self.dir / f"{name}-{n}.csv"
        if not csv.exists():
            self._make(csv, source.command + (["--rows", str(n)] if n else []))
        if not file.exists():
            self._convert(csv, file, source, name)
        return {
            "name": name, "path": str(file), "format": kind, "header": source.header,
            "delim": source.delim, "columns": schema.columns(source.schema or name),
            "schema": str(schema.TABLES / f"{source.schema or name}.sql"),
            "bytes": file.stat().st_size, "rows": n,
        }

    def _make(self, file, command):
        print(f"making {file.name}", file=sys.stderr)
        part = file.with_suffix(".part")
        with open(part, "wb") as out:
            subprocess.run(command, stdout=out, check=True, env=dict(os.environ, PATH=self.path))
        part.rename(file)

    def _convert(self, csv, file, source, name):
        print(f"making {file.name}", file=sys.stderr)
        env = dict(os.environ, PATH=self.path)
        read = ["bp-read", "-s", f"@{schema.TABLES / (source.schema or name)}.sql", str(csv)]
        if not source.header:
            read[1:1] = ["--header", "no"]
        if source.delim != ",":
            read[1:1] = ["--delim", source.delim]
        reader = subprocess.Popen(read, stdout=subprocess.PIPE, env=env)
        subprocess.run(["bp-write", str(file)], stdin=reader.stdout, check=True, env=env)
        reader.stdout.close()
        if reader.wait() != 0:
            raise RuntimeError(f"bp-read failed on {csv}")


def warm(path):
    """Into the page cache, so that no engine pays for the first read."""
    with open(path, "rb") as f, open(os.devnull, "wb") as null:
        shutil.copyfileobj(f, null, 1 << 20)
