-- Yellow taxi trips, as the TLC's files of 2020 have them. Money is exact.
VendorID              int,
tpep_pickup_datetime  timestamp,
tpep_dropoff_datetime timestamp,
passenger_count       int,
trip_distance         decimal(8,2), -- miles
RatecodeID            int,
store_and_fwd_flag    text,
PULocationID          int,
DOLocationID          int,
payment_type          int,
fare_amount           decimal(10,2),
extra                 decimal(10,2),
mta_tax               decimal(10,2),
tip_amount            decimal(10,2),
tolls_amount          decimal(10,2),
improvement_surcharge decimal(10,2),
total_amount          decimal(10,2),
congestion_surcharge  decimal(10,2)
