select pickup_datetime, dropoff_datetime, PULocationID, DOLocationID
from fhv where hvfhs_license_num = 'HV0003'
