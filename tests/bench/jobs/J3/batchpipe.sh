bp-read -w "tpep_pickup_datetime >= '2020-01-01'" \
    -c tpep_pickup_datetime,PULocationID,total_amount $yellow |
    bp-reduce -k "date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-write "$out"
