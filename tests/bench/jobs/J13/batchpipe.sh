bp-read -c tpep_pickup_datetime,PULocationID,total_amount $yellow |
    bp-filter "tpep_pickup_datetime >= '2020-01-01'" |
    bp-reduce -k "date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-sort hour,zone |
    bp-write "$out"
