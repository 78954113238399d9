select PULocationID as pu, DOLocationID as dz, toStartOfMinute(tpep_pickup_datetime) as minute,
    count() as trips, sum(total_amount) as revenue
from yellow group by pu, dz, minute
