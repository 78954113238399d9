id1 int NOT NULL,
id4 text NOT NULL,
v2  double precision NOT NULL
