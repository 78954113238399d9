columns = ["tpep_pickup_datetime", "tpep_dropoff_datetime", "PULocationID", "DOLocationID", "trip_distance",
           "total_amount"]
# q1
result = yellow.filter(pl.col("total_amount") > 15).select(columns)
# q2
result = yellow.filter(pl.col("total_amount") > 150).select(columns)
