select toStartOfHour(tpep_pickup_datetime) as hour, PULocationID as zone,
    sum(total_amount) as revenue, count() as trips
from yellow where tpep_pickup_datetime >= '2020-01-01 00:00:00' group by hour, zone
order by hour, zone
