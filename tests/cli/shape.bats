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

# ---- bp-stat ----

@test "stat: a line for each column" {
    put c.csv 'a,b,d,e\n1,Ulm,,x\n2,Bonn,,\n2,,,"x\303\244\303\266y"\n-5,Ulm,,x\n'
    is "4 rows, 4 columns
column  type     nulls  distinct  min   max   longest
text    text    bigint    bigint  text  text   bigint
──────  ──────  ──────  ────────  ────  ────  ───────
a       bigint       0         3  -5    2        NULL
b       text         1         2  Bonn  Ulm         4
d       text         4         0  NULL  NULL        0
e       text         1         2  x     xäöy        4" "bp-stat c.csv"
    bp-head -n 0 c.csv | bp-stat >got
    grep -q '^0 rows, 4 columns' got
    grep -q '^a  *bigint  *0  *0  *NULL  *NULL  *NULL' got
}
@test "stat: types without a text form of their own" {
    put c.csv 'n\n0\n1\n'
    bp-map "n::boolean AS b, n::float8 AS f, n::decimal(5,2) AS d, '2020-01-01'::date + n AS t,
        ('2020-01-01 00:00:00'::timestamp) AS ts" c.csv | bp-stat >got
    grep -q '^b  *boolean  *0  *2  *NULL  *NULL' got
    grep -q '^d  *decimal(5,2)  *0  *2  *0.00  *1.00' got
    grep -q '^t  *date  *0  *2  *2020-01-01  *2020-01-02' got
}
@test "stat: many distinct values are estimated, the same in any order" {
    { echo id; seq 1 200000; } >many.csv
    bp-stat many.csv >got
    grep -q '^more than 16384 distinct values are estimated' got
    n=$(awk '$1 == "id" { print $4 }' got)
    [ "$n" -gt 194000 ] && [ "$n" -lt 206000 ]
    bp-sort 'id DESC' many.csv | bp-stat >other
    same got other
    [ "$(bp-stat t.csv | awk '$1 == "k" { print $4 }')" = 500 ]
    { echo id; seq 1 16384; } >full.csv
    [ "$(bp-stat full.csv | awk '$1 == "id" { print $4 }')" = 16384 ]
}
@test "stat: a share says that it is one" {
    bp-read --task 1/4 t.csv | bp-stat >got
    grep -q '^only 1 of 4 shares: ' got
}
@test "stat --fingerprint: of the rows, not of their order, files or types" {
    want=$(bp-stat --fingerprint t.csv)
    [[ "$want" =~ ^[0-9a-f]{16}\ 20000$ ]]
    is "$want" "bp-sort 'k, id DESC' t.csv | bp-stat --fingerprint"
    is "$want" "bp-read t.csv | bp-shuffle -k k -n 7 st; bp-stat --fingerprint st"
    is "$want" "bp-map 'id::smallint AS x, k::decimal(10,2) AS y' t.csv | bp-stat --fingerprint"
    is "$want" "for i in 0 1 2; do bp-read --task \$i/3 t.csv; done | bp-stat --fingerprint"
    is "0000000000000000 0" "bp-filter false t.csv | bp-stat --fingerprint"
    [ "$(bp-map 'k, id' t.csv | bp-stat --fingerprint)" != "$want" ]
    [ "$(bp-filter 'id <> 7' t.csv | bp-stat --fingerprint)" != "$want" ]
    cat <(bp-read t.csv) <(bp-read t.csv) | bp-stat --fingerprint >twice
    grep -q ' 40000$' twice
    bp-read --task 0/3 t.csv >share
    fails 1 bp-stat --fingerprint share
    says "1 of 3 shares"
}
@test "stat of a stage: partitions, bars, skew, missing tasks" {
    put s.csv 'k\na\na\na\nb\n'
    bp-read s.csv | bp-shuffle --even -n 2 st
    bp-stat st >got
    grep -q '^st: 1 of 1 tasks, 2 partitions, even; 4 rows, ' got
    grep -q 'skew: 1.00 ' got
    bp-read s.csv | bp-shuffle -k k -n 64 hashed
    bp-stat hashed >got
    grep -q '^hashed: 1 of 1 tasks, 64 partitions by k; 4 rows' got
    grep -q 'skew: 48.00 ' got
    [ "$(awk '$2 == 3 && $4 == "████████████████████████████████████████"' got | wc -l)" = 1 ]
    [ "$(awk '$2 == 1 && $4 == "█████████████▍"' got | wc -l)" = 1 ]
    [ "$(wc -l <got)" = 67 ]
    for i in 0 2; do bp-read --task $i/4 t.csv | bp-shuffle --task $i/4 -k k -n 4 part; done
    bp-stat part >got
    grep -q '^part: 2 of 4 tasks, 4 partitions by k; ' got
    grep -q '^missing: tasks 1, 3 (bp-todo -n 4 part ' got
    fails 1 bp-stat --verify part
    says "no whole stage"
    fails 1 bp-stat --fingerprint part
}
@test "stat --verify finds a changed byte" {
    bp-read t.csv | bp-shuffle -k k -n 4 st
    bp-stat --verify st >got
    grep -q '^verified' got
    "$BP_PYTHON" - st/00000-of-00001.arrow <<'PY'
import sys
f = open(sys.argv[1], 'r+b')
f.seek(4000)
b = f.read(1)
f.seek(4000)
f.write(bytes([b[0] ^ 1]))
PY
    bp-stat st >/dev/null
    fails 1 bp-stat --verify st
    says "st/00000-of-00001.arrow"
    says "checksum"
    fails 2 bp-stat --verify t.csv
    fails 2 bp-stat --verify --fingerprint st
}

