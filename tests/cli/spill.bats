#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What does not fit into --mem: the same bytes, within the bound, and errors that say what to do.
load lib

setup_file() {
    export ROWS=$BATS_FILE_TMPDIR/rows.csv
    seq 400000 | awk 'BEGIN { srand(7); print "n,k,city,x,note" }
        { k = int(rand() * 5000); printf "%d,%s,town %d,%.3f,%s\n", $1, k % 97 ? k : "", k % 61,
          rand() * 1000, k % 3 ? "" : "a note of some length, " k }' | sed 's/a note.*/"&"/' >"$ROWS"
}
setup() {
    cd "$BATS_TEST_TMPDIR"
}

# peak COMMAND: its largest resident memory in KiB, by the shell's child
peak() {
    "$BP_PYTHON" -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}

# within KIB GOT: a sanitizer's own memory does not count
within() {
    case $BP_BUILD in
    */san-*) return 0 ;;
    esac
    [ "$2" -le "$1" ]
}

@test "a sort of more than memory holds gives the same bytes" {
    for order in k 'city DESC, x' 'note NULLS FIRST, k % 10'; do
        bp-sort --mem 1G "$order" "$ROWS" >want
        bp-sort --mem 16M "$order" "$ROWS" >got
        same want got
        bp-read "$ROWS" | bp-sort --mem 1G "$order" >want
        bp-read "$ROWS" | bp-sort --mem 16M -j 1 "$order" >got
        same want got
    done
}
@test "so does a top N of more than memory holds" {
    bp-sort --mem 1G -n 200000 'x, n' "$ROWS" >want
    bp-sort --mem 16M -n 200000 'x, n' "$ROWS" >got
    same want got
}
@test "a sort with --mem 16M stays within 28 MiB" {
    got=$(peak bp-sort --mem 16M -j 2 'k, x' "$ROWS")
    echo "peak $got KiB"
    within 28672 "$got"
    free=$(peak bp-sort --mem 1G -j 2 'k, x' "$ROWS")
    echo "without a bound $free KiB"
    [ "$free" -gt 28672 ]
}
@test "more groups than memory holds give the same bytes" {
    seq 500000 | awk 'BEGIN { print "n,t" } { printf "%d,text %d\n", $1, ($1 * 7919) % 400000 }' >groups.csv
    check() { # KEYS AGGS
        bp-reduce --mem 1G -k "$1" "$2" groups.csv >want
        bp-reduce --mem 16M --stats -k "$1" "$2" groups.csv >got 2>stats
        same want got
        ! grep -q '"spilled_bytes":0,' stats
        bp-reduce --mem 16M --partial -k "$1" "$2" groups.csv | bp-reduce --mem 16M --final >got
        bp-write -f csv <got >got.csv
        bp-write -f csv <want >want.csv
        same want.csv got.csv
    }
    check t 'count(*) AS c, sum(n) AS s, min(n) AS lo'
    check 't, n % 3 AS k' 'count(DISTINCT n % 5) AS d, first(n) AS f'
}
@test "aggregates with large states give the same bytes, within the bound" {
    for k in k city; do
        for agg in "string_agg(city, ',' ORDER BY x DESC)" 'sum(DISTINCT n)' 'approx_count_distinct(n)' \
            'approx_percentile(x, 0.5)' 'median(x)'; do
            bp-reduce --mem 1G -k $k "$agg AS a" "$ROWS" >want
            bp-reduce --mem 16M -k $k "$agg AS a" "$ROWS" >got
            same want got
        done
    done
    for agg in "string_agg(city, ',' ORDER BY x DESC)" 'sum(DISTINCT n)'; do
        got=$(peak bp-reduce --mem 16M -j 2 -k city "$agg AS a" "$ROWS")
        echo "$agg: peak $got KiB"
        within 28672 "$got"
    done
}
@test "a pivot of what is on disk gives the same bytes" {
    bp-reduce --mem 1G -k n --across 'k % 7' 'count(*) AS c, max(x) AS x' "$ROWS" >want
    bp-reduce --mem 16M --stats -k n --across 'k % 7' 'count(*) AS c, max(x) AS x' "$ROWS" >got 2>stats
    same want got
    ! grep -q '"spilled_bytes":0,' stats
}
@test "a group-by with --mem 16M stays within 28 MiB" {
    got=$(peak bp-reduce --mem 16M -j 2 -k 'n, note' 'count(*) AS c, max(city) AS m' "$ROWS")
    echo "peak $got KiB"
    within 28672 "$got"
    free=$(peak bp-reduce --mem 1G -j 2 -k 'n, note' 'count(*) AS c, max(city) AS m' "$ROWS")
    echo "without a bound $free KiB"
    [ "$free" -gt 28672 ]
}
@test "a join whose right side memory does not hold gives the same bytes" {
    seq 600000 | awk 'BEGIN { print "n,t" } { printf "%d,text %d\n", $1, ($1 * 7919) % 300000 }' >right.csv
    seq 0 7 60000 | awk 'BEGIN { print "i,t" } { printf "%d,text %d\n", $1, $1 * 11 }' >left.csv
    for type in inner left right full semi anti; do
        bp-join --mem 1G -t $type -k t left.csv right.csv >want
        bp-join --mem 16M --stats -t $type -k t left.csv right.csv >got 2>stats
        same want got
        ! grep -q '"spilled_bytes":0,' stats
    done
    got=$(peak bp-join --mem 16M -j 2 -t full -k t left.csv right.csv)
    echo "peak $got KiB"
    within 28672 "$got"
}
@test "so does a join of one key that memory does not hold" {
    seq 500000 | awk 'BEGIN { print "k,b" } { printf "1,%d\n", $1 }' >right.csv
    printf 'k,a\n1,5\n2,6\n1,7\n' >left.csv
    for type in full anti; do
        bp-join --mem 1G -t $type -k k -w 'b % 1000 = a' left.csv right.csv >want
        bp-join --mem 16M --stats -t $type -k k -w 'b % 1000 = a' left.csv right.csv >got 2>stats
        same want got
        ! grep -q '"spilled_bytes":0,' stats
    done
}
@test "a plan that needs more than --mem says how much, and with that much it runs" {
    awk 'BEGIN { for (i = 0; i < 500; i++) printf "%sc%d", i ? "," : "", i; print ""
        for (r = 0; r < 300; r++) for (i = 0; i < 500; i++) printf "%d%s", (r * 7 + i) % 100, i < 499 ? "," : "\n" }' >wide.csv
    seq 499 | sed 's/.*/avg(c&) AS a&, var_pop(c&) AS v&/' | paste -sd, >aggs
    bp-read wide.csv >wide.arrow
    fails 2 bp-reduce --mem 16M -k c0 @aggs wide.arrow
    says '16 MiB of memory (--mem) are too few: this needs'
    need=$(grep -o '[0-9]*M at least' <<<"$output")
    bp-reduce --mem "${need%% *}" -k c0 @aggs wide.arrow >got
    bp-reduce --mem 1G -k c0 @aggs wide.arrow >want
    same want got
}
@test "hundreds of aggregates stay within the bound, and give the same bytes" {
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "%sc%d", i ? "," : "", i; print ""
        for (r = 0; r < 1500; r++) for (i = 0; i < 300; i++) printf "%d%s", (r * 7 + i) % 1000, i < 299 ? "," : "\n" }' >wide.csv
    bp-read wide.csv >wide.arrow
    for agg in 'var_pop(c&)' 'sum(DISTINCT c&)' 'first(c&)' "string_agg(c&::text, ',')"; do
        seq 299 | sed "s/.*/$agg AS a&/" | paste -sd, >aggs
        bp-reduce --mem 1G -k c0 @aggs wide.arrow >want
        bp-reduce --mem 20M --stats -k c0 @aggs wide.arrow >got 2>stats
        same want got
        ! grep -q '"spilled_bytes":0,' stats
        got=$(peak bp-reduce --mem 20M -j 2 -k c0 @aggs wide.arrow)
        echo "$agg: peak $got KiB"
        within 33792 "$got"
    done
}
@test "nothing is left in TMPDIR, and a bad one is named" {
    mkdir tmp
    TMPDIR=$PWD/tmp bp-sort --mem 16M k "$ROWS" >got
    [ -z "$(ls -A tmp)" ]
    TMPDIR=$PWD/none fails 1 bp-sort --mem 16M k "$ROWS"
    says "none' (TMPDIR)"
}
@test "a full temporary directory says what was needed and what is free" {
    run bash -c "ulimit -f 2000; bp-sort --mem 16M k '$ROWS' | wc -c >n"
    says 'no room in'
    says 'more bytes were needed'
    says 'are free; set TMPDIR'
}
@test "--stats says what a command did, as one line of JSON" {
    bp-sort --mem 16M --stats k "$ROWS" 2>stats >got
    "$BP_PYTHON" - <<'PY'
import json
s = json.load(open("stats"))
assert s["command"] == "bp-sort" and s["rows"] == 400000, s
assert s["bytes"] > 400000 * 30 and s["spilled_bytes"] > s["bytes"] / 2 and s["seconds"] > 0, s
assert 4 << 20 < s["peak_bytes"], s
PY
    within 28672 $(($(sed 's/.*"peak_bytes":\([0-9]*\).*/\1/' stats) / 1024))
    bp-read "$ROWS" | bp-write --stats out.csv 2>stats
    grep -q '"command":"bp-write","rows":400000,.*"spilled_bytes":0' stats
}

