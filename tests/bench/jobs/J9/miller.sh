mlr --csv put -q 'base = int(sub(sub($dispatching_base_num, "^B", ""), "^0+", ""));
    emit1 {"base_id": (base % 7 == 0 ? "s/" : base % 3 == 0 ? "a/" : "e/") .
            fmtnum(base, "%03x"),
        "pickup_date": sub($pickup_datetime, " .*", ""),
        "dropoff_date": sub($dropoff_datetime, " .*", ""),
        "PULocationID": $PULocationID, "DOLocationID": $DOLocationID}' "$fhv" >"$out"
