mawk -F, 'NR == 1 { print "hour,zone,revenue,trips"; next }
    $2 >= "2020" {
        k = substr($2, 1, 13) ":00:00," $8
        sum[k] += $17
        n[k]++
    }
    END { for (k in n) printf "%s,%.2f,%d\n", k, sum[k], n[k] | "sort -t, -k1,1 -k2,2n" }' \
    "$yellow" >"$out"
