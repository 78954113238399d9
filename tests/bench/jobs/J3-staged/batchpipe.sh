cd "$tmp"
cat >map.sh <<'END'
bp-read -T -w "tpep_pickup_datetime >= '2020-01-01'" \
    -c tpep_pickup_datetime,PULocationID,total_amount $yellow |
    bp-reduce --partial -k "date_trunc('hour', tpep_pickup_datetime) AS hour, PULocationID AS zone" \
        'sum(total_amount) AS revenue, count(*) AS trips' |
    bp-shuffle -T -n 8 stage
END
cat >reduce.sh <<'END'
bp-reduce -T --final stage | bp-write -T -f arrow revenue/
END
seq 0 3 | xargs -P2 -I{} env BP_TASK={}/4 sh map.sh
seq 0 1 | xargs -P2 -I{} env BP_TASK={}/2 sh reduce.sh
bp-read revenue | bp-write "$out"
