#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of the man pages, and those of each command's --help, run as they
# stand. In a page they are the literal blocks that begin with "$ ": lines with
# "$ " and "> " are typed, those between are the exact output, "..." any further
# lines. Each page starts in a fresh directory. TAP.
#   man_examples.sh [PAGE...]
#   man_examples.sh --fill PAGE...   write the outputs that come into the pages
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
PATH=${BP_BUILD:-$root/build}/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fill=no
if [ "${1:-}" = --fill ]; then
    fill=yes
    shift
fi
[ $# -gt 0 ] || set -- "$root"/man/*.[157]
n=0
bad=0

# fixture DIR: what the examples may count on
fixture() {
    rm -rf "$1"
    mkdir -p "$1/trips"
    taxi-gen --rows 1000 >"$1/trips.csv"
    taxi-gen --rows 1000 --kind green >"$1/green.csv"
    taxi-gen --rows 1000 --kind fhv >"$1/fhv.csv"
    taxi-gen --rows 500 --seed 2 >"$1/trips/1.csv"
    taxi-gen --rows 500 --seed 3 >"$1/trips/2.csv"
    cp "$root"/examples/taxi/*.sql "$root"/examples/taxi/zones.csv "$1"
}

# result NAME FINDINGS
result() {
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        bad=1
        echo "not ok $n - $1"
        echo "$2" | sed 's/^/# /'
    fi
}

# plain PAGE: the lines of its literal blocks as they are typed and seen
plain() {
    awk '
        /^\.Bd -literal/ { inside = 1; print "@block"; next }
        /^\.Ed/ { if (inside) print "@end"; inside = 0; next }
        inside { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print }
    ' "$1"
}

# Splits the examples of a page into $work/cmd.N and $work/want.N; prints N.
split() {
    rm -f "$work"/cmd.* "$work"/want.*
    plain "$1" | awk -v dir="$work" '
        /^@block$/ { first = 1; on = 0; next }
        /^@end$/ { on = 0; next }
        first { on = /^\$ /; first = 0 }
        !on { next }
        /^\$ / { k++; print substr($0, 3) > (dir "/cmd." k); printf "" > (dir "/want." k); next }
        /^> / && !seen[k] { print substr($0, 3) > (dir "/cmd." k); next }
        { seen[k] = 1; print > (dir "/want." k) }
        END { print k + 0 }
    '
}

# same WANT GOT: equal, but for "..." that ends WANT
same() {
    if [ "$(tail -n 1 "$1")" = ... ]; then
        head -n $(($(wc -l <"$1") - 1)) "$1" >"$work/want.head"
        head -n "$(wc -l <"$work/want.head")" "$2" | cmp -s "$work/want.head" -
    else
        cmp -s "$1" "$2"
    fi
}

# page FILE: runs its examples; says what failed
page() {
    count=$(split "$1")
    [ "$count" -gt 0 ] || return 0
    fixture "$work/dir"
    i=1
    while [ "$i" -le "$count" ]; do
        (cd "$work/dir" && bash -o pipefail "$work/cmd.$i") >"$work/got.$i" 2>"$work/err" </dev/null
        status=$?
        if [ $status -ne 0 ] || [ -s "$work/err" ]; then
            sed 's/^/$ /' "$work/cmd.$i"
            echo "exit $status"
            cat "$work/err"
        elif ! same "$work/want.$i" "$work/got.$i"; then
            sed 's/^/$ /' "$work/cmd.$i"
            diff "$work/want.$i" "$work/got.$i"
        fi
        i=$((i + 1))
    done
}

# filled FILE: the page with the outputs of this run
filled() {
    awk -v dir="$work" '
        function output(   line, path) {
            if (!k) return
            path = dir "/got." k
            while ((getline line < path) > 0) {
                gsub(/\\/, "\\e", line)
                print (line ~ /^[.'\'']/ ? "\\&" : "") line
            }
        }
        /^\.Bd -literal/ { first = 1; print; next }
        /^\.Ed/ { if (on) output(); on = 0; first = 0; print; next }
        first { on = /^\$ /; first = 0; if (on) { k++; print; next } }
        on && /^\$ / { output(); k++; print; next }
        on && !/^> / { next }
        { print }
    ' "$1"
}

for f in "$@"; do
    found=$(page "$f")
    if [ $fill = yes ]; then
        filled "$f" >"$work/page" && cat "$work/page" >"$f"
    elif [ "$(split "$f")" -gt 0 ]; then
        result "the examples of $(basename "$f") run and show what it says" "$found"
    fi
done

# --help: the examples are the indented lines before the options
[ $fill = yes ] || for c in "$root"/cmd/bp-*.c; do
    name=$(basename "$c" .c)
    fixture "$work/dir"
    found=$("$name" --help | sed -n '/^$/,/^$/s/^  //p' | while read -r line; do
        (cd "$work/dir" && bash -o pipefail -c "$line | cat") >/dev/null 2>"$work/err" </dev/null ||
            echo "exit $?: $line"
        cat "$work/err"
    done)
    result "the examples of $name --help run" "$found"
done

echo "1..$n"
[ $fill = yes ] || exit $bad
