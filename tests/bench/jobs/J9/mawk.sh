mawk -F, 'NR == 1 { print "base_id,pickup_date,dropoff_date,PULocationID,DOLocationID"; next }
    {
        base = substr($2, 2) + 0
        printf "%s/%03x,%s,%s,%s,%s\n", base % 7 == 0 ? "s" : base % 3 == 0 ? "a" : "e", base,
            substr($3, 1, 10), substr($4, 1, 10), $5, $6
    }' "$fhv" >"$out"
