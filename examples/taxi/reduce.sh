#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# BP_TASK=I/N sh reduce.sh yellow|green: one task of the second stage. It takes
# the I-th of N shares of the stage's partitions and finishes its groups.
set -eu
. "$(dirname "$0")/env.sh"
color=$1

bp-reduce -T --final "$out/stage/$color" | bp-write -T -f arrow "$out/revenue/$color/"
