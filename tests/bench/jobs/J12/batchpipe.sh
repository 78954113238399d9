bp-read $fhv | bp-shuffle -k PULocationID -n 24 "$tmp/stage"
bp-reduce 'count(*) AS trips' "$tmp/stage#3" | bp-write "$out"
