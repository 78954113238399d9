with y as (
    select toStartOfHour(tpep_pickup_datetime) as hour, PULocationID as zone,
        sum(total_amount) as revenue, count() as trips
    from yellow where tpep_pickup_datetime >= '2020-01-01 00:00:00' group by hour, zone
), g as (
    select toStartOfHour(lpep_pickup_datetime) as hour, PULocationID as zone,
        sum(total_amount) as revenue, count() as trips
    from green where lpep_pickup_datetime >= '2020-01-01 00:00:00' group by hour, zone
)
select hour, zone, ifNull(g.revenue, 0) as revenue_green, ifNull(g.trips, 0) as trips_green,
    ifNull(y.revenue, 0) as revenue_yellow, ifNull(y.trips, 0) as trips_yellow
from g full join y using (hour, zone)
