from datetime import datetime


def revenue(trips, pickup):
    return (
        trips.filter(pl.col(pickup) >= datetime(2020, 1, 1))
        .group_by(pl.col(pickup).dt.truncate("1h").alias("hour"),
                  pl.col("PULocationID").alias("zone"))
        .agg(pl.col("total_amount").sum().alias("revenue"), pl.len().alias("trips"))
    )


result = (
    revenue(green, "lpep_pickup_datetime")
    .join(revenue(yellow, "tpep_pickup_datetime"), on=["hour", "zone"], how="full",
          coalesce=True, suffix="_yellow")
    .select("hour", "zone", revenue_green=pl.col("revenue").fill_null(0),
            trips_green=pl.col("trips").fill_null(0),
            revenue_yellow=pl.col("revenue_yellow").fill_null(0),
            trips_yellow=pl.col("trips_yellow").fill_null(0))
)
