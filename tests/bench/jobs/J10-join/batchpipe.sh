# q1
bp-read $small | bp-map -r 'id4 AS small_id4' >"$tmp/small"
bp-read $x | bp-join -k id1 -b "$tmp/small" | bp-write "$out"
# q2
bp-read $medium | bp-map -r 'id1 AS medium_id1, id4 AS medium_id4, id5 AS medium_id5' >"$tmp/medium"
bp-read $x | bp-join -k id2 -b "$tmp/medium" | bp-write "$out"
# q3
bp-read $medium | bp-map -r 'id1 AS medium_id1, id4 AS medium_id4, id5 AS medium_id5' >"$tmp/medium"
bp-read $x | bp-join -t left -k id2 -b "$tmp/medium" | bp-write "$out"
# q4
bp-read $medium | bp-map -r 'id1 AS medium_id1, id2 AS medium_id2, id4 AS medium_id4' >"$tmp/medium"
bp-read $x | bp-join -k id5 -b "$tmp/medium" | bp-write "$out"
# q5
mkfifo "$tmp/big"
bp-read $big | bp-map -r 'id1 AS big_id1, id2 AS big_id2, id4 AS big_id4, id5 AS big_id5, id6 AS big_id6' >"$tmp/big" &
bp-read $x | bp-join --mem 1G -k id3 - "$tmp/big" | bp-write "$out"
wait
