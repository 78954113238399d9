result = (
    yellow.group_by(pl.col("PULocationID").alias("pu"), pl.col("DOLocationID").alias("dz"),
                    pl.col("tpep_pickup_datetime").dt.truncate("1m").alias("minute"))
    .agg(pl.len().alias("trips"), pl.col("total_amount").sum().alias("revenue"))
)
