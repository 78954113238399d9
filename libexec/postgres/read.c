/* SPDX-License-Identifier: Apache-2.0 */
/* COPY (SELECT ...) TO STDOUT, whose text form is read. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "col/column.h"
#include "col/text.h"
#include "ipc/rows.h"
#include "postgres.h"

struct reading {
    struct pg *p;
    struct bp_schema schema;
    struct bp_ipc_rows rows;
    struct bp_buf field;
};

/* numeric(p, s); others, of no or another scale, stay text. */
static struct bp_type decimal(int typmod)
{
    int p = (typmod - 4) >> 16 & 0xffff, s = (typmod - 4) & 0x7ff;

    if (typmod < 4 || p > 38 || s > p)
        return BP_TYPE(BP_TEXT);
    return BP_TYPE_DECIMAL((uint8_t)p, (uint8_t)s);
}

/* By the OIDs of pg_type.dat, which do not change. */
static struct bp_type type_of(long oid, int typmod)
{
    switch (oid) {
    case 16: return BP_TYPE(BP_BOOL);
    case 17: return BP_TYPE(BP_BINARY);
    case 20: return BP_TYPE(BP_INT64);
    case 21: return BP_TYPE(BP_INT16);
    case 23: return BP_TYPE(BP_INT32);
    case 700: return BP_TYPE(BP_FLOAT32);
    case 701: return BP_TYPE(BP_FLOAT64);
    case 1082: return BP_TYPE(BP_DATE);
    case 1083: return BP_TYPE_UNIT(BP_TIME, BP_MICRO);
    case 1114: return BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO);
    case 1184: return BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_MICRO);
    case 1186: return BP_TYPE(BP_INTERVAL);
    case 1700: return decimal(typmod);
    default: return BP_TYPE(BP_TEXT);
    }
}

static int find_columns(struct reading *r, struct bp_err *err)
{
    PGresult *q;
    int n, rc = 0;

    BP_TRY(
        pg_ask(r->p,
               "SELECT attname, atttypid, atttypmod, attnotnull FROM pg_attribute WHERE attrelid "
               "= $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
               &q, err));
    n = PQntuples(q);
    if (n == 0)
        rc = bp_fail(err, BP_EDATA, "%s: the table has no columns", r->p->table);
    for (int i = 0; i < n && rc == 0; i++) {
        struct bp_type t = type_of(strtol(PQgetvalue(q, i, 1), NULL, 10),
                                   (int)strtol(PQgetvalue(q, i, 2), NULL, 10));

        rc = bp_schema_add(&r->schema, PQgetvalue(q, i, 0), t, err);
        if (rc == 0)
            r->schema.fields[i].nullable = PQgetvalue(q, i, 3)[0] != 't';
    }
    PQclear(q);
    return rc;
}

/* ---- rows ---- */

static int add_value(struct reading *r, int c, struct bp_err *err)
{
    const char *s = (const char *)r->field.data;
    struct bp_type t = r->schema.fields[c].type;
    bp_int128 room[2];
    size_t n;

    if (t.kind == BP_TEXT)
        return bp_builder_add_bytes(&r->rows.cols[c], s, r->field.len, err);
    if (t.kind == BP_BINARY && bp_parse_binary(s, r->field.len, r->field.data, &n) == BP_TEXT_OK)
        return bp_builder_add_bytes(&r->rows.cols[c], r->field.data, n, err);
    if (t.kind != BP_BINARY && bp_text_parse(t, s, r->field.len, room) == BP_TEXT_OK)
        return bp_builder_add(&r->rows.cols[c], room, err);
    return bp_fail(
        err, BP_EDATA,
        "%s: row %lld: column %s: '%.*s' has no place in its type here: read a view that "
        "casts it to text",
        r->p->table, (long long)r->rows.n_rows + 1, r->schema.fields[c].name,
        (int)BP_MIN(r->field.len, 60), s);
}

/* The character that \x stands for; COPY writes no octal or hexadecimal ones. */
static char escaped(char x)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    const char *at = strchr(from, x);

    return at && x ? to[at - from] : x;
}

/* A line of COPY's text form: fields between tabs, \N is NULL. */
static int add_row(struct reading *r, const char *line, size_t n, struct bp_err *err)
{
    const char *q = line, *end = line + n;

    for (int c = 0; c < r->schema.n_fields; c++) {
        bool is_null = end - q >= 2 && q[0] == '\\' && q[1] == 'N';

        r->field.len = 0;
        BP_TRY(bp_buf_reserve(&r->field, (size_t)(end - q) + 1, err));
        for (; q < end && *q != '\t'; q++) {
            bool is_escape = *q == '\\' && q + 1 < end;

            r->field.data[r->field.len++] = (uint8_t)(is_escape ? escaped(*++q) : *q);
        }
        q += q < end;
        if (is_null)
            BP_TRY(bp_builder_add_null(&r->rows.cols[c], err));
        else
            BP_TRY(add_value(r, c, err));
    }
    return bp_ipc_rows_next(&r->rows, n, err);
}

static int copy_rows(struct reading *r, struct bp_err *err)
{
    char *line;
    int n, rc = 0;

    while (rc == 0 && (n = PQgetCopyData(r->p->conn, &line, 0)) > 0) {
        rc = add_row(r, line, (size_t)n - (line[n - 1] == '\n'), err);
        PQfreemem(line);
    }
    if (rc < 0)
        return rc;
    for (PGresult *q; n == -1 && (q = PQgetResult(r->p->conn)); PQclear(q))
        if (PQresultStatus(q) != PGRES_COMMAND_OK)
            n = -2;
    return n == -1 ? 0 : pg_failed(r->p, err);
}

static int start_copy(struct reading *r, struct bp_err *err)
{
    struct bp_buf sql = {0};
    PGresult *q = NULL;
    int rc = bp_buf_printf(&sql, err, "COPY (SELECT * FROM %s) TO STDOUT", r->p->name);

    if (rc == 0 && !bp_buf_str(&sql, err))
        rc = err->code;
    if (rc == 0)
        q = PQexec(r->p->conn, (const char *)sql.data);
    if (rc == 0 && PQresultStatus(q) != PGRES_COPY_OUT)
        rc = pg_failed(r->p, err);
    PQclear(q);
    bp_buf_release(&sql);
    return rc;
}

static int run(struct reading *r, struct bp_err *err)
{
    BP_TRY(find_columns(r, err));
    BP_TRY(start_copy(r, err));
    BP_TRY(bp_ipc_rows_open(&r->rows, STDOUT_FILENO, "stdout", &r->schema, err));
    return copy_rows(r, err);
}

int pg_read(struct pg *p, struct bp_err *err)
{
    struct reading r = {.p = p};
    int rc = bp_ipc_rows_end(&r.rows, run(&r, err), say, err);

    bp_buf_release(&r.field);
    bp_schema_release(&r.schema);
    return rc;
}
