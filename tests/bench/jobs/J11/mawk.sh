# q1
mawk -F';' '{
        if (!($1 in n)) { low[$1] = high[$1] = $2 }
        if ($2 + 0 < low[$1] + 0) low[$1] = $2
        if ($2 + 0 > high[$1] + 0) high[$1] = $2
        sum[$1] += $2
        n[$1]++
    }
    END {
        print "station,min,mean,max"
        for (s in n) printf "%s,%.1f,%.12g,%.1f\n", s, low[s], sum[s] / n[s], high[s] | "sort"
    }' "$stations413" >"$out"
# q2
mawk -F';' '{
        if (!($1 in n)) { low[$1] = high[$1] = $2 }
        if ($2 + 0 < low[$1] + 0) low[$1] = $2
        if ($2 + 0 > high[$1] + 0) high[$1] = $2
        sum[$1] += $2
        n[$1]++
    }
    END {
        print "station,min,mean,max"
        for (s in n) printf "%s,%.1f,%.12g,%.1f\n", s, low[s], sum[s] / n[s], high[s] | "sort"
    }' "$stations10k" >"$out"
