# q1
bp-read -w 'total_amount > 15' -c tpep_pickup_datetime,tpep_dropoff_datetime,PULocationID,DOLocationID,trip_distance,total_amount \
    $yellow | bp-write "$out"
# q2
bp-read -w 'total_amount > 150' -c tpep_pickup_datetime,tpep_dropoff_datetime,PULocationID,DOLocationID,trip_distance,total_amount \
    $yellow | bp-write "$out"
