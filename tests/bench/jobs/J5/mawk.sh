mawk -F, 'FNR == 1 { file++; next }
    $2 >= "2020" {
        k = substr($2, 1, 13) ":00:00," (file == 1 ? $6 : $8)
        all[k]
        if (file == 1) { gsum[k] += $17; g[k]++ } else { ysum[k] += $17; y[k]++ }
    }
    END {
        print "hour,zone,revenue_green,trips_green,revenue_yellow,trips_yellow"
        for (k in all) printf "%s,%.2f,%d,%.2f,%d\n", k, gsum[k], g[k], ysum[k], y[k]
    }' "$green" "$yellow" >"$out"
