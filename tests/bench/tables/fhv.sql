-- For-hire trips as in examples/taxi/fhv.sql; what is never empty is said to be so.
hvfhs_license_num    text NOT NULL,
dispatching_base_num text NOT NULL,
pickup_datetime      timestamp NOT NULL,
dropoff_datetime     timestamp NOT NULL,
PULocationID         int NOT NULL,
DOLocationID         int NOT NULL,
SR_Flag              int
