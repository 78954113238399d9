mlr --csv -S filter '$hvfhs_license_num == "HV0003"' \
    then cut -o -f pickup_datetime,dropoff_datetime,PULocationID,DOLocationID "$fhv" >"$out"
