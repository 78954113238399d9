-- Columns to add to for-hire trips. Each item sees those before it.
to_date(pickup_datetime)  AS pickup_date,
to_date(dropoff_datetime) AS dropoff_date,
-- B02872 -> 2872, and in hexadecimal with three digits at least
substr(dispatching_base_num, 2)::int AS base,
case when base > 4095 then to_hex(base) else lpad(to_hex(base), 3, '0') end AS hex,
case when base % 7 = 0 then 's/' || hex
     when base % 3 = 0 then 'a/' || hex
     else 'e/' || hex end AS base_id
