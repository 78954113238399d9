/* SPDX-License-Identifier: Apache-2.0 */
/* COPY ... FROM STDIN; only the end of the stream commits. */
#include <string.h>

#include "base/mem.h"
#include "col/column.h"
#include "col/text.h"
#include "ipc/ipc.h"
#include "postgres.h"

#define SEND_BYTES ((size_t)256 << 10)

struct writing {
    struct pg *p;
    struct bp_source in;
    struct bp_buf out, text;
};

/* ---- the table ---- */

/* The type's name in PostgreSQL, mostly ours; false: it has none that keeps every value. */
static bool type_name(struct bp_type t, struct bp_buf *out, struct bp_err *err)
{
    bool has_unit = t.kind == BP_TIME || t.kind == BP_TIMESTAMP || t.kind == BP_TIMESTAMPTZ;

    switch (t.kind) {
    case BP_INT8:
    case BP_UINT8: return bp_buf_puts(out, "smallint", err) == 0;
    case BP_UINT16: return bp_buf_puts(out, "integer", err) == 0;
    case BP_UINT32: return bp_buf_puts(out, "bigint", err) == 0;
    case BP_UINT64: return bp_buf_puts(out, "numeric(20)", err) == 0;
    case BP_LIST:
        return t.nest->kids[0].kind != BP_LIST && type_name(t.nest->kids[0], out, err) &&
               bp_buf_puts(out, "[]", err) == 0;
    case BP_NO_TYPE:
    case BP_STRUCT: return false;
    default: return !(has_unit && t.unit == BP_NANO) && bp_type_print(t, out, err) == 0;
    }
}

static int put_name(const struct writing *w, const char *name, struct bp_buf *out,
                    struct bp_err *err)
{
    char *quoted = PQescapeIdentifier(w->p->conn, name, strlen(name));
    int rc = quoted ? bp_buf_puts(out, quoted, err) : pg_failed(w->p, err);

    PQfreemem(quoted);
    return rc;
}

/* (name, ...), or with their types. */
static int put_columns(const struct writing *w, bool types, struct bp_buf *out, struct bp_err *err)
{
    const struct bp_schema *s = &w->in.schema;

    for (int i = 0; i < s->n_fields; i++) {
        const struct bp_field *f = &s->fields[i];
        char name[BP_TYPE_NAME_MAX];

        BP_TRY(bp_buf_puts(out, i ? ", " : " (", err));
        BP_TRY(put_name(w, f->name, out, err));
        if (!types)
            continue;
        BP_TRY(bp_buf_puts(out, " ", err));
        if (!type_name(f->type, out, err))
            return err->code
                       ? err->code
                       : bp_fail(err, BP_EDATA,
                                 "column '%.200s': PostgreSQL has no type for %s: cast it, or "
                                 "make the table yourself",
                                 f->name, bp_type_name(f->type, name));
        if (!f->nullable)
            BP_TRY(bp_buf_puts(out, " NOT NULL", err));
    }
    return bp_buf_puts(out, ")", err);
}

static int run_built(const struct writing *w, struct bp_buf *sql, struct bp_err *err)
{
    const char *text = bp_buf_str(sql, err);

    return text ? pg_run(w->p, text, err) : err->code;
}

static int make_table(struct writing *w, struct bp_err *err)
{
    struct bp_buf sql = {0};
    int rc;

    BP_GO(bp_buf_printf(&sql, err, "CREATE TABLE %s", w->p->name));
    BP_GO(put_columns(w, true, &sql, err));
    rc = run_built(w, &sql, err);
out:
    bp_buf_release(&sql);
    return rc;
}

/* Nobody else writes to it until we are done. */
static int empty_table(struct writing *w, bool replace, struct bp_err *err)
{
    struct bp_buf sql = {0};
    PGresult *q = NULL;
    int rc;

    BP_GO(bp_buf_printf(&sql, err, "LOCK TABLE %s IN EXCLUSIVE MODE", w->p->name));
    BP_GO(run_built(w, &sql, err));
    sql.len = 0;
    BP_GO(bp_buf_printf(&sql, err, replace ? "DELETE FROM %s" : "SELECT 1 FROM %s LIMIT 1",
                        w->p->name));
    if (replace)
        BP_GO(run_built(w, &sql, err));
    if (!replace && bp_buf_str(&sql, err))
        q = PQexec(w->p->conn, (const char *)sql.data);
    rc = err->code;
    if (rc == 0 && q && PQresultStatus(q) != PGRES_TUPLES_OK)
        rc = pg_failed(w->p, err);
    else if (rc == 0 && q && PQntuples(q))
        rc = bp_fail(err, BP_EDATA, "%s: the table has rows: --replace puts these in their place",
                     w->p->table);
out:
    PQclear(q);
    bp_buf_release(&sql);
    return rc;
}

