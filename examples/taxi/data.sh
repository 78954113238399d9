#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# data.sh KIND...: print the name of each file of trips (yellow, green, fhv);
# generate what is absent, or was generated with another TAXI_ROWS.
set -eu
. "$(dirname "$0")/env.sh"

for kind; do
    file=$data/$kind.csv stamp=$data/.$kind.rows
    if [ ! -e "$file" ] || { [ -e "$stamp" ] && [ "$(cat "$stamp")" != "$rows" ]; }; then
        rm -f "$stamp"
        taxi-gen --kind "$kind" --rows "$rows" >"$file.$$"
        mv "$file.$$" "$file"
        echo "$rows" >"$stamp"
    fi
    echo "$file"
done