# ---- bp-map --unpivot ----

@test "unpivot: columns to rows, in the order of the list, NULLs too" {
    put u.csv 'id,a,b,c\n1,10,11,x\n2,,21,y\n'
    is "id,c,key,value
1,x,b,11
1,x,a,10
2,y,b,21
2,y,a," "bp-map --unpivot 'b, a' u.csv | bp-write"
    is "a,b,what,n
10,11,c,x
,21,c,y" "bp-map -d id u.csv | bp-map --unpivot c --names 'what, n' | bp-write"
    is "key,value
a,10
a," "bp-map a u.csv | bp-map --unpivot a | bp-write"
    is "id,c,key,value" "bp-filter false u.csv | bp-map --unpivot 'a, b' | bp-write"
}
@test "unpivot: the same for any batches, and by shares" {
    bp-map -a 'id * 2 AS x, k + 1 AS y' t.csv >wide
    bp-map --unpivot 'x, id, y' wide | bp-write >want
    [ "$(wc -l <want)" = 60001 ]
    for b in 1 7; do
        BP_BATCH_ROWS=$b bp-map --unpivot 'x, id, y' wide | bp-write >got
        same want got
    done
    for i in 0 1 2; do
        bp-map --task $i/3 -a 'id * 2 AS x, k + 1 AS y' t.csv | bp-map --unpivot 'x, id, y'
    done | bp-write >got
    same want got
}
@test "unpivot: what cannot be one column is refused" {
    put u.csv 'id,a,c\n1,10,x\n'
    fails 2 bp-map --unpivot 'a, c' u.csv
    says "'a' is bigint but 'c' is text"
    fails 2 bp-map --unpivot 'a, a' u.csv
    fails 2 bp-map --unpivot 'nix' u.csv
    fails 2 bp-map --unpivot a --names id,v u.csv
    says "'id'"
    fails 2 bp-map --unpivot a --names v u.csv
    fails 2 bp-map --unpivot a -d c u.csv
    fails 2 bp-map --names a,b id u.csv
}

# ---- bp-sort --borders, bp-shuffle --range ----

