# SPDX-License-Identifier: Apache-2.0
"""A query by chDB (ClickHouse in a process): chdb_job.py SPEC.json. A table's name in the query
is a view of the file with explicit types; the answer goes to a file by INSERT INTO FUNCTION."""

import json
import re
import sys

from chdb import session

TYPES = {"int": "Int32", "bigint": "Int64", "text": "String", "timestamp": "DateTime('UTC')",
         "double precision": "Float64"}


def chdb_type(sql_type, nullable):
    name = TYPES.get(sql_type) or sql_type.replace("decimal", "Decimal")
    return f"Nullable({name})" if nullable else name


def source(table):
    if table["format"] == "arrow":
        return f"file('{table['path']}', 'Arrow')"
    if table["format"] == "parquet":
        return f"file('{table['path']}', 'Parquet')"
    columns = ", ".join(f"{c} {chdb_type(t, nullable)}" for c, t, nullable in table["columns"])
    text = ("JSONEachRow" if table["format"] == "jsonl" else
            "CSVWithNames" if table["header"] else "CSV")
    return f"file('{table['path']}', '{text}', '{columns.replace(chr(39), chr(92) + chr(39))}')"


def main():
    spec = json.load(open(sys.argv[1]))
    settings = [f"max_threads={spec['threads']}", "output_format_arrow_compression_method='none'",
                "output_format_parquet_compression_method='snappy'",
                "date_time_input_format='best_effort'",
                "engine_file_truncate_on_insert=1", "join_use_nulls=1"]
    if spec["mem"]:
        settings += [f"max_memory_usage={spec['mem']}",
                     f"max_bytes_before_external_sort={spec['mem'] // 2}",
                     f"max_bytes_before_external_group_by={spec['mem'] // 2}"]
    db = session.Session()
    for table in spec["tables"]:
        db.query(f"create view {table['name']} as select * from {source(table)} "
                 f"settings format_csv_delimiter='{table['delim']}'")
    query = re.sub(r"(?m)^\s*--.*$", "", spec["query"]).strip().rstrip(";")
    if spec["format"] == "none":
        db.query(f"{query} settings {', '.join(settings)} format Null")
        return
    to = {"csv": "CSVWithNames", "arrow": "Arrow", "parquet": "Parquet"}[spec["format"]]
    db.query(f"insert into function file('{spec['out']}', '{to}') {query} "
             f"settings {', '.join(settings)}")


main()
