bp-read -c dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID $fhv |
    bp-map -a "to_date(pickup_datetime) AS pickup_date, to_date(dropoff_datetime) AS dropoff_date,
        substr(dispatching_base_num, 2)::int AS base,
        case when base > 4095 then to_hex(base) else lpad(to_hex(base), 3, '0') end AS hex,
        case when base % 7 = 0 then 's/' || hex
             when base % 3 = 0 then 'a/' || hex
             else 'e/' || hex end AS base_id" |
    bp-map 'base_id, pickup_date, dropoff_date, PULocationID, DOLocationID' |
    bp-write "$out"
