/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INSERT, row by row, in one transaction: only the end of the stream commits. SQLite keeps what
 * was there until then, and brings it back by its journal if we are killed.
 */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "col/column.h"
#include "col/text.h"
#include "ipc/ipc.h"
#include "sqlite.h"

struct writing {
    sqlite3 *db;
    sqlite3_stmt *insert;
    const char *file, *table;
    struct bp_source in;
    struct bp_buf text;
};

static int failed(const struct writing *w, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s#%s: %s", w->file, w->table, sqlite3_errmsg(w->db));
}

static int run_sql(const struct writing *w, const char *sql, struct bp_err *err)
{
    if (!sql)
        return bp_fail_oom(err, 1);
    return sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(w, err);
}

/* ---- the table ---- */

/* How the type is declared, so that reading it gives back the kind of value. Exact numbers that
 * SQLite would make floating point, dates and times, lists and structs are text. */
static const char *declared(struct bp_type t)
{
    if (t.kind == BP_BOOL)
        return "BOOLEAN";
    if (bp_type_is_int(t) && t.kind != BP_UINT64)
        return "INTEGER";
    if (bp_type_is_float(t))
        return "REAL";
    return t.kind == BP_BINARY ? "BLOB" : "TEXT";
}

/* (name, ...), with types or without; or as many ?. */
enum list { NAMES, TYPED, MARKS };
static int put_list(const struct writing *w, enum list what, struct bp_buf *out, struct bp_err *err)
{
    const struct bp_schema *s = &w->in.schema;

    for (int i = 0; i < s->n_fields; i++) {
        const struct bp_field *f = &s->fields[i];
        char *name = sqlite3_mprintf("\"%w\"", f->name);
        int rc = name ? 0 : bp_fail_oom(err, strlen(f->name));

        if (rc == 0 && what == MARKS)
            rc = bp_buf_puts(out, i ? ", ?" : " (?", err);
        else if (rc == 0)
            rc = bp_buf_printf(out, err, "%s%s%s%s%s", i ? ", " : " (", name,
                               what == TYPED ? " " : "", what == TYPED ? declared(f->type) : "",
                               what == TYPED && !f->nullable ? " NOT NULL" : "");
        sqlite3_free(name);
        BP_TRY(rc);
    }
    return bp_buf_puts(out, ")", err);
}

static int make_table(const struct writing *w, const char *name, struct bp_err *err)
{
    struct bp_buf sql = {0};
    int rc;

    BP_GO(bp_buf_printf(&sql, err, "CREATE TABLE IF NOT EXISTS %s", name));
    BP_GO(put_list(w, TYPED, &sql, err));
    rc = run_sql(w, bp_buf_str(&sql, err), err);
out:
    bp_buf_release(&sql);
    return rc;
}

static int check_empty(const struct writing *w, const char *name, struct bp_err *err)
{
    char *sql = sqlite3_mprintf("SELECT 1 FROM %s LIMIT 1", name);
    sqlite3_stmt *s = NULL;
    int rc = sql ? 0 : bp_fail_oom(err, 1), step = SQLITE_ERROR;

    if (rc == 0 && sqlite3_prepare_v2(w->db, sql, -1, &s, NULL) == SQLITE_OK)
        step = sqlite3_step(s);
    if (rc == 0 && step == SQLITE_ROW)
        rc =
            bp_fail(err, BP_EDATA, "%s#%s: the table has rows: --replace puts these in their place",
                    w->file, w->table);
    else if (rc == 0 && step != SQLITE_DONE)
        rc = failed(w, err);
    sqlite3_finalize(s);
    sqlite3_free(sql);
    return rc;
}

static int prepare_insert(struct writing *w, const char *name, struct bp_err *err)
{
    struct bp_buf sql = {0};
    int rc;

    BP_GO(bp_buf_printf(&sql, err, "INSERT INTO %s", name));
    BP_GO(put_list(w, NAMES, &sql, err));
    BP_GO(bp_buf_puts(&sql, " VALUES", err));
    BP_GO(put_list(w, MARKS, &sql, err));
    if (!bp_buf_str(&sql, err))
        BP_GO(err->code);
    if (sqlite3_prepare_v2(w->db, (const char *)sql.data, -1, &w->insert, NULL) != SQLITE_OK)
        rc = failed(w, err);
out:
    bp_buf_release(&sql);
    return rc;
}

static int empty_table(const struct writing *w, const char *name, struct bp_err *err)
{
    char *sql = sqlite3_mprintf("DELETE FROM %s", name);
    int rc = run_sql(w, sql, err);

    sqlite3_free(sql);
    return rc;
}