edge() { # a table of k and s with NULLs and repeats
    awk 'BEGIN { srand(3); print "id,k,s"
        for (i = 0; i < 6000; i++) print i "," (i % 97 ? int(rand() * 1000) - 500 : "") "," (i % 89 ? substr("abcdefghijklmnopqr", 1, 1 + rand() * 17) : "") }' >e.csv
}

@test "ranges: sorted partitions are the sorted table, in any order of keys" {
    edge
    for keys in k 'k DESC' 'k DESC NULLS FIRST, s' s 's DESC, k NULLS FIRST'; do
        rm -rf st out
        bp-sort --borders 9 "$keys" e.csv >b.arrows
        for i in 0 1; do bp-read --task $i/2 e.csv | bp-shuffle --task $i/2 --range @b.arrows st; done
        for i in 0 1 2; do bp-sort --task $i/3 "$keys" st | bp-write --task $i/3 -f arrow out/; done
        bp-read out | bp-write >got
        bp-sort "$keys" e.csv | bp-write >want
        same want got
    done
}
@test "ranges: the same borders for any memory, threads and batches" {
    edge
    bp-sort --borders 50 's, k' e.csv | bp-write >want
    [ "$(wc -l <want)" = 50 ]
    for j in 1 2; do
        for b in 1 7 500; do
            BP_BATCH_ROWS=$b bp-sort -j $j --mem 16M --borders 50 's, k' e.csv | bp-write >got
            same want got
        done
    done
}
@test "ranges: groups and joins go by partition where borders are the same" {
    edge
    bp-sort --borders 9 k e.csv >b.arrows
    bp-reduce -k 'k AS kk' 'count(*) AS n' e.csv >g.arrows
    bp-read e.csv | bp-shuffle --range @b.arrows st
    bp-map -r 'k AS kk' b.arrows | bp-shuffle --range @b.arrows -k kk other 2>/dev/null && false
    bp-map -r 'k AS kk' b.arrows >b2.arrows
    bp-shuffle --range @b2.arrows gs -k kk <g.arrows
    for i in 0 1 2 3; do
        bp-reduce --task $i/4 -k k 'count(*) AS n, sum(id) AS s' st | bp-write --task $i/4 -f arrow r/
        bp-join --task $i/4 -k 'k = kk' st gs | bp-write --task $i/4 -f arrow j/
    done
    bp-reduce -k k 'count(*) AS n, sum(id) AS s' e.csv | bp-sort k | bp-write >want
    bp-sort k r | bp-write >got
    same want got
    bp-join -k 'k = kk' e.csv g.arrows | bp-sort id | bp-write >want
    bp-sort id j | bp-write >got
    same want got
    bp-sort --borders 9 kk g.arrows >b3.arrows # as many partitions, elsewhere
    bp-shuffle --range @b3.arrows gs3 <g.arrows
    fails 1 bp-join --task 1/4 -k 'k = kk' st gs3
    says 'not parted alike'
}
@test "ranges: what does not fit is refused" {
    edge
    bp-sort --borders 9 k e.csv >b.arrows
    fails 2 bp-sort --borders 9 -n 3 k e.csv
    fails 2 bp-sort --borders 65537 k e.csv
    fails 2 bp-sort --borders 9 --task 0/2 k e.csv
    fails 2 bp-shuffle --range b.arrows st <b.arrows
    says '@FILE'
    fails 2 bp-shuffle --range @b.arrows -n 8 st <b.arrows
    says '9 partitions'
    fails 2 bp-shuffle --range @b.arrows --even st <b.arrows
    fails 1 bp-shuffle --range @b.arrows -k 'k DESC' st <b.arrows
    says 'comes after'
    bp-write b.csv <b.arrows
    fails 2 bp-shuffle --range @b.csv st <b.arrows
    says 'say it with -k'
    bp-shuffle --range @b.csv -k k st <b.arrows
    # two tasks with other borders
    rm -rf st
    bp-sort --borders 9 'k DESC' e.csv >b2.arrows
    bp-read --task 0/2 e.csv | bp-shuffle --task 0/2 --range @b.arrows st
    bp-read --task 1/2 e.csv | bp-shuffle --task 1/2 --range @b2.arrows st
    fails 1 bp-read st
    says 'another run'
    [ ! -e st/.tmp* ]
}

