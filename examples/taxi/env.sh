# SPDX-License-Identifier: Apache-2.0
# Read by every script here: where the programs, the trips and the results are.
#
#   TAXI_ROWS   trips of each kind to generate (1000000)
#   TAXI_DATA   where they are: yellow.csv, green.csv, fhv.csv (build/taxi);
#               files of your own there are used as they are
#   TAXI_OUT    where results go (build/taxi/out)
#   TAXI_JOBS   tasks at a time in a fan-out (2)

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rows=${TAXI_ROWS:-1000000}
data=${TAXI_DATA:-$root/build/taxi}
out=${TAXI_OUT:-$root/build/taxi/out}
jobs=${TAXI_JOBS:-2}
PATH=$PATH:$root/build/bin
mkdir -p "$data" "$out"

# trips KIND: the name of that file of trips, which is generated first if need be.
trips() {
    sh "$here/data.sh" "$1"
}

# need FILE SCRIPT: run SCRIPT if FILE, which it makes, is not there.
need() {
    [ -e "$1" ] || sh "$here/$2" >/dev/null
}
