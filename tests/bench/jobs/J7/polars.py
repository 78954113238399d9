result = yellow.sort("tpep_pickup_datetime", "PULocationID", maintain_order=False)
