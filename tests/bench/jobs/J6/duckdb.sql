select Borough as borough, Zone as zone, sum(total_amount) as revenue, count(*) as trips
from yellow join zones on PULocationID = LocationID group by all
