-- q1
select station, min(t) as min, avg(double(t)) as mean, max(t) as max from stations413 group by 1 order by 1
-- q2
select station, min(t) as min, avg(double(t)) as mean, max(t) as max from stations10k group by 1 order by 1
