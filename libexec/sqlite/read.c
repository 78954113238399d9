/* SPDX-License-Identifier: Apache-2.0 */
/* One SELECT, as an Arrow stream. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "col/column.h"
#include "col/text.h"
#include "ipc/rows.h"
#include "sqlite.h"

struct reading {
    sqlite3 *db;
    sqlite3_stmt *select;
    const char *file;
    char *table; /* from sqlite3_mprintf */
    struct bp_schema schema;
    struct bp_ipc_rows rows;
};

static int refused(const struct reading *r, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s: %s", r->file, sqlite3_errmsg(r->db));
}

/* ---- which table ---- */

static int names_of_tables(struct reading *r, struct bp_buf *names, int *n, struct bp_err *err)
{
    sqlite3_stmt *s;
    int rc = 0;

    if (sqlite3_prepare_v2(r->db,
                           "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND "
                           "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                           -1, &s, NULL) != SQLITE_OK)
        return refused(r, err);
    for (*n = 0; sqlite3_step(s) == SQLITE_ROW && rc == 0; ++*n) {
        const char *name = (const char *)sqlite3_column_text(s, 0);

        if (*n == 0)
            r->table = sqlite3_mprintf("%s", name);
        if (*n < 20)
            rc = bp_buf_printf(names, err, "%s%s", *n ? ", " : "", name);
    }
    if (sqlite3_finalize(s) != SQLITE_OK && rc == 0)
        rc = refused(r, err);
    return rc;
}

static int only_table(struct reading *r, struct bp_err *err)
{
    struct bp_buf names = {0};
    int n = 0, rc = names_of_tables(r, &names, &n, err);

    if (rc == 0 && n == 0)
        rc = bp_fail(err, BP_EDATA, "%s: the database holds no table", r->file);
    if (rc == 0 && n > 1 && bp_buf_str(&names, err))
        rc = bp_fail(err, BP_EDATA, "%s: the database holds %d tables (%s%s): name one: '%s#TABLE'",
                     r->file, n, (const char *)names.data, n > 20 ? ", ..." : "", r->file);
    bp_buf_release(&names);
    return rc;
}

/* ---- types ---- */

static bool has(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

/* SQLite's rules, in their order; and BOOL. */
static struct bp_type type_of(const char *declared)
{
    if (!declared)
        return BP_TYPE(BP_TEXT);
    if (has(declared, "INT"))
        return BP_TYPE(BP_INT64);
    if (has(declared, "CHAR") || has(declared, "CLOB") || has(declared, "TEXT"))
        return BP_TYPE(BP_TEXT);
    if (has(declared, "BLOB"))
        return BP_TYPE(BP_BINARY);
    if (has(declared, "REAL") || has(declared, "FLOA") || has(declared, "DOUB"))
        return BP_TYPE(BP_FLOAT64);
    return has(declared, "BOOL") ? BP_TYPE(BP_BOOL) : BP_TYPE(BP_TEXT);
}

static int open_rows(struct reading *r, struct bp_err *err)
{
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", r->table);
    int n, rc = sql ? sqlite3_prepare_v2(r->db, sql, -1, &r->select, NULL) : SQLITE_NOMEM;

    sqlite3_free(sql);
    if (rc != SQLITE_OK)
        return refused(r, err);
    n = sqlite3_column_count(r->select);
    for (int i = 0; i < n; i++)
        BP_TRY(bp_schema_add(&r->schema, sqlite3_column_name(r->select, i),
                             type_of(sqlite3_column_decltype(r->select, i)), err));
    return bp_ipc_rows_open(&r->rows, STDOUT_FILENO, "stdout", &r->schema, err);
}

/* ---- values ---- */

static int wrong(struct reading *r, int c, struct bp_err *err)
{
    static const char *const kinds[] = {"", "an integer", "a real number", "text", "a blob"};
    const char *declared = sqlite3_column_decltype(r->select, c);
    int kind = sqlite3_column_type(r->select, c);

    return bp_fail(err, BP_EDATA, "%s#%s: row %lld: column %s: '%.60s' is %s, where %s is declared",
                   r->file, r->table, (long long)r->rows.n_rows + 1, r->schema.fields[c].name,
                   kind == SQLITE_BLOB ? "..." : (const char *)sqlite3_column_text(r->select, c),
                   kinds[kind], declared ? declared : "nothing");
}

static int add_text(struct reading *r, int c, int kind, struct bp_err *err)
{
    char number[64];
    size_t bad_at;
    const void *p;

    if (kind == SQLITE_BLOB)
        return wrong(r, c, err);
    if (kind == SQLITE_FLOAT) {
        return bp_builder_add_bytes(&r->rows.cols[c], number,
                                    bp_format_float64(sqlite3_column_double(r->select, c), number),
                                    err);
    }
    p = sqlite3_column_text(r->select, c);
    if (!p)
        return bp_fail_oom(err, 1);
    if (!bp_utf8_check(p, (size_t)sqlite3_column_bytes(r->select, c), &bad_at))
        return bp_fail(err, BP_EDATA, "%s#%s: row %lld: column %s is not valid UTF-8", r->file,
                       r->table, (long long)r->rows.n_rows + 1, r->schema.fields[c].name);
    return bp_builder_add_bytes(&r->rows.cols[c], p, (size_t)sqlite3_column_bytes(r->select, c),
                                err);
}

static int add_number(struct reading *r, int c, int kind, struct bp_err *err)
{
    int64_t i = sqlite3_column_int64(r->select, c);
    double d = sqlite3_column_double(r->select, c);
    uint8_t bit = i != 0;

    switch (r->rows.cols[c].type.kind) {
    case BP_INT64:
        return kind == SQLITE_INTEGER ? bp_builder_add(&r->rows.cols[c], &i, err)
                                      : wrong(r, c, err);
    case BP_FLOAT64:
        if (kind == SQLITE_FLOAT ||
            (kind == SQLITE_INTEGER && i >= -(INT64_C(1) << 53) && i <= INT64_C(1) << 53))
            return bp_builder_add(&r->rows.cols[c], &d, err);
        return wrong(r, c, err);
    default:
        if (kind == SQLITE_INTEGER && (i == 0 || i == 1))
            return bp_builder_add(&r->rows.cols[c], &bit, err);
        return wrong(r, c, err);
    }
}

static int add_value(struct reading *r, int c, struct bp_err *err)
{
    int kind = sqlite3_column_type(r->select, c);
    const void *p;

    if (kind == SQLITE_NULL)
        return bp_builder_add_null(&r->rows.cols[c], err);
    if (r->rows.cols[c].type.kind == BP_TEXT)
        return add_text(r, c, kind, err);
    if (r->rows.cols[c].type.kind != BP_BINARY)
        return add_number(r, c, kind, err);
    if (kind != SQLITE_BLOB && kind != SQLITE_TEXT)
        return wrong(r, c, err);
    p = sqlite3_column_blob(r->select, c);
    return bp_builder_add_bytes(&r->rows.cols[c], p ? p : "",
                                (size_t)sqlite3_column_bytes(r->select, c), err);
}

static int copy_rows(struct reading *r, struct bp_err *err)
{
    int rc;

    while ((rc = sqlite3_step(r->select)) == SQLITE_ROW) {
        size_t n_bytes = 0;

        for (int c = 0; c < r->schema.n_fields; c++) {
            BP_TRY(add_value(r, c, err));
            if (bp_type_is_bytes(r->schema.fields[c].type))
                n_bytes += (size_t)sqlite3_column_bytes(r->select, c);
        }
        BP_TRY(bp_ipc_rows_next(&r->rows, n_bytes, err));
    }
    return rc == SQLITE_DONE ? 0 : refused(r, err);
}

/* A writer that was killed leaves a journal, by which SQLite brings back what was there: that
 * is writing. */
static int open_flags(const char *file)
{
    char *journal = sqlite3_mprintf("%s-journal", file);
    bool is_left = journal && access(journal, F_OK) == 0;

    sqlite3_free(journal);
    return is_left ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
}

static int run(struct reading *r, const char *table, struct bp_err *err)
{
    if (sqlite3_open_v2(r->file, &r->db, open_flags(r->file), NULL) != SQLITE_OK)
        return refused(r, err);
    sqlite3_busy_timeout(r->db, BUSY_MS);
    if (*table)
        r->table = sqlite3_mprintf("%s", table);
    else
        BP_TRY(only_table(r, err));
    BP_TRY(open_rows(r, err));
    return copy_rows(r, err);
}

int table_read(const char *file, const char *table, struct bp_err *err)
{
    struct reading r = {.file = file};
    int rc = bp_ipc_rows_end(&r.rows, run(&r, table, err), say, err);

    bp_schema_release(&r.schema);
    sqlite3_free(r.table);
    sqlite3_finalize(r.select);
    sqlite3_close(r.db);
    return rc;
}
