bp-read $zones >"$tmp/zones.arrows"
bp-read -c PULocationID,total_amount $yellow |
    bp-join -k 'PULocationID = LocationID' -b "$tmp/zones.arrows" |
    bp-reduce -k 'Borough AS borough, Zone AS zone' \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-write "$out"