# ---- bp-shuffle --split-hot ----

@test "split-hot: hot keys are spread, others are not, and nothing is lost" {
    { echo k,v; seq 0 9999 | awk '{ print ($1 % 3 ? 7 : $1) "," $1 }'; } >h.csv
    bp-reduce -k k 'count(*) AS n' h.csv | bp-sort 'n DESC' -n 1 >hot.arrows
    for i in 0 1; do bp-read --task $i/2 h.csv | bp-shuffle --task $i/2 -k k -n 8 --split-hot @hot.arrows st; done
    [ "$(bp-stat --fingerprint h.csv)" = "$(bp-stat --fingerprint st)" ]
    bp-stat st | grep -q 'hot keys split'
    bp-filter 'k = 7' st | bp-reduce 'count(*) AS n' | bp-write >want
    [ "$(sed -n 2p want)" = 6666 ]
    for p in 0 1 2 3 4 5 6 7; do # each task spreads on its own
        n=$(bp-filter 'k = 7' "st#$p" | bp-reduce 'count(*) AS n' | bp-write --header no)
        [ "$n" -ge 832 ] && [ "$n" -le 835 ]
    done
    bp-read h.csv | bp-shuffle -k k -n 8 plain
    for p in 0 5; do
        bp-filter 'k <> 7' "st#$p" | bp-write >got
        bp-filter 'k <> 7' "plain#$p" | bp-write >want
        same want got
    done
}
@test "split-hot: what needs equal keys together refuses a share, two stages and -b do not" {
    { echo k,v; seq 0 9999 | awk '{ print ($1 % 3 ? 7 : $1 % 500) "," $1 }'; } >h.csv
    bp-reduce -k k 'count(*) AS m' h.csv >g.arrows
    bp-sort 'm DESC' -n 3 g.arrows | bp-map 'k::bigint AS k, m' >hot.arrows
    bp-read h.csv | bp-shuffle -k k -n 8 --split-hot @hot.arrows st
    bp-shuffle -k k -n 8 gs <g.arrows
    fails 1 bp-reduce --task 0/2 -k k 'count(*)' st
    says 'use --partial'
    fails 1 bp-join --task 0/2 -k k st gs
    says 'shuffle the other with --copy-hot'
    for i in 0 1 2; do
        bp-reduce --task $i/3 --partial -k k 'count(*) AS m' st | bp-shuffle --task $i/3 -n 4 st2
        bp-join --task $i/3 -k k -b g.arrows st | bp-write --task $i/3 -f arrow j/
    done
    bp-reduce --final st2 | bp-write >got
    bp-write <g.arrows >want
    same want got
    bp-join -k k h.csv g.arrows | bp-sort v | bp-write >want
    bp-sort v j | bp-write >got
    same want got
}
@test "split-hot: what does not fit is refused" {
    printf 'k,v\n1,2\n' >h.csv
    printf 'k\nx\n' >text.csv
    bp-read h.csv >h.arrows
    fails 2 bp-shuffle -k k -n 8 --split-hot @text.csv st <h.arrows
    says "key 'k' is bigint in the rows but text here"
    fails 2 bp-shuffle --even -n 8 --split-hot @text.csv st <h.arrows
    fails 2 bp-shuffle -k v -n 8 --split-hot @text.csv st <h.arrows
    says v
    fails 1 bp-shuffle -k k -n 8 --split-hot @none.csv st <h.arrows
}
@test "copy-hot: only bp-join takes a share, and only with its like; the whole is a table" {
    { echo k,v; seq 0 9999 | awk '{ print ($1 % 3 ? 7 : $1 % 500) "," $1 }'; } >h.csv
    { echo k,w; seq 0 599 | awk '{ print $1 "," $1 }'; echo 7,700; } >g.csv
    printf 'k\n7\n' >hot.csv
    printf 'k\n7\n8\n' >other.csv
    bp-read h.csv | bp-shuffle -k k -n 8 --split-hot @hot.csv hs
    for i in 0 1; do bp-read --task $i/2 g.csv | bp-shuffle --task $i/2 -k k -n 8 --copy-hot @hot.csv gc; done
    [ "$(bp-stat --fingerprint g.csv)" = "$(bp-stat --fingerprint gc)" ]
    bp-stat --verify gc | grep -q 'each, too  *2 '
    bp-join -k k h.csv g.csv | bp-sort 'v, w' | bp-write >want
    for i in 0 1 2; do bp-join --task $i/3 -k k hs gc | bp-write --task $i/3 -f arrow j/; done
    bp-sort 'v, w' j | bp-write >got
    same want got
    bp-join -k k hs gc | bp-sort 'v, w' | bp-write >got
    same want got
    # the hot key's rows of the result are in many shares, too
    bp-join --task 0/3 -k k hs gc >j.arrows
    fails 1 bp-reduce -k k 'count(*)' j.arrows
    says 'use --partial'
    fails 1 bp-read --task 0/3 gc
    says 'for bp-join only'
    fails 1 bp-join --task 0/3 -k k -b g.csv gc
    says 'for bp-join only'
    fails 2 bp-read 'gc#3'
    says 'read it whole'
    fails 1 bp-join --task 0/3 --per-task -k k gc gc
    says 'of both sides are copied'
    bp-read h.csv | bp-shuffle -k k -n 8 plain
    fails 1 bp-join --task 0/3 --per-task -k k plain gc
    says 'shuffle that one with --split-hot'
    fails 1 bp-join --task 0/3 -k k hs hs
    says 'of both sides are split'
    bp-read g.csv | bp-shuffle -k k -n 8 --copy-hot @other.csv go
    fails 1 bp-join --task 0/3 -k k hs go
    says 'are not the same'
    bp-read g.csv | bp-shuffle -k k -n 9 --copy-hot @hot.csv g9
    fails 1 bp-join --task 0/3 -k k hs g9
    says 'into the same number of partitions'
    fails 2 bp-shuffle -k k -n 8 --copy-hot @hot.csv --split-hot @hot.csv st <j.arrows
    # without partitions, and without hot keys
    for n in 1 8; do
        for t in hot none; do
            rm -rf s c jj
            bp-filter "k = 7 AND '$t' = 'hot'" hot.csv >h2.arrows
            bp-read h.csv | bp-shuffle -k k -n $n --split-hot @h2.arrows s
            bp-read g.csv | bp-shuffle -k k -n $n --copy-hot @h2.arrows c
            for i in 0 1 2; do bp-join --task $i/3 -k k s c | bp-write --task $i/3 -f arrow jj/; done
            bp-sort 'v, w' jj | bp-write >got
            same want got
        done
    done
}
@test "the bytes of a result do not tell how many partitions there were" {
    for p in 1 64; do
        for n in 1 3; do
            rm -rf st
            for i in $(seq 0 $((n - 1))); do
                bp-read --task $i/$n t.csv | bp-reduce --partial -k k 'count(*) AS n' | bp-shuffle --task $i/$n -n $p st
            done
            bp-reduce --final st >got.arrows
            bp-write got.arrow <got.arrows
            bp-reduce --final st | bp-write got.parquet
            for f in arrows arrow parquet; do
                [ -e want.$f ] || cp got.$f want.$f
                same want.$f got.$f
            done
        done
    done
}
@test "a share of a stage stays divided by its keys when other columns are left out" {
    bp-read t.csv | bp-shuffle -k k -n 8 st
    for i in 0 1 2; do bp-reduce --task $i/3 -k k 'count(*) AS n' st | bp-write --task $i/3 -f arrow r/; done
    bp-read r | bp-write >got
    bp-reduce -k k 'count(*) AS n' t.csv | bp-write >want
    same want got
}

