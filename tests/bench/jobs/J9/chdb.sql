with toInt32(substring(dispatching_base_num, 2)) as base, printf('%03x', base) as hexed
select multiIf(base % 7 = 0, 's/' || hexed, base % 3 = 0, 'a/' || hexed, 'e/' || hexed) as base_id,
    toDate(pickup_datetime) as pickup_date, toDate(dropoff_datetime) as dropoff_date,
    PULocationID, DOLocationID
from fhv