static int prepare(struct writing *w, bool replace, struct bp_err *err)
{
    struct bp_buf sql = {0};
    PGresult *q;
    bool is_there;
    int rc;

    BP_TRY(pg_ask(w->p, "SELECT to_regclass($1)", &q, err));
    is_there = !PQgetisnull(q, 0, 0);
    PQclear(q);
    BP_TRY(is_there ? empty_table(w, replace, err) : make_table(w, err));
    BP_GO(bp_buf_printf(&sql, err, "COPY %s", w->p->name));
    BP_GO(put_columns(w, false, &sql, err));
    BP_GO(bp_buf_puts(&sql, " FROM STDIN", err));
    if (!bp_buf_str(&sql, err))
        BP_GO(err->code);
    q = PQexec(w->p->conn, (const char *)sql.data);
    if (PQresultStatus(q) != PGRES_COPY_IN)
        rc = pg_failed(w->p, err);
    PQclear(q);
out:
    bp_buf_release(&sql);
    return rc;
}

/* ---- rows ---- */

/* What stands behind the backslash for this byte; 0: it stands for itself. */
static uint8_t escape(uint8_t c)
{
    switch (c) {
    case '\\': return '\\';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

/* Text in the form of COPY. */
static int put_text(struct bp_buf *out, const uint8_t *s, size_t n, struct bp_err *err)
{
    uint8_t *to;

    BP_TRY(bp_buf_reserve(out, 2 * n + 1, err));
    to = out->data + out->len;
    for (size_t i = 0; i < n; i++) {
        uint8_t code = escape(s[i]);

        if (code)
            *to++ = '\\';
        *to++ = code ? code : s[i];
    }
    out->len = (size_t)(to - out->data);
    return 0;
}

static int put_value(struct writing *w, const struct bp_column *c, int64_t i, struct bp_err *err)
{
    const uint8_t *s;
    size_t n;

    if (bp_column_is_null(c, i))
        return bp_buf_puts(&w->out, "\\N", err);
    if (c->type.kind == BP_TEXT) {
        s = bp_column_bytes(c, i, &n);
        return put_text(&w->out, s, n, err);
    }
    w->text.len = 0;
    BP_TRY(bp_text_append(c, i, &w->text, err));
    return put_text(&w->out, w->text.data, w->text.len, err);
}

static int send(struct writing *w, struct bp_err *err)
{
    bool sent = PQputCopyData(w->p->conn, (const char *)w->out.data, (int)w->out.len) == 1;

    w->out.len = 0;
    return sent ? 0 : pg_failed(w->p, err);
}

static int put_rows(struct writing *w, const struct bp_batch *b, struct bp_err *err)
{
    for (int64_t i = 0; i < b->n_rows; i++) {
        for (int c = 0; c < b->n_cols; c++) {
            if (c)
                BP_TRY(bp_buf_puts(&w->out, "\t", err));
            BP_TRY(put_value(w, &b->cols[c], i, err));
        }
        BP_TRY(bp_buf_puts(&w->out, "\n", err));
        if (w->out.len >= SEND_BYTES)
            BP_TRY(send(w, err));
    }
    return 0;
}

/* The server has taken all rows, and looked at them. */
static int end_copy(struct writing *w, struct bp_err *err)
{
    int rc = 0;

    if (w->out.len)
        BP_TRY(send(w, err));
    if (PQputCopyEnd(w->p->conn, NULL) != 1)
        return pg_failed(w->p, err);
    for (PGresult *q; (q = PQgetResult(w->p->conn)); PQclear(q))
        if (PQresultStatus(q) != PGRES_COMMAND_OK && rc == 0)
            rc = pg_failed(w->p, err);
    return rc;
}

static int copy_rows(struct writing *w, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    while ((rc = bp_source_next(&w->in, &b, err)) == 0) {
        rc = put_rows(w, &b, err);
        bp_batch_release(&b);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    BP_TRY(end_copy(w, err));
    return pg_run(w->p, "COMMIT", err);
}

int pg_write(struct pg *p, bool replace, struct bp_err *err)
{
    struct bp_ipc_opts opts = {0};
    struct writing w = {.p = p};
    struct bp_input in;
    int rc;

    BP_TRY(bp_input_open(&in, "-", err));
    rc = bp_ipc_stream_source(&w.in, &in, &opts, err);
    if (rc == 0)
        rc = prepare(&w, replace, err);
    if (rc == 0)
        rc = copy_rows(&w, err);
    bp_source_free(&w.in);
    bp_buf_release(&w.out);
    bp_buf_release(&w.text);
    return rc;
}
