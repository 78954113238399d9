# SPDX-License-Identifier: Apache-2.0
# Helpers of the command tests. Each test runs in a scratch directory of its own.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
}

# put FILE TEXT: printf '%b'
put() {
    mkdir -p "$(dirname "$1")"
    printf '%b' "$2" >"$1"
}

# same FILE FILE
same() {
    cmp "$1" "$2" || { diff "$1" "$2" | head -20; return 1; }
}

# fails STATUS COMMAND...: exits with STATUS; stderr is in $output, stdout is thrown away
fails() {
    local want=$1
    shift
    run bash -c 'exec 2>&1 >/dev/null; "$@"' _ "$@"
    if [ "$status" -ne "$want" ]; then
        echo "status $status, not $want: $output"
        return 1
    fi
}

says() {
    case $output in
    *"$1"*) ;;
    *)
        echo "no '$1' in: $output"
        return 1
        ;;
    esac
}

# peak_below BYTES FILE: what --stats wrote to FILE says so; a sanitizer's own memory does not count
peak_below() {
    case $BP_BUILD in
    */san-*) return 0 ;;
    esac
    [ "$(sed 's/.*"peak_bytes":\([0-9]*\).*/\1/' "$2")" -lt "$1" ] || { cat "$2"; return 1; }
}
