id1 int NOT NULL,
id2 int NOT NULL,
id4 text NOT NULL,
id5 text NOT NULL,
v2  double precision NOT NULL
