# Polars has no expression for hexadecimal: a table of all five-digit bases is joined instead.


def base_id(base):
    return f"{'s' if base % 7 == 0 else 'a' if base % 3 == 0 else 'e'}/{base:03x}"


bases = pl.LazyFrame({"base_id": [base_id(b) for b in range(100_000)]}).select(
    pl.int_range(100_000, dtype=pl.Int32).alias("base"), "base_id")
result = (
    fhv.with_columns(pl.col("dispatching_base_num").str.slice(1).cast(pl.Int32).alias("base"))
    .join(bases, on="base", how="left")
    .select("base_id", pl.col("pickup_datetime").dt.date().alias("pickup_date"),
            pl.col("dropoff_datetime").dt.date().alias("dropoff_date"),
            "PULocationID", "DOLocationID")
)
