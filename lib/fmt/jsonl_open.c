/* SPDX-License-Identifier: Apache-2.0 */
/* What is settled when a JSON Lines source is opened: sizes, columns, the share. */
#include <string.h>

#include "flow/ledger.h"
#include "fmt/csv_scan.h"
#include "fmt/jsonl_reader.h"

#define COLUMN_BYTES ((int64_t)4 << 10)

/* Columns of all chunks in work together: a quarter of the memory. */
static int64_t most_bytes_for(const struct jsonl_reader *r)
{
    int64_t limit = r->ctx->budget.limit_bytes;

    if (!limit)
        return INT64_MAX;
    return BP_MAX(limit / (4 * ((int64_t)r->ctx->n_threads + 3)), 4 * (int64_t)r->chunk_bytes);
}

/* Fixed bytes and offsets of a row. Elements of a list have text of their own, about as many
 * bytes; but one that is a struct may lack its keys: *elem_bytes is the most that one takes. */
static int64_t type_bytes(struct bp_type t, int64_t *elem_bytes)
{
    int64_t bytes = 0;

    if (t.kind == BP_LIST) {
        bytes = type_bytes(t.nest->kids[0], elem_bytes);
        if (t.nest->kids[0].kind == BP_STRUCT)
            *elem_bytes = BP_MAX(*elem_bytes, bytes);
        return sizeof(int32_t);
    }
    if (bp_type_is_bytes(t))
        return sizeof(int32_t);
    for (int i = 0; t.kind == BP_STRUCT && i < t.nest->n_kids; i++)
        bytes += type_bytes(t.nest->kids[i], elem_bytes);
    return bytes + (int64_t)bp_type_width_bytes(t) + 1;
}

void jsonl_weigh_rows(struct jsonl_reader *r)
{
    r->row_bytes = r->elem_bytes = 0;
    for (int c = 0; c < r->n_cols; c++)
        r->row_bytes += type_bytes(r->cols[c].type, &r->elem_bytes);
    r->block_rows = (int)BP_MIN((int64_t)JSONL_BLOCK_ROWS,
                                r->most_bytes / (8 * (r->row_bytes + r->elem_bytes + 1)) + 1);
}

static int read_head(struct jsonl_file *f, struct bp_err *err)
{
    uint8_t buf[3];
    const uint8_t *p = buf;
    size_t got, taken;

    if (f->in.is_file)
        BP_TRY(bp_input_read_at(&f->in, buf, 3, 0, &got, err));
    else
        BP_TRY(bp_input_peek(&f->in, 3, &p, &got, err));
    if (got < 3 || memcmp(p, "\xef\xbb\xbf", 3) != 0)
        return 0;
    f->data_start = 3;
    return f->in.is_file ? 0 : bp_input_read(&f->in, buf, 3, &taken, err);
}

static int64_t weight(const struct bp_input *in)
{
    return in->size_bytes < 0 ? in->is_named : in->size_bytes; /* as csv_range.c */
}

/* lo and hi of every file: shares of all inputs together; what is no file belongs
 * whole to the share in which it begins. */
static void cut_share(struct jsonl_reader *r, int task, int n_tasks)
{
    bp_int128 total = 0;
    int64_t from, to, at = 0;

    for (int i = 0; i < r->n_files; i++)
        total += weight(&r->files[i].in);
    from = n_tasks ? (int64_t)(total * task / n_tasks) : 0;
    to = n_tasks ? (int64_t)(total * (task + 1) / n_tasks) : INT64_MAX;
    for (int i = 0; i < r->n_files; i++) {
        struct jsonl_file *f = &r->files[i];
        int64_t size = weight(&f->in);
        bool last = !n_tasks || task == n_tasks - 1;

        if (n_tasks && f->in.is_file) {
            f->lo = BP_MIN(BP_MAX(from - at, 0), size);
            f->hi = BP_MIN(BP_MAX(to - at, 0), size);
        } else {
            f->hi = (at >= from && at < to) || (last && at >= to) ? INT64_MAX : 0;
        }
        at += size;
    }
}

/* The table: declared columns, then the other keys of the sample; and their types. */
static int make_table(struct jsonl_reader *r, const struct bp_jsonl_opts *o,
                      struct bp_schema *table, struct bp_err *err)
{
    int n_declared = o->schema ? o->schema->n_fields : 0;
    struct bp_type *types = bp_mem_new((size_t)n_declared, sizeof *types, err);
    int rc = types ? 0 : err->code;

