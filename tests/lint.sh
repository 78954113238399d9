#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lint.sh BIN: the order of the rooms, formatting, sizes, man pages against --help. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
bin=$1
n=0
bad=0

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

# A room includes only from itself and from rooms before it; fmt, ipc, stage do not meet but for
# stage, which is written in ipc's files; expr and agg know none of them.
order="base sys col codec flow ipc fmt stage expr agg op tool"
may_include() {
    case $1:$2 in
    fmt:ipc | stage:fmt | expr:stage | expr:ipc | expr:fmt | expr:codec | agg:stage | agg:ipc | agg:fmt | agg:codec) return 1 ;;
    esac
    for r in $order; do
        [ "$r" = "$2" ] && return 0
        [ "$r" = "$1" ] && return 1
    done
    return 1
}
found=
for f in lib/*/*.[ch] lib/*/*/*.[ch]; do
    room=${f#lib/}
    room=${room%%/*}
    for inc in $(sed -n 's/^#include "\([a-z0-9_]*\)\/.*/\1/p' "$f" | sort -u); do
        [ "$inc" = "$room" ] || may_include "$room" "$inc" || found="$found$f includes $inc/
"
    done
done
result "a room includes only from rooms before it" "$found"

found=$(clang-format-14 --dry-run $(git ls-files '*.c' '*.h') 2>&1 | grep 'warning:' | head -20)
result "sources are formatted (clang-format-14)" "$found"

found=$(for f in $(git ls-files 'lib/*.[ch]' 'cmd/*.c' 'libexec/*.[ch]'); do
    [ "$(wc -l <"$f")" -le 700 ] || echo "$f has $(wc -l <"$f") lines"
done)
result "no file is longer than 700 lines" "$found"

found=$(grep -nE '\b(malloc|calloc|realloc|free|printf|exit|abort)\(' lib/*/*.c lib/*/*/*.c |
    grep -vE 'jansson|^lib/(base/mem\.c|tool/)|bp_|_free\(|snprintf|->free\(|ops->|\.free|pg_query_free|[a-z_]\.abort\(|json_|aligned_alloc' | head)
result "below lib/tool nothing prints, exits or calls malloc" "$found"

# Two functions of one name: a program takes the one that the linker meets first.
found=$(nm "$bin/../libbp.a" 2>/dev/null | awk '$2 ~ /^[TDBRVW]$/ { print $3 }' | sort | uniq -d |
    grep -v '^__' | sed 's/$/ is defined twice/')
result "no name is defined twice in the library" "$found"

found=$(for c in cmd/bp-*.c; do
    name=$(basename "$c" .c)
    page=man/$name.1
    if [ ! -e "$page" ]; then
        echo "$name has no man page"
        continue
    fi
    "$bin/$name" --help | sed -n 's/^  \(-[^ ]*\)\( --[^ ]*\)\{0,1\}  *.*$/\1\2/p; s/^  \(--[^ ]*\).*/\1/p' |
        tr -d ',' | tr ' ' '\n' | grep '^-' | sort -u >"${TMPDIR:-/tmp}/help.$$"
    sed -n 's/^\.It Fl \(.*\)/\1/p' "$page" | tr ' ' '\n' | sed 's/^Fl$//; s/^,$//' |
        sed -n 's/^\(-\{0,1\}[a-zA-Z][a-zA-Z-]*\),\{0,1\}$/-\1/p' | sort -u >"${TMPDIR:-/tmp}/page.$$"
    while read -r o; do
        grep -qxe "$o" "${TMPDIR:-/tmp}/page.$$" || echo "$page does not describe $o"
    done <"${TMPDIR:-/tmp}/help.$$"
    while read -r o; do
        case $o in --[a-z]*|-[a-zA-Z]) grep -qxe "$o" "${TMPDIR:-/tmp}/help.$$" || echo "$name --help has no $o, $page does" ;; esac
    done <"${TMPDIR:-/tmp}/page.$$"
    rm -f "${TMPDIR:-/tmp}/help.$$" "${TMPDIR:-/tmp}/page.$$"
done)
result "every command has a man page whose options match its --help" "$found"

found=$(for p in man/*.[157]; do mandoc -T lint -W warning "$p" 2>&1 | grep -v 'outdated mandoc.db\|referenced manual not found\|STYLE' ; done | head -20)
result "man pages are well-formed (mandoc)" "$found"

found=$(for d in lib/*/ lib/*/*/ libexec/*/; do [ -e "$d/README.md" ] || echo "$d has no README.md"; done)
result "every room has a README" "$found"

echo "1..$n"
exit $bad
