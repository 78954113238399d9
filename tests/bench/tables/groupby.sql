-- H2O.ai db-benchmark, G1_1e7_1e2_0_0
id1 text NOT NULL,
id2 text NOT NULL,
id3 text NOT NULL,
id4 int NOT NULL,
id5 int NOT NULL,
id6 int NOT NULL,
v1  int NOT NULL,
v2  int NOT NULL,
v3  double precision NOT NULL
