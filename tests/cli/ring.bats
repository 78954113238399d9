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
