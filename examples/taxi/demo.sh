#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Examples 5 to 8 on a million yellow and a million green trips: the ten hours
# and zones that earned most. `make demo` runs this.
set -eu
. "$(dirname "$0")/env.sh"

for step in 05-revenue 06-join 07-zones 08-top; do
    echo
    sed -n '3,/^set/{/^# /s/^# //p}' "$here/$step.sh"
    echo
    sh "$here/$step.sh"
done