@test "one wide number late does not make all rows wide" {
    seq 200000 | sed '1i k' | bp-read -s 'k int' | bp-map "k * 7919 % 200003 AS k, $(for i in {1..20}; do
        printf "CASE k WHEN 199990 THEN %d * 1e30::decimal(38,2) ELSE (k %% 100)::decimal(38,2) END AS d%d, " $i $i
    done) 1::smallint AS z" >in.arrows
    bp-sort k --mem 1G in.arrows >want.arrows
    bp-sort k --mem 16M --stats in.arrows 2>stats | cmp - want.arrows
    if [[ $BP_BUILD != */san-* ]]; then
        [ "$(sed 's/.*"peak_bytes":\([0-9]*\).*/\1/' stats)" -le $((28 << 20)) ]
    fi
}

@test "a key does not keep the batches in memory that its values came in" {
    bp-read "$ROWS" | bp-map "n, city, x, city || ' of some length'::text AS t, $(for i in {1..9}; do
        printf "(n %% %d)::decimal(38,2) AS d%d, " $((i * 9)) $i; done) 1::smallint AS z" >in.arrows
    for order in city 't, x'; do
        bp-sort --mem 16M "$order" in.arrows >want.arrows
        bp-sort --mem 96M --stats "$order" in.arrows 2>stats | cmp - want.arrows
        grep -q '"spilled_bytes":0' stats
        peak_below $((80 << 20)) stats
    done
}

