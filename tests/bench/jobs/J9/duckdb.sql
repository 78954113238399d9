select case when base % 7 = 0 then 's/' || hex when base % 3 = 0 then 'a/' || hex
        else 'e/' || hex end as base_id,
    pickup_datetime::date as pickup_date, dropoff_datetime::date as dropoff_date,
    PULocationID, DOLocationID
from (select *, format('{:03x}', base) as hex
    from (select *, substr(dispatching_base_num, 2)::int as base from fhv))
