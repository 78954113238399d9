# SPDX-License-Identifier: Apache-2.0
# Between our own processes large batches go through shared memory (bp-stream(5)).
load lib

# numbers FILE: a stream of 3 million of them, 48 MB
numbers() {
    seq 1 3000000 | bp-read -s 'n bigint' --header no - | bp-map '*, n * 3 AS m' >"$1"
}

@test "shared memory or the pipe alone: the same bytes, through any number of stages" {
    numbers n.arrows
    for ring in off all; do
        BP_RING=$ring bash -c 'set -o pipefail
            bp-filter "m % 7 <> 0" n.arrows | bp-sort "n DESC" | bp-map "n, m" | bp-filter true' \
            >$ring.arrows
    done
    same off.arrows all.arrows
    bp-filter "m % 7 <> 0" n.arrows | bp-sort "n DESC" | bp-map "n, m" | bp-filter true |
        cmp - off.arrows
    # who is none of ours sees a plain stream
    BP_RING=all bp-filter true off.arrows | cat | cmp - <(BP_RING=off bp-filter true off.arrows)
}

@test "what is held for long does not stop the writer: sorts, joins, named pipes" {
    numbers n.arrows
    mkfifo f
    BP_RING=all timeout 120 bp-filter true n.arrows >f &
    BP_RING=all timeout 120 bp-join -k n -b <(BP_RING=all bp-filter 'n % 2 = 0' n.arrows) f |
        BP_RING=all timeout 120 bp-sort m | timeout 120 bp-reduce 'count(*), sum(n)' |
        bp-write -f csv - >got
    wait
    put want 'count(*),sum(n)\n1500000,2250001500000\n'
    same got want
}

@test "a reader that ends early ends its writer" {
    run timeout 60 bash -c 'yes 1 | BP_RING=all bp-read -s "n int" --header no - |
        BP_RING=all bp-filter true | BP_RING=all bp-head -n 2 | bp-write -f csv -'
    [ "$status" -eq 0 ]
    [ "$output" = "$(printf 'n\n1\n1')" ]
}

@test "a writer that is killed is seen, and a reader that is killed" {
    mkfifo in
    { seq 1 2000000; exec sleep 60; } >in 3>&- &
    feeder=$!
    mkfifo out
    BP_RING=all bp-read -s 'n bigint' --header no in >out &
    writer=$!
    { sleep 1; kill -9 $writer; } &
    BP_RING=all fails 1 timeout 60 bp-write x.arrow <out
    kill $feeder
    says "ended early"
    [ ! -e x.arrow ]
    # the other way round
    run timeout 60 bash -c 'yes 1 | BP_RING=all bp-read -s "n int" --header no - |
        { BP_RING=all bp-sort n >/dev/null & sleep 1; kill -9 $!; }'
    [ "$status" -ne 124 ]
}

# Decimals of up to 18 digits are 8 bytes in shared memory, 16 in the pipe.
@test "decimals of all sizes, with NULLs, in lists and structs: the same by either way" {
    seq 0 299999 | bp-read -s 'n bigint' --header no - | bp-map '
        case when n % 5 > 0 then ((n - 150000) / 100.0)::decimal(10,2) end AS few,
        (n * 3333333333333)::decimal(18,0) AS most,
        (n * 3333333333333)::decimal(19,0) AS more,
        case when n % 7 > 0 then (n * 1.5)::decimal(38,4) end AS many, n' >n.arrows
    bp-reduce -k 'n / 3 AS k' 'array_agg(few) AS l, min(few) AS a, max(most) AS b, sum(more) AS c' \
        n.arrows | bp-write -f jsonl lists.jsonl
    bp-read -s 'k bigint, l decimal(10,2)[], a decimal(10,2), b decimal(18,0), c decimal(38,0)' \
        lists.jsonl >lists.arrows
    seq 0 99999 | awk '{ printf "{\"k\":%d,\"s\":{\"x\":%s,\"y\":%d.5}}\n", $1, \
        $1 % 4 ? $1 / 4 : "null", $1 }' >structs.jsonl
    bp-read -s 'k bigint, s struct(x decimal(10,2), y decimal(20,1))' structs.jsonl >structs.arrows
    for ring in off all; do
        BP_RING=$ring bash -c 'set -o pipefail
            bp-filter "n % 3 <> 0" n.arrows | bp-map "*, few + many AS s" | bp-sort "few DESC, n" |
            bp-write -f csv $0.csv
            bp-filter true n.arrows | bp-reduce -k few "sum(most), avg(more), max(many), min(most)" |
            bp-sort few | bp-write -f csv $0.groups
            bp-filter true structs.arrows | bp-sort "k DESC" | bp-write -f jsonl $0.jsonl
            bp-filter true lists.arrows | bp-sort "k DESC" | bp-filter true' $ring >$ring.arrows
    done
    same off.csv all.csv
    same off.groups all.groups
    same off.jsonl all.jsonl
    [ "$(sed -n 2p all.jsonl)" = '{"k":99998,"s":{"x":24999.50,"y":99998.5}}' ]
    same off.arrows all.arrows
    [ "$(bp-filter 'n in (4, 299999)' n.arrows | bp-sort n | bp-write -f csv -)" = 'few,most,more,many,n
-1499.96,13333333333332,13333333333332,6.0000,4
1499.99,999996666666566667,999996666666566667,,299999' ]
}
