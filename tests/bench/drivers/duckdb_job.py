# SPDX-License-Identifier: Apache-2.0
"""A query by DuckDB: duckdb_job.py SPEC.json. Its own CSV writer; Arrow by record batches."""

import json
import sys

import duckdb


def view(db, table):
    if table["format"] == "arrow":
        import pyarrow.dataset as ds
        db.register(table["name"], ds.dataset(table["path"], format="ipc"))
        return
    if table["format"] == "parquet":
        db.execute(f"create view \"{table['name']}\" as from read_parquet('{table['path']}')")
        return
    columns = ", ".join(f"'{name}': '{sql_type}'" for name, sql_type, _ in table["columns"])
    if table["format"] == "jsonl":
        db.execute(f"""create view "{table['name']}" as from read_json('{table['path']}',
            format='newline_delimited', columns={{{columns}}})""")
        return
    db.execute(f"""create view "{table['name']}" as from read_csv('{table['path']}',
        auto_detect=false, header={table['header']}, delim='{table['delim']}', quote='"',
        columns={{{columns}}})""")


def write_arrow(result, out):
    import pyarrow as pa
    reader = result.to_arrow_reader(122880)
    with pa.ipc.new_file(out, reader.schema) as file:
        for batch in reader:
            file.write_batch(batch)


def main():
    spec = json.load(open(sys.argv[1]))
    config = {"threads": spec["threads"], "temp_directory": spec["tmp"],
              "preserve_insertion_order": spec["order"]}
    if spec["mem"]:
        config["memory_limit"] = f"{spec['mem'] >> 20}MiB"
    db = duckdb.connect(config=config)
    for table in spec["tables"]:
        view(db, table)
    query = spec["query"].rstrip().rstrip(";")
    if spec["format"] == "csv":
        db.execute(f"copy ({query}\n) to '{spec['out']}' (format csv, header)")
    elif spec["format"] == "parquet":
        db.execute(f"copy ({query}\n) to '{spec['out']}' (format parquet, codec snappy)")
    elif spec["format"] == "arrow":
        write_arrow(db.sql(query), spec["out"])
    else:
        for _ in db.sql(query).to_arrow_reader(122880):
            pass


main()
