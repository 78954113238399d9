mlr --csv \
    filter '$tpep_pickup_datetime >= "2020-01-01"' \
    then put '$hour = sub($tpep_pickup_datetime, ":[0-9][0-9]:[0-9][0-9]$", ":00:00")' \
    then stats1 -a sum,count -f total_amount -g hour,PULocationID \
    then rename PULocationID,zone,total_amount_sum,revenue,total_amount_count,trips \
    then sort -f hour -nf zone \
    "$yellow" >"$out"