# ---- bp-shuffle --target-size ----

parts() {
    bp-stat "$1" | sed -n '1s/.* \([0-9]*\) partition.*/\1/p'
}

@test "target-size: as many partitions as the inputs' size asks for, the same for all tasks" {
    mkdir in
    cp t.csv in/1.csv
    cp t.csv in/2.csv
    gzip in/2.csv
    bytes=$(cat in/* | wc -c)
    bp-read in | bp-filter 'k < 100' | bp-shuffle -k k --target-size 20000 st
    [ "$(parts st)" = $(((bytes + 19999) / 20000)) ]
    bp-read in | bp-shuffle --even --target-size 1G one
    [ "$(parts one)" = 1 ]
    for i in 0 1 2; do bp-read --task $i/3 in/1.csv | bp-shuffle --task $i/3 -k k --target-size 16K tasks; done
    [ "$(parts tasks)" = $((($(wc -c <in/1.csv) + 16383) / 16384)) ]
    [ "$(bp-stat --fingerprint tasks)" = "$(bp-stat --fingerprint t.csv)" ]
    bp-filter 'id >= 0' tasks | bp-shuffle -k id --target-size 16K again # a stage knows what it was made of
    [ "$(parts again)" = "$(parts tasks)" ]
}
@test "target-size: where tasks could not agree it is refused" {
    fails 2 bash -c 'bp-read <t.csv | bp-shuffle -k k --target-size 1K st'
    says 'say how many partitions, -n'
    bp-read t.csv >all.arrows
    fails 2 bp-shuffle -k k --task 0/2 --target-size 1K st <all.arrows
    says 'not a share'
    fails 2 bp-shuffle -k k -n 8 --target-size 1K st <all.arrows
    fails 2 bp-shuffle -k k --target-size 1 st <all.arrows
    says 'there may be 65536'
    fails 2 bp-shuffle -k k --target-size many st <all.arrows
    mv t.csv gone.csv
    fails 1 bp-shuffle -k k --target-size 1K st <all.arrows
    says 't.csv'
    [ ! -e st ]
}

# ---- bp-sample: N keys; more than memory ----

@test "sample -k N takes N whole keys, those with the smallest hashes" {
    for n in 0 1 7 499 500 501 100000; do
        bp-sample -k k -n $n t.csv | bp-write >got
        keys=$(bp-reduce -k k 'count(*) AS n' t.csv | bp-reduce 'count(*) AS n' | bp-write --header no)
        [ "$(sed 1d got | cut -d, -f2 | sort -u | wc -l)" = $((n < keys ? n : keys)) ]
        # every row of a key that is there, in input order
        sed 1d got | cut -d, -f2 | sort -u >keys
        awk -F, 'FILENAME == "keys" { k[$1]; next } FNR == 1 || $2 in k' keys t.csv >want
        same want got
        for b in 1 7; do
            BP_BATCH_ROWS=$b bp-sample -j 2 -k k -n $n t.csv | bp-write >got2
            same got got2
        done
    done
    # a smaller number of one seed is a part of a larger one, and of a percentage that has as many
    bp-sample -k k -n 20 --seed 3 t.csv | bp-map k | bp-write | sort -u >few
    bp-sample -k k -n 60 --seed 3 t.csv | bp-map k | bp-write | sort -u >more
    [ -z "$(comm -23 few more)" ]
    bp-sample -k k 10% --seed 3 t.csv | bp-map k | bp-write | sort -u >part
    bp-sample -k k -n $(($(wc -l <part) - 1)) --seed 3 t.csv | bp-map k | bp-write | sort -u >got
    same part got
}
@test "sample: N rows and N keys that do not fit in memory go to disk" {
    awk 'BEGIN { print "id,k,t"; for (i = 0; i < 120000; i++) printf "%d,%d,%0250d\n", i, i * 7919 % 30011, i }' >big.csv
    for args in '-n 60000' '-n 119999' '-n 200000' '-k k -n 15000' '-k k -n 100000'; do
        bp-sample --mem 1G $args big.csv | bp-stat --fingerprint >want
        bp-sample --stats --mem 16M $args big.csv 2>stats | bp-stat --fingerprint >got
        same want got
        peak_below $((16 * 1048576 * 5 / 4 + 8 * 1048576)) stats
        ! grep -q '"spilled_bytes":0,' stats
    done
    bp-sample --mem 16M -n 60000 big.csv | bp-write | cut -d, -f1 >got # in input order
    sort -n got | cmp - <(sed 1d got | cat <(echo id) -)
}
@test "sample -k N is of a whole table" {
    fails 2 bp-sample -k k -n 5 --task 0/2 t.csv
    bp-read --task 0/2 t.csv >share.arrows
    fails 1 bp-sample -k k -n 5 share.arrows
    says 'N keys are of the whole'
}

# ---- bp-stat -k ----

@test "stat -k: the heaviest keys, counted, ties by the key" {
    { echo k,v; for i in 1 1 1 1 2 2 2 3 3 4 '' 5 5; do echo "$i,x"; done; } >s.csv
    cat >want <<'EOF'
13 rows, 6 keys
     k    rows        percent
bigint  bigint  decimal(35,2)
──────  ──────  ─────────────
     1       4          30.77
     2       3          23.08
     3       2          15.38
     5       2          15.38
skew: 1.85 (the heaviest key, 4 rows, against the mean)
EOF
    bp-stat -k k -n 4 s.csv >got
    same want got
    for j in 1 2; do
        for b in 1 7; do
            BP_BATCH_ROWS=$b bp-stat -j $j -k 'k % 100, id < 10' -n 7 t.csv >got
            bp-stat --mem 16M -k 'k % 100, id < 10' -n 7 t.csv >want
            same want got
        done
    done
    bp-read t.csv | bp-shuffle -k k -n 4 st
    bp-stat -k k -n 3 st >got
    bp-stat -k k -n 3 t.csv >want
    same want got
    echo k >empty.csv
    is '0 rows, 0 keys' "bp-stat -k k empty.csv | head -1"
}
@test "stat -k: usage" {
    fails 2 bp-stat -k k --verify t.csv
    fails 2 bp-stat -k nothing t.csv
    bp-read --task 0/2 t.csv >share.arrows
    fails 1 bp-stat -k k share.arrows
}

# ---- within --mem ----

@test "show -a: a table larger than memory, as it is with much of it" {
    awk 'BEGIN { print "id,k,t"; for (i = 0; i < 100000; i++) printf "%d,%s,%0250d\n", i, (i % 3 ? i : ""), i }' >big.csv
    for x in '' -x; do
        bp-show $x -a --mem 1G big.csv | md5sum >want
        bp-show $x -a --mem 16M big.csv | md5sum >got
        same want got
        BP_BATCH_ROWS=7 bp-show $x -a --mem 16M big.csv | md5sum >got
        same want got
    done
    [ "$(bp-show -a big.csv | tail -1)" = '(100000 rows)' ]
    # as the rows of a small one, but for the widths
    bp-head -n 30 t.csv | bp-show -a >got
    bp-show -n 30 <(bp-head -n 30 t.csv) >want
    same want got
    bp-read big.csv | head -c 200000 >cut.arrows # nothing is shown of a table that is not whole
    for x in '' -x; do
        run bash -c "bp-show $x -a cut.arrows 2>/dev/null"
        [ "$status" = 1 ] && [ -z "$output" ]
    done
}
@test "stat: --mem too small for the columns says what would do" {
    awk 'BEGIN { for (i = 0; i < 60; i++) printf "%sc%d", i ? "," : "", i; print ""; for (i = 0; i < 60; i++) printf "%s%d", i ? "," : "", i; print "" }' >wide.csv
    fails 2 bp-stat --mem 16M wide.csv
    says 'at least'
    bp-stat --mem 64M wide.csv >/dev/null
}
