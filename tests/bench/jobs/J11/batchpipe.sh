# q1
bp-read $stations413 | bp-reduce -k station 'min(t) AS min, avg(t) AS mean, max(t) AS max' |
    bp-sort station | bp-write "$out"
# q2
bp-read $stations10k | bp-reduce -k station 'min(t) AS min, avg(t) AS mean, max(t) AS max' |
    bp-sort station | bp-write "$out"
