# q1
bp-read -c id1,v1 $groupby | bp-reduce -k id1 'sum(v1) AS v1' | bp-write "$out"
# q2
bp-read -c id1,id2,v1 $groupby | bp-reduce -k id1,id2 'sum(v1) AS v1' | bp-write "$out"
# q3
bp-read -c id3,v1,v3 $groupby | bp-reduce -k id3 'sum(v1) AS v1, avg(v3) AS v3' | bp-write "$out"
# q4
bp-read -c id4,v1,v2,v3 $groupby | bp-reduce -k id4 'avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3' |
    bp-write "$out"
# q5
bp-read -c id6,v1,v2,v3 $groupby | bp-reduce -k id6 'sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3' |
    bp-write "$out"
# q6
bp-read -c id4,id5,v3 $groupby | bp-reduce --mem 1G -k id4,id5 'median(v3) AS median, stddev(v3) AS sd' |
    bp-write "$out"
# q7
bp-read -c id3,v1,v2 $groupby | bp-reduce -k id3 'max(v1) AS high, min(v2) AS low' |
    bp-map 'id3, high - low AS spread' | bp-write "$out"
# q8
bp-read -c id6,v3 $groupby | bp-sort --mem 1G 'id6, v3 DESC' | bp-head -n 2 -k id6 | bp-write "$out"
# q9
bp-read -c id2,id4,v1,v2 $groupby | bp-reduce -k id2,id4 'corr(v1, v2) AS r' |
    bp-map 'id2, id4, r * r AS r2' | bp-write "$out"
# q10
bp-read -c id1,id2,id3,id4,id5,id6,v3 $groupby |
    bp-reduce --mem 1G -k id1,id2,id3,id4,id5,id6 'sum(v3) AS v3, count(*) AS n' | bp-write "$out"
