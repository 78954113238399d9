# SPDX-License-Identifier: Apache-2.0
"""A query by Polars: polars_job.py SPEC.json. Lazy frames by the tables' names; the query sets
result; the streaming engine writes it."""

import json
import os
import re
import sys

spec = json.load(open(sys.argv[1]))
os.environ["POLARS_MAX_THREADS"] = str(spec["threads"])
os.environ["POLARS_TEMP_DIR"] = spec["tmp"]

import polars as pl  # noqa: E402


def polars_type(sql_type):
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", sql_type)
    if decimal:
        return pl.Decimal(int(decimal[1]), int(decimal[2]))
    return {"int": pl.Int32, "bigint": pl.Int64, "text": pl.String, "timestamp": pl.Datetime("us"),
            "double precision": pl.Float64}[sql_type]


def scan(table):
    if table["format"] == "arrow":
        return pl.scan_ipc(table["path"])
    if table["format"] == "parquet":
        return pl.scan_parquet(table["path"])
    # Timestamps by str.to_datetime with a format: half the CPU of having the CSV reader do it.
    moments = [name for name, sql_type, _ in table["columns"] if sql_type == "timestamp"]
    types = {name: pl.String if name in moments else polars_type(sql_type)
             for name, sql_type, _ in table["columns"]}
    if table["format"] == "jsonl":
        # it takes no decimals from numbers
        money = {name: t for name, t in types.items() if isinstance(t, pl.Decimal)}
        frame = pl.scan_ndjson(table["path"], schema=types | {n: pl.Float64 for n in money})
        frame = frame.with_columns(pl.col(n).cast(t) for n, t in money.items())
        form = "%Y-%m-%dT%H:%M:%S"
    else:
        frame = pl.scan_csv(table["path"], schema=types, has_header=table["header"],
                            separator=table["delim"])
        form = "%Y-%m-%d %H:%M:%S"
    if not moments:
        return frame
    return frame.with_columns(pl.col(moments).str.to_datetime(form, time_unit="us"))


names = {"pl": pl} | {table["name"]: scan(table) for table in spec["tables"]}
exec(compile(spec["query"], "query", "exec"), names)
result, keep = names["result"], spec["order"]
if spec["format"] == "csv":
    result.sink_csv(spec["out"], datetime_format="%Y-%m-%d %H:%M:%S", maintain_order=keep,
                    engine="streaming")
elif spec["format"] == "parquet":
    result.sink_parquet(spec["out"], compression="snappy", maintain_order=keep, engine="streaming")
elif spec["format"] == "arrow":
    result.sink_ipc(spec["out"], compression="uncompressed", maintain_order=keep,
                    engine="streaming")
else:
    for batch in result.collect_batches(maintain_order=keep, engine="streaming"):
        pass
