#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 1. Read CSV with an explicit schema; show the schema and the first rows.
set -eu
. "$(dirname "$0")/env.sh"
yellow=$(trips yellow)

bp-read -s "@$here/yellow.sql" "$yellow" | bp-write "$out/yellow.arrow"

bp-schema "$out/yellow.arrow"
bp-show -n 5 "$out/yellow.arrow"
