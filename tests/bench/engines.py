# SPDX-License-Identifier: Apache-2.0
"""The engines: how each is started for a case, whether it is there, and its version.

A query in SQL or Python goes to the engine's driver in drivers/, which is told by a JSON file
what the tables are and where the answer goes. A shell script gets the same in its environment:
$NAME of each table, $out, $mem, $tmp; for batchpipe $NAME is the operand with its schema.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

DRIVERS = Path(__file__).parent / "drivers"


class Python:
    """An engine from PyPI, behind a driver."""

    def __init__(self, name, package=None, csv_only=False, needs=None):
        self.name, self.package = name, package or name
        self.csv_only, self.needs = csv_only, needs

    def missing(self):
        if self.needs and not shutil.which(self.needs):
            return f"no {self.needs}"
        return None if self.version() else f"no python package {self.package}"

    def version(self):
        from importlib import metadata
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return None

    def command(self, case, query, tables, out, scratch, env):
        spec = {"query": query, "tables": tables, "out": str(out), "format": case.out,
                "threads": len(case.cores) or 2, "mem": case.mem_bytes,
                "tmp": str(scratch / "tmp"), "order": bool(case.order)}
        file = scratch.parent / f"{self.name}.json"
        file.write_text(json.dumps(spec))
        return [sys.executable, str(DRIVERS / f"{self.name}_job.py"), str(file)]


class Shell:
    """Programs that a shell script of the job starts."""

    csv_only = True

    def __init__(self, name, program, version):
        self.name, self.program, self.version_args = name, program, version

    def missing(self):
        return None if shutil.which(self.program) else f"no {self.program}"

    def version(self):
        done = subprocess.run([self.program, *self.version_args], capture_output=True, text=True)
        return next(iter(re.findall(r"[0-9]+(?:\.[0-9]+)+|\b[0-9]{8}\b", done.stdout + done.stderr)), "")

    def operand(self, table):
        return table["path"]

    def command(self, case, query, tables, out, scratch, env):
        file = scratch.parent / f"{self.name}.sh"
        file.write_text(query)
        env.update({t["name"]: self.operand(t) for t in tables})
        env.update(out=str(out), mem=case.mem, tmp=str(scratch / "tmp"), hops=str(case.hops))
        return ["sh", str(file)]


class Batchpipe(Shell):
    csv_only = False

    def operand(self, table):
        """Unquoted in the script: the schema, and how the text is written, belong to it."""
        if table["format"] in ("arrow", "parquet"):
            return table["path"]
        words = ["-s", f"@{table['schema']}"]
        if not table["header"]:
            words += ["--header", "no"]
        if table["delim"] != ",":
            words += ["--delim", table["delim"]]
        return " ".join(words + [table["path"]])


ENGINES = [
    Batchpipe("batchpipe", "bp-read", ["-V"]),
    Python("duckdb"),
    Python("polars"),
    Python("chdb"),
    Python("pyspark", csv_only=True, needs="java"),
    Shell("miller", "mlr", ["--version"]),
    Shell("mawk", "mawk", ["-W", "version"]),
    Shell("sort", "sort", ["--version"]),
    Shell("datamash", "datamash", ["--version"]),
]
NAMES = [e.name for e in ENGINES]
FASTEST_OF = ["duckdb", "polars", "chdb"]  # whom the goals are about


def base_environment(build, tmp):
    env = {k: v for k, v in os.environ.items() if not k.startswith("BP_")}
    env.update(PATH=f"{build / 'bin'}:{env['PATH']}", LC_ALL="C.UTF-8", TZ="UTC", TMPDIR=str(tmp))
    return env
