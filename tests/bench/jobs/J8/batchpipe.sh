bp-read -c tpep_pickup_datetime,PULocationID,DOLocationID,total_amount $yellow |
    bp-reduce --mem 1G -k "PULocationID AS pu, DOLocationID AS dz,
            date_trunc('minute', tpep_pickup_datetime) AS minute" \
        'count(*) AS trips, sum(total_amount) AS revenue' |
    bp-write "$out"
