-- q1
select x.id1 as id1, x.id2 as id2, x.id3 as id3, x.id4 as id4, x.id5 as id5, x.id6 as id6, v1,
    small.id4 as small_id4, v2
from x join small on x.id1 = small.id1
-- q2
select x.id1 as id1, x.id2 as id2, x.id3 as id3, x.id4 as id4, x.id5 as id5, x.id6 as id6, v1,
    medium.id1 as medium_id1, medium.id4 as medium_id4, medium.id5 as medium_id5, v2
from x join medium on x.id2 = medium.id2
-- q3
select x.id1 as id1, x.id2 as id2, x.id3 as id3, x.id4 as id4, x.id5 as id5, x.id6 as id6, v1,
    medium.id1 as medium_id1, medium.id4 as medium_id4, medium.id5 as medium_id5, v2
from x left join medium on x.id2 = medium.id2
-- q4
select x.id1 as id1, x.id2 as id2, x.id3 as id3, x.id4 as id4, x.id5 as id5, x.id6 as id6, v1,
    medium.id1 as medium_id1, medium.id2 as medium_id2, medium.id4 as medium_id4, v2
from x join medium on x.id5 = medium.id5
-- q5
select x.id1 as id1, x.id2 as id2, x.id3 as id3, x.id4 as id4, x.id5 as id5, x.id6 as id6, v1,
    big.id1 as big_id1, big.id2 as big_id2, big.id4 as big_id4, big.id5 as big_id5, big.id6 as big_id6, v2
from x join big on x.id3 = big.id3