static int prepare(struct writing *w, bool replace, struct bp_err *err)
{
    char *name = sqlite3_mprintf("\"%w\"", w->table);
    int rc;

    if (!name)
        return bp_fail_oom(err, 1);
    BP_GO(run_sql(w, "BEGIN IMMEDIATE", err));
    BP_GO(make_table(w, name, err));
    BP_GO(replace ? empty_table(w, name, err) : check_empty(w, name, err));
    rc = prepare_insert(w, name, err);
out:
    sqlite3_free(name);
    return rc;
}

/* ---- rows ---- */

static int bind_text(struct writing *w, const struct bp_column *c, int64_t i, int at,
                     struct bp_err *err)
{
    const uint8_t *s;
    size_t n;

    if (bp_type_is_bytes(c->type)) {
        s = bp_column_bytes(c, i, &n);
    } else {
        w->text.len = 0;
        BP_TRY(bp_text_append(c, i, &w->text, err));
        s = w->text.data;
        n = w->text.len;
    }
    if (c->type.kind == BP_BINARY
            ? sqlite3_bind_blob64(w->insert, at, n ? s : (const uint8_t *)"", n, SQLITE_TRANSIENT)
            : sqlite3_bind_text64(w->insert, at, n ? (const char *)s : "", n, SQLITE_TRANSIENT,
                                  SQLITE_UTF8))
        return failed(w, err);
    return 0;
}

static int64_t int_of(const struct bp_column *c, int64_t i)
{
    switch (c->type.kind) {
    case BP_BOOL: return bp_bit_get(c->data, i);
    case BP_INT8: return ((const int8_t *)c->data)[i];
    case BP_INT16: return ((const int16_t *)c->data)[i];
    case BP_INT32: return ((const int32_t *)c->data)[i];
    case BP_UINT8: return ((const uint8_t *)c->data)[i];
    case BP_UINT16: return ((const uint16_t *)c->data)[i];
    case BP_UINT32: return ((const uint32_t *)c->data)[i];
    default: return ((const int64_t *)c->data)[i];
    }
}

static int bind(struct writing *w, const struct bp_column *c, int64_t i, int at, struct bp_err *err)
{
    const char *how = declared(c->type);
    double d;
    int rc;

    if (bp_column_is_null(c, i)) {
        rc = sqlite3_bind_null(w->insert, at);
    } else if (how[0] == 'I' || strcmp(how, "BOOLEAN") == 0) {
        rc = sqlite3_bind_int64(w->insert, at, int_of(c, i));
    } else if (how[0] == 'R') {
        d = c->type.kind == BP_FLOAT32 ? (double)((const float *)c->data)[i]
                                       : ((const double *)c->data)[i];
        if (d != d) /* SQLite keeps no NaN: it would be NULL */
            return bp_fail(err, BP_EDATA, "%s#%s: column %s: SQLite has no NaN", w->file, w->table,
                           w->in.schema.fields[at - 1].name);
        rc = sqlite3_bind_double(w->insert, at, d);
    } else {
        return bind_text(w, c, i, at, err);
    }
    return rc == SQLITE_OK ? 0 : failed(w, err);
}

static int put_rows(struct writing *w, const struct bp_batch *b, struct bp_err *err)
{
    for (int64_t i = 0; i < b->n_rows; i++) {
        for (int c = 0; c < b->n_cols; c++)
            BP_TRY(bind(w, &b->cols[c], i, c + 1, err));
        if (sqlite3_step(w->insert) != SQLITE_DONE || sqlite3_reset(w->insert) != SQLITE_OK)
            return failed(w, err);
    }
    return 0;
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
    return rc < 0 ? rc : run_sql(w, "COMMIT", err);
}

static int run(struct writing *w, bool replace, struct bp_err *err)
{
    struct bp_ipc_opts opts = {0};
    struct bp_input in;

    if (!*w->table)
        return bp_fail(err, BP_EUSAGE, "%s: a table has to be named: '%s#TABLE'", w->file, w->file);
    BP_TRY(bp_input_open(&in, "-", err));
    BP_TRY(bp_ipc_stream_source(&w->in, &in, &opts, err));
    if (sqlite3_open_v2(w->file, &w->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        return failed(w, err);
    sqlite3_busy_timeout(w->db, BUSY_MS);
    BP_TRY(prepare(w, replace, err));
    return copy_rows(w, err);
}

int table_write(const char *file, const char *table, bool replace, struct bp_err *err)
{
    struct writing w = {.file = file, .table = table};
    int rc = run(&w, replace, err);

    sqlite3_finalize(w.insert);
    /* what was not committed is rolled back; a file that was new stays, empty: another writer may
     * have it open, and wait for us */
    sqlite3_close(w.db);
    bp_source_free(&w.in);
    bp_buf_release(&w.text);
    return rc;
}
