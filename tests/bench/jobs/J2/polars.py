result = fhv.filter(pl.col("hvfhs_license_num") == "HV0003").select(
    "pickup_datetime", "dropoff_datetime", "PULocationID", "DOLocationID")
