select * from yellow order by tpep_pickup_datetime, PULocationID
