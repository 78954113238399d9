-- q1
select station, min(t) as min, avg(t) as mean, max(t) as max from stations413 group by station order by station
-- q2
select station, min(t) as min, avg(t) as mean, max(t) as max from stations10k group by station order by station
