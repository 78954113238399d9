select PULocationID as pu, DOLocationID as dz, date_trunc('minute', tpep_pickup_datetime) as minute,
    count(*) as trips, sum(total_amount) as revenue
from yellow group by all
