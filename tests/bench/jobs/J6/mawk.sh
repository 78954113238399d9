mawk -F, 'FNR == 1 { file++; next }
    file == 1 { name[$1] = $2 "," $3; next }
    $8 in name { sum[name[$8]] += $17; n[name[$8]]++ }
    END {
        print "borough,zone,revenue,trips"
        for (k in n) printf "%s,%.2f,%d\n", k, sum[k], n[k]
    }' "$zones" "$yellow" >"$out"