    for (int i = 0; i < n_declared && rc == 0; i++) {
        const char *name = o->schema->fields[i].name;

        types[i] = o->schema->fields[i].type;
        rc = jsonl_keys_add(&r->keys, (const uint8_t *)name, strlen(name), err);
    }
    r->inferred = !o->schema || o->star;
    if (rc == 0 && r->inferred)
        rc = jsonl_infer(r, true, &types, err);
    if (rc == 0 && o->schema)
        rc = bp_schema_copy(table, o->schema, err);
    for (int k = n_declared; k < r->keys.n && rc == 0; k++)
        rc = bp_schema_add(table, r->keys.items[k].name, types[k], err);
    bp_mem_free(types);
    return rc;
}

static int add_col(struct jsonl_reader *r, const struct bp_schema *table, int key, int n_declared,
                   struct bp_err *err)
{
    struct text_col *col = &r->cols[r->n_cols];

    for (int c = 0; c < r->n_cols; c++)
        if (r->cols[c].key == key)
            return bp_fail(err, BP_EUSAGE, "column '%s' is asked for twice",
                           table->fields[key].name);
    *col = (struct text_col){.name = bp_mem_str(table->fields[key].name, err),
                             .type = table->fields[key].type,
                             .key = key,
                             .not_null = !table->fields[key].nullable,
                             .guessed = key >= n_declared};
    if (!col->name)
        return err->code;
    r->n_cols++;
    return 0;
}

static int choose_columns(struct jsonl_reader *r, const struct bp_schema *table,
                          const struct bp_jsonl_opts *o, struct bp_err *err)
{
    int n = table->n_fields, n_declared = o->schema ? o->schema->n_fields : 0;

    for (n = o->columns ? 0 : n; o->columns && o->columns[n];)
        n++;
    r->cols = bp_mem_new((size_t)n + 1, sizeof *r->cols, err);
    if (!r->cols)
        return err->code;
    for (int c = 0; c < n; c++) {
        int key = c;

        if (o->columns && text_col_lacks(table, o->columns[c], o->may_lack))
            continue;
        if (o->columns)
            BP_TRY(bp_schema_index(table, o->columns[c], &key, err));
        BP_TRY(add_col(r, table, key, n_declared, err));
    }
    if (o->line_name && bp_schema_find(table, o->line_name) == -1)
        BP_TRY(text_line_add(r->cols, &r->n_cols, o->line_name, err));
    r->line_col = text_line_col(r->cols, r->n_cols);
    return 0;
}

/* A chunk, and its columns. */
static int64_t slot_bytes(const struct jsonl_reader *r)
{
    return 3 * (int64_t)r->chunk_bytes + r->n_cols * COLUMN_BYTES;
}

int jsonl_threads_for(const struct jsonl_reader *r)
{
    return text_threads_for(r->ctx, slot_bytes(r));
}

void jsonl_tell_least(struct jsonl_reader *r)
{
    text_tell_least(r->ctx, slot_bytes(r), &r->told_bytes);
}

int jsonl_settle(struct jsonl_reader *r, const struct bp_jsonl_opts *o, struct bp_schema *out,
                 struct bp_err *err)
{
    struct bp_schema table = {0};
    int rc = 0;

    r->chunk_bytes = o->chunk_bytes > 0
                         ? (size_t)o->chunk_bytes
                         : text_chunk_bytes_for(r->ctx, JSONL_CHUNK_BYTES, JSONL_CHUNK_MIN_BYTES);
    r->most_bytes = most_bytes_for(r);
    r->line_max_bytes = text_record_max_for(r->ctx);
    r->level = csv_kernels_pick()->level;
    r->rejects = o->rejects;
    if (!r->n_files)
        return bp_fail(err, BP_EUSAGE, "no input");
    for (int i = 0; i < r->n_files; i++) {
        BP_TRY(read_head(&r->files[i], err));
        if (i >= JSONL_AWAKE_FILES)
            bp_input_rest(&r->files[i].in);
    }
    BP_TRY(text_keep_declared(&r->declared, o->schema, err));
    BP_GO(make_table(r, o, &table, err));
    if (!table.n_fields)
        BP_GO(bp_fail(err, BP_EDATA, "%s: no object to take the columns from: declare them with -s",
                      r->files[0].in.name));
    BP_GO(choose_columns(r, &table, o, err));
    jsonl_weigh_rows(r);
    cut_share(r, o->task, o->n_tasks);
    for (int i = 0; i < r->n_files; i++)
        BP_GO(bp_ledger_add_bytes(r->ctx->ledger, &r->files[i].in, r->files[i].lo, r->files[i].hi,
                                  (struct bp_share){o->n_tasks ? o->task : 0, o->n_tasks}, err));
    jsonl_tell_least(r);
    for (int c = 0; c < r->n_cols; c++) {
        BP_GO(bp_schema_add(out, r->cols[c].name, r->cols[c].type, err));
        out->fields[c].nullable = !r->cols[c].not_null;
        out->fields[c].pseudo = r->cols[c].is_line;
    }
out:
    bp_schema_release(&table);
    return rc;
}
