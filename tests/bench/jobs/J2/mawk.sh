mawk -F, -v OFS=, 'NR == 1 || $1 == "HV0003" { print $3, $4, $5, $6 }' "$fhv" >"$out"
