# SPDX-License-Identifier: Apache-2.0
"""The columns of a table, from its file in tables/: one place for all engines' explicit types."""

import re
from pathlib import Path

TABLES = Path(__file__).parent / "tables"


def columns(name):
    """[[column, SQL type, True if it may be NULL], ...]"""
    text = re.sub(r"--[^\n]*", "", (TABLES / f"{name}.sql").read_text())
    out = []
    for item in re.split(r",\s*\n", text.strip()):
        column, sql_type = item.split(None, 1)
        nullable = not sql_type.endswith(" NOT NULL")
        out.append([column, sql_type.removesuffix(" NOT NULL").strip(), nullable])
    return out
