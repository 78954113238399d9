# revenue PICKUP TABLE...
revenue() {
    pickup=$1
    shift
    bp-read -w "$pickup >= '2020-01-01'" -c "$pickup,PULocationID,total_amount" "$@" |
        bp-reduce -k "date_trunc('hour', $pickup) AS hour, PULocationID AS zone" \
            'sum(total_amount) AS revenue, count(*) AS trips'
}
mkfifo "$tmp/green" "$tmp/yellow"
revenue lpep_pickup_datetime $green >"$tmp/green" &
revenue tpep_pickup_datetime $yellow >"$tmp/yellow" &
bp-join -t full -k hour,zone --fill 0 --suffix _green,_yellow "$tmp/green" "$tmp/yellow" |
    bp-write "$out"
wait
