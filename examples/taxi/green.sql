-- Green taxi trips, as the TLC's files of 2020 have them. Money is exact.
VendorID              int,
lpep_pickup_datetime  timestamp,
lpep_dropoff_datetime timestamp,
store_and_fwd_flag    text,
RatecodeID            int,
PULocationID          int,
DOLocationID          int,
passenger_count       int,
trip_distance         decimal(8,2), -- miles
fare_amount           decimal(10,2),
extra                 decimal(10,2),
mta_tax               decimal(10,2),
tip_amount            decimal(10,2),
tolls_amount          decimal(10,2),
ehail_fee             decimal(10,2),
improvement_surcharge decimal(10,2),
total_amount          decimal(10,2),
payment_type          int,
trip_type             int,          -- 1 hailed in the street, 2 dispatched
congestion_surcharge  decimal(10,2)
