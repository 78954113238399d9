select case when base % 7 = 0 then 's/' || hexed when base % 3 = 0 then 'a/' || hexed
        else 'e/' || hexed end as base_id,
    to_date(pickup_datetime) as pickup_date, to_date(dropoff_datetime) as dropoff_date,
    PULocationID, DOLocationID
from (select *, lower(case when base > 4095 then hex(base) else lpad(hex(base), 3, '0') end) as hexed
    from (select *, int(substr(dispatching_base_num, 2)) as base from fhv))
