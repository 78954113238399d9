select * from yellow
