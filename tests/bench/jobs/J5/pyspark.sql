with y as (
    select date_trunc('hour', tpep_pickup_datetime) as hour, PULocationID as zone,
        sum(total_amount) as revenue, count(*) as trips
    from yellow where tpep_pickup_datetime >= '2020-01-01' group by 1, 2
), g as (
    select date_trunc('hour', lpep_pickup_datetime) as hour, PULocationID as zone,
        sum(total_amount) as revenue, count(*) as trips
    from green where lpep_pickup_datetime >= '2020-01-01' group by 1, 2
)
select hour, zone, coalesce(g.revenue, 0) as revenue_green, coalesce(g.trips, 0) as trips_green,
    coalesce(y.revenue, 0) as revenue_yellow, coalesce(y.trips, 0) as trips_yellow
from g full join y using (hour, zone)
