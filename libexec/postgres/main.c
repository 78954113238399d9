/* SPDX-License-Identifier: Apache-2.0 */
/* bp-postgres read|write|replace URL TABLE (README.md). */
#include "postgres.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int pg_failed(const struct pg *p, struct bp_err *err)
{
    const char *why = PQerrorMessage(p->conn);
    size_t n = strcspn(why, "\n"); /* what follows is where in our own statement */

    return bp_fail(err, BP_EDATA, "%s: %.*s", p->table, (int)n, why);
}

int pg_run(const struct pg *p, const char *sql, struct bp_err *err)
{
    PGresult *r = PQexec(p->conn, sql);
    int rc = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK
                 ? 0
                 : pg_failed(p, err);

    PQclear(r);
    return rc;
}

int pg_ask(const struct pg *p, const char *sql, PGresult **out, struct bp_err *err)
{
    const char *args[] = {p->name};

    *out = PQexecParams(p->conn, sql, 1, NULL, args, NULL, NULL, 0);
    if (PQresultStatus(*out) == PGRES_TUPLES_OK)
        return 0;
    PQclear(*out);
    *out = NULL;
    return pg_failed(p, err);
}

/* TABLE or SCHEMA.TABLE, each part quoted. */
static int quote_name(struct pg *p, struct bp_err *err)
{
    const char *dot = strchr(p->table, '.'), *rest = dot ? dot + 1 : p->table;
    char *schema = dot ? PQescapeIdentifier(p->conn, p->table, (size_t)(dot - p->table)) : NULL;
    char *table = PQescapeIdentifier(p->conn, rest, strlen(rest));
    struct bp_buf b = {0};
    int rc = table && (schema || !dot) ? 0 : pg_failed(p, err);

    if (rc == 0)
        rc = bp_buf_printf(&b, err, "%s%s%s", schema ? schema : "", schema ? "." : "", table);
    if (rc == 0 && !bp_buf_str(&b, err))
        rc = err->code;
    PQfreemem(schema);
    PQfreemem(table);
    p->name = (char *)b.data;
    return rc;
}

static void no_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

int pg_open(struct pg *p, const char *url, const char *table, bool for_writing, struct bp_err *err)
{
    *p = (struct pg){.table = table};
    if (!*table)
        return bp_fail(err, BP_EUSAGE, "a table has to be named: '%s#TABLE'", url);
    p->conn = PQconnectdb(url);
    if (PQstatus(p->conn) != CONNECTION_OK)
        return pg_failed(p, err);
    PQsetNoticeProcessor(p->conn, no_notice, NULL);
    BP_TRY(quote_name(p, err));
    BP_TRY(
        pg_run(p,
               "SET client_encoding = 'UTF8'; SET datestyle = ISO; SET intervalstyle = postgres; "
               "SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = hex",
               err));
    return pg_run(p, for_writing ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                  err);
}

void pg_release(struct pg *p)
{
    PQfinish(p->conn); /* what was not committed is rolled back */
    bp_mem_free(p->name);
}

void say(const struct bp_err *err)
{
    static bool said;

    if (!said && err->code < 0 && err->code != BP_ECLOSED)
        fprintf(stderr, "bp-postgres: %s\n", err->msg);
    said = said || err->code < 0;
}

int main(int argc, char **argv)
{
    bool reads = argc == 4 && strcmp(argv[1], "read") == 0;
    bool replaces = argc == 4 && strcmp(argv[1], "replace") == 0;
    struct bp_err err = {0};
    struct pg p;

    if (argc != 4 || !(reads || replaces || strcmp(argv[1], "write") == 0)) {
        fprintf(stderr, "bp-postgres is started by bp-read, bp-write and the like for "
                        "postgresql:// names; by hand: bp-postgres read|write|replace URL TABLE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (pg_open(&p, argv[2], argv[3], !reads, &err) == 0 &&
        (reads ? pg_read(&p, &err) : pg_write(&p, replaces, &err)) < 0 && err.code == 0)
        err.code = BP_EDATA;
    pg_release(&p);
    say(&err);
    return err.code < 0 && err.code != BP_ECLOSED;
}
