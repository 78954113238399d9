# SPDX-License-Identifier: Apache-2.0
"""A query by Spark SQL, local[N]: pyspark_job.py SPEC.json. Spark writes no Arrow files: where
the others write Arrow, it writes Parquet, uncompressed."""

import json
import sys

from pyspark.sql import SparkSession

TYPES = {"text": "string", "timestamp": "timestamp_ntz", "double precision": "double"}


def main():
    spec = json.load(open(sys.argv[1]))
    memory = f"{spec['mem'] >> 20}m" if spec["mem"] else "6g"
    spark = (SparkSession.builder.master(f"local[{spec['threads']}]")
             .config("spark.driver.memory", memory).config("spark.ui.enabled", False)
             .config("spark.sql.shuffle.partitions", spec["threads"])
             .config("spark.sql.parquet.compression.codec", "uncompressed")
             .config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "ERROR")
             .config("spark.local.dir", spec["tmp"]).getOrCreate())
    for table in spec["tables"]:
        types = ", ".join(f"{c} {TYPES.get(t, t)}" for c, t, _ in table["columns"])
        (spark.read.option("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss")
         .csv(table["path"], schema=types, header=table["header"], sep=table["delim"])
         .createOrReplaceTempView(table["name"]))
    result = spark.sql(spec["query"].rstrip().rstrip(";"))
    if spec["format"] == "csv":
        (result.write.option("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss")
         .csv(spec["out"], header=True))
    elif spec["format"] == "arrow":
        result.write.parquet(spec["out"])
    else:
        result.write.format("noop").mode("overwrite").save()
    spark.stop()


main()
