#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 9. The whole as a Makefile in which every task's file is a target: built four
# at a time, then found complete, then one task's file is lost and made again.
set -eu
. "$(dirname "$0")/env.sh"

make -C "$here" -j4
make -C "$here" -q
echo "nothing to do"
rm "$out/stage/yellow/00002-of-00004.arrow"
echo "one file lost:"
make -C "$here" -j4
