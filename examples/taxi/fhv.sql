-- For-hire trips: licences HV0002 to HV0005 (Juno, Uber, Via, Lyft).
hvfhs_license_num    text,
dispatching_base_num text,
pickup_datetime      timestamp,
dropoff_datetime     timestamp,
PULocationID         int,
DOLocationID         int,
SR_Flag              int -- 1: a shared ride
