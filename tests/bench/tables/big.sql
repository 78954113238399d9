-- H2O.ai db-benchmark, J1_1e7_NA_0_0
id1 int NOT NULL,
id2 int NOT NULL,
id3 int NOT NULL,
id4 text NOT NULL,
id5 text NOT NULL,
id6 text NOT NULL,
v2  double precision NOT NULL
