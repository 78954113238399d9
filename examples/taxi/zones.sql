-- The zones that PULocationID and DOLocationID name.
LocationID   int,
Borough      text,
Zone         text,
service_zone text
