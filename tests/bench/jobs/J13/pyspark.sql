select date_trunc('hour', tpep_pickup_datetime) as hour, PULocationID as zone,
    sum(total_amount) as revenue, count(*) as trips
from yellow where tpep_pickup_datetime >= '2020-01-01' group by 1, 2
order by hour, zone