@test "texts that are longer late take no more memory in a top N" {
    awk 'BEGIN { print "k,t"; s = sprintf("%8000s", "x"); l = s s s s s s s s s s s
        for (i = 6000; i; i--) printf "%d,%s\n", i, (i > 3000 ? s : l) }' >in.csv
    bp-sort -n 10 --mem 16M --stats -s 'k int, t text' k in.csv 2>stats >got
    peak_below $((28 << 20)) stats
    bp-sort -n 10 --mem 1G -s 'k int, t text' k in.csv >want
    same want got
}

@test "a large right side becomes rows only where these keep to the memory, too" {
    # long texts in the first chunk make places that the short ones behind it do not fill
    awk 'BEGIN { print "k,a,b,c,d,e,f"; for (i = 0; i < 1100000; i++) { t = i < 8000 ? sprintf("%016d", i) : i % 10; printf "%d,%s,%s,%s,%s,%s,%s\n", i, t, t, t, t, t, t } }' >right.csv
    awk 'BEGIN { print "k"; for (i = 0; i < 60000; i++) print i * 37 % 1200000 }' >left.csv
    bp-read -s 'k int, a text, b text, c text, d text, e text, f text' right.csv | bp-write right.arrow
    for mem in 92 256; do
        bp-read left.csv | bp-join --mem ${mem}M --stats -k k - right.arrow 2>stats | bp-write $mem.csv
        peak_below $((mem << 20)) stats
    done
    cmp 92.csv 256.csv
    [ "$(wc -l <92.csv)" = 57298 ]
}
