LocationID   int NOT NULL,
Borough      text NOT NULL,
Zone         text NOT NULL,
service_zone text NOT NULL
