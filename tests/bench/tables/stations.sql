-- One billion row challenge; the file has no header
station text NOT NULL,
t       decimal(3,1) NOT NULL
