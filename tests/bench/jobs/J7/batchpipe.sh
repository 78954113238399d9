bp-read $yellow | bp-sort --mem "$mem" 'tpep_pickup_datetime, PULocationID' | bp-write "$out"
