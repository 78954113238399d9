/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of a PostgreSQL database, by libpq and COPY. Everything happens in one transaction:
 * what is read is one snapshot, what is written is there as a whole or not at all.
 */
#ifndef BP_POSTGRES_H
#define BP_POSTGRES_H

#include <postgresql/libpq-fe.h>

#include "base/buf.h"
#include "base/mem.h"
#include "col/schema.h"

struct pg {
    PGconn *conn;
    const char *table; /* as it was asked for: TABLE or SCHEMA.TABLE */
    char *name;        /* the same, quoted for SQL */
};

/* Connects, and begins the transaction; release it also on error. */
int pg_open(struct pg *p, const char *url, const char *table, bool for_writing,
            struct bp_err *err) BP_MUST;
void pg_release(struct pg *p);
/* What the server last said, with the table's name; returns err->code. */
int pg_failed(const struct pg *p, struct bp_err *err);
/* A statement without rows. */
int pg_run(const struct pg *p, const char *sql, struct bp_err *err) BP_MUST;
/* The rows of a query whose only parameter, $1, is the table's quoted name. */
int pg_ask(const struct pg *p, const char *sql, PGresult **out, struct bp_err *err) BP_MUST;

/* read.c: the table's rows as an Arrow stream to stdout. */
int pg_read(struct pg *p, struct bp_err *err) BP_MUST;
/* write.c: the Arrow stream on stdin into the table, which is made if it is not there; one that
 * has rows is refused, or emptied first (replace). */
int pg_write(struct pg *p, bool replace, struct bp_err *err) BP_MUST;

/* main.c: what failed goes to stderr, once. */
void say(const struct bp_err *err);

#endif
