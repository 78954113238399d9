#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sample, stat: the shape of tables and stages.
load lib

# is EXPECTED COMMAND
is() {
    local got
    got=$(bash -o pipefail -c "$2") || return 1
    [ "$got" = "$1" ] || { echo "got: $got"; return 1; }
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    { echo id,k; seq 0 19999 | awk '{ print $1 "," $1 % 500 }'; } >t.csv
    { echo k,name; seq 0 499 | awk '{ print $1 ",n" $1 }'; } >names.csv
}

# ---- bp-sample ----

# A second opinion on which rows are taken, from the words of bp-sample(1).
oracle() {
    "$BP_PYTHON" - "$@" <<'PY'
import subprocess, sys
# XXH3-64 of 8 bytes with a seed, from its specification
M = (1 << 64) - 1
SECRET = bytes.fromhex('b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221')
def rotl(x, r): return ((x << r) | (x >> (64 - r))) & M
def h(v, seed):
    b = v.to_bytes(8, 'little')
    seed ^= int.from_bytes((seed & 0xffffffff).to_bytes(4, 'little'), 'big') << 32
    lo, hi = int.from_bytes(b[:4], 'little'), int.from_bytes(b[4:], 'little')
    flip = (int.from_bytes(SECRET[8:16], 'little') ^ int.from_bytes(SECRET[16:24], 'little')) - seed & M
    x = (hi + (lo << 32)) ^ flip
    x ^= rotl(x, 49) ^ rotl(x, 24)
    x = x * 0x9FB21C651E98DF25 & M
    x ^= (x >> 35) + 8
    x = x * 0x9FB21C651E98DF25 & M
    return x ^ (x >> 28)
n, rows, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
hs = [h(i, seed) for i in range(n)]
if rows.endswith('%'):
    got = [i for i in range(n) if hs[i] * 100 < int(rows[:-1]) << 64]
else:
    got = sorted(sorted(range(n), key=hs.__getitem__)[:int(rows)])
print('id', *got, sep='\n')
PY
}

@test "sample takes the rows that its page says" {
    for s in 0 7 4294967296123; do
        oracle 20000 3% $s >want
        bp-sample 3% --seed $s t.csv | bp-map id | bp-write >got
        same want got
        oracle 20000 50 $s >want
        bp-sample -n 50 --seed $s t.csv | bp-map id | bp-write >got
        same want got
    done
}
@test "sample: the same rows for any threads and batches" {
    for n in 0 1 7 5000 3% 0.01%; do
        bp-sample -n $n t.csv >want
        for j in 1 2; do
            for b in 1 7; do
                BP_BATCH_ROWS=$b bp-sample -j $j -n $n t.csv >got
                same want got
            done
        done
    done
}
@test "sample: all of it, none of it, more than there is" {
    bp-read t.csv | bp-write >all
    bp-sample 100% t.csv | bp-write >got && same all got
    bp-sample -n 20000 t.csv | bp-write >got && same all got
    bp-sample -n 9223372036854775807 t.csv | bp-write >got && same all got
    is "id,k" "bp-sample 0% t.csv | bp-write"
    is "id,k" "bp-sample -n 0 t.csv | bp-write"
    [ "$(bp-sample t.csv | bp-write | wc -l)" = 11 ]
}
@test "sample -k takes whole keys, and tables sampled alike join" {
    bp-sample 20% -k k t.csv >some
    is 40 "bp-reduce -k k 'count(*) AS n' some | bp-map n | bp-write | sed 1d | sort -u"
    bp-sample 20% -k k names.csv >names
    [ "$(bp-reduce 'count(*)' names | bp-write | sed 1d)" -gt 60 ]
    [ "$(bp-join -t anti -k k some names | bp-write | wc -l)" = 1 ]
    [ "$(bp-join -t anti -k k names some | bp-write | wc -l)" = 1 ]
    bp-sample 10% -k k t.csv >fewer
    [ "$(bp-join -t anti -k k fewer some | bp-write | wc -l)" = 1 ]
    bp-sample 20% -k k --seed 1 t.csv >other
    run cmp -s other some
    [ "$status" = 1 ]
}
@test "sample: places are those of the whole table" {
    fails 2 bp-sample --task 1/4 1% t.csv
    says "whole table"
    bp-read --task 1/4 t.csv >share
    fails 1 bp-sample 1% share
    says "1 of 4 shares"
    fails 1 bp-sample -n 5 share
    says "1 of 4 shares"
    for i in 0 1 2 3; do bp-read --task $i/4 t.csv; done >whole
    bp-sample 1% whole | bp-write >got
    bp-sample 1% t.csv | bp-write >want
    same want got
    bp-sample -n 33 whole | bp-write >got
    bp-sample -n 33 t.csv | bp-write >want
    same want got
    for i in 0 1 2 3; do bp-sample --task $i/4 5% -k k t.csv; done | bp-write >got
    bp-sample 5% -k k t.csv | bp-write >want
    same want got
}
@test "sample: usage" {
    fails 2 bp-sample -k k -n 5 t.csv
    says "percentage"
    fails 2 bp-sample 101% t.csv
    says "more than all"
    fails 2 bp-sample -n x t.csv
    fails 2 bp-sample -n 1 1% t.csv
    fails 2 bp-sample 1% -k nix t.csv
    says "no column 'nix'"
    bp-head -n 3 t.csv | bp-write >5%
    is "id
0
1
2" "bp-sample 5% | bp-map id | bp-write"
}
