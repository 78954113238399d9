from datetime import datetime

result = (
    yellow.filter(pl.col("tpep_pickup_datetime") >= datetime(2020, 1, 1))
    .group_by(pl.col("tpep_pickup_datetime").dt.truncate("1h").alias("hour"),
              pl.col("PULocationID").alias("zone"))
    .agg(pl.col("total_amount").sum().alias("revenue"), pl.len().alias("trips"))
    .sort("hour", "zone")
)
