#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 13. CSV with a schema to 24 Parquet files, of as many rows each, several at a time;
# their sizes beside the CSV's.
set -eu
. "$(dirname "$0")/env.sh"
fhv=$(trips fhv)

bp-read -s "@$here/fhv.sql" "$fhv" | bp-shuffle --even -n 24 --replace "$out/fhv-even"
export out
seq 0 23 | xargs -P "$jobs" -I{} sh -c \
    'bp-read "$out/fhv-even#{}" | bp-write --task {}/24 -f parquet "$out/fhv-parquet/"'

{
    echo table,files,bytes
    echo "CSV,1,$(wc -c <"$fhv")"
    echo "Parquet,24,$(cat "$out/fhv-parquet/"*.parquet | wc -c)"
} >"$out/sizes.csv"
bp-show "$out/sizes.csv"
