# q1
result = (
    stations413.group_by("station")
    .agg(pl.col("t").min().alias("min"), pl.col("t").mean().alias("mean"),
         pl.col("t").max().alias("max"))
    .sort("station")
)
# q2
result = (
    stations10k.group_by("station")
    .agg(pl.col("t").min().alias("min"), pl.col("t").mean().alias("mean"),
         pl.col("t").max().alias("max"))
    .sort("station")
)
