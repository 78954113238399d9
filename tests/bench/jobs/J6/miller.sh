mlr --csv join -j PULocationID -l LocationID -r PULocationID -f "$zones" \
    then stats1 -a sum,count -f total_amount -g Borough,Zone \
    then rename Borough,borough,Zone,zone,total_amount_sum,revenue,total_amount_count,trips \
    "$yellow" >"$out"
