bp-read -w "hvfhs_license_num = 'HV0003'" \
    -c pickup_datetime,dropoff_datetime,PULocationID,DOLocationID $fhv | bp-write "$out"
