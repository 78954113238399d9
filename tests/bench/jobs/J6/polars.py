result = (
    yellow.join(zones, left_on="PULocationID", right_on="LocationID")
    .group_by(pl.col("Borough").alias("borough"), pl.col("Zone").alias("zone"))
    .agg(pl.col("total_amount").sum().alias("revenue"), pl.len().alias("trips"))
)
