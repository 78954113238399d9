/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers and columns. The table's columns are the declared ones in their order,
 * then (with *, or without a schema) the others of the first file in its order.
 * Every file is matched to them by name, or by position where there is no header.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "col/text.h"
#include "fmt/csv_reader.h"

#define HEAD_FIRST_BYTES ((size_t)64 << 10)

/* ---- reading ---- */

/* The first n bytes, from buf or from what the input looks ahead. */
static int look(struct csv_file *f, size_t n, struct bp_buf *buf, const uint8_t **p, size_t *got,
                struct bp_err *err)
{
    if (!f->in.is_file)
        return bp_input_peek(&f->in, n, p, got, err);
    buf->len = 0;
    BP_TRY(bp_buf_reserve(buf, n, err));
    BP_TRY(bp_input_read_at(&f->in, buf->data, n, 0, got, err));
    *p = buf->data;
    return 0;
}

/* The first record; record.n 0: the file is empty. */
static int first_record(const struct csv_reader *r, struct csv_file *f, struct bp_buf *buf,
                        const uint8_t **bytes, size_t *bom, struct csv_record *rec, size_t *used,
                        struct bp_err *err)
{
    struct csv_dialect d = r->dialect;
    size_t got;
    int rc;

    d.null_text = NULL;
    for (size_t n = HEAD_FIRST_BYTES; n <= r->record_max_bytes; n *= 4) {
        BP_TRY(look(f, n, buf, bytes, &got, err));
        *bom = got >= 3 && memcmp(*bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        csv_record_release(rec);
        rc = csv_record_first(&d, *bytes + *bom, got - *bom, got < n, rec, used, err);
        if (rc <= 0)
            return rc;
        if (got < n)
            return bp_fail(err, BP_EDATA, "%s:1: a quote in the first row is not closed",
                           f->in.name);
    }
    return bp_fail(err, BP_EDATA,
                   "%s:1: the row is longer than %zu MiB " TEXT_RECORD_MAX_WORDS
                   "; is a quote not closed?",
                   f->in.name, r->record_max_bytes >> 20);
}

static int check_name(const struct csv_file *f, int i, const uint8_t *p, size_t n,
                      struct bp_err *err)
{
    size_t bad;

    if (!n)
        return bp_fail(err, BP_EDATA, "%s:1: the header has no name for column %d of %d",
                       f->in.name, i + 1, f->n_fields);
    if (memchr(p, 0, n))
        return bp_fail(err, BP_EDATA, "%s:1: a NUL byte in the header's name of column %d",
                       f->in.name, i + 1);
    if (!bp_utf8_check(p, n, &bad))
        return bp_fail(err, BP_EDATA,
                       "%s:1: byte 0x%02x in the header's name of column %d is not valid UTF-8",
                       f->in.name, p[bad], i + 1);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_duplicates(const struct csv_file *f, struct bp_err *err)
{
    size_t n = (size_t)f->n_fields;
    char **sorted = bp_mem_new(n, sizeof *sorted, err);
    int rc = 0;

    if (!sorted)
        return err->code;
    memcpy(sorted, f->names, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_names);
    for (size_t i = 1; i < n && rc == 0; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            rc = bp_fail(err, BP_EDATA, "%s:1: the header has two columns named '%s'", f->in.name,
                         sorted[i]);
    bp_mem_free(sorted);
    return rc;
}

static int take_names(struct csv_file *f, const struct csv_record *rec, bool header,
                      struct bp_err *err)
{
    char name[32];

    f->n_fields = rec->n;
    f->names = bp_mem_new((size_t)rec->n, sizeof *f->names, err);
    if (!f->names)
        return err->code;
    for (int i = 0; i < rec->n; i++) {
        size_t from = i ? rec->ends[i - 1] : 0, n = rec->ends[i] - from;
        const uint8_t *p = n ? rec->bytes.data + from : (const uint8_t *)"";

        if (header)
            BP_TRY(check_name(f, i, p, n, err));
        else
            n = (size_t)snprintf(name, sizeof name, "c%d", i + 1);
        f->names[i] = bp_mem_strn(header ? (const char *)p : name, n, err);
        if (!f->names[i])
            return err->code;
    }
    return header ? check_duplicates(f, err) : 0;
}

/* An empty file has the declared columns and no rows. */
static int empty_file(struct csv_file *f, const struct bp_csv_opts *opts, struct bp_err *err)
{
    const struct bp_schema *s = opts->schema;

    if (!s || opts->star)
        return bp_fail(err, BP_EDATA, "%s: the file is empty: no columns to take from it (pass -s)",
                       f->in.name);
    f->names = bp_mem_new((size_t)s->n_fields, sizeof *f->names, err);
    if (!f->names)
        return err->code;
    for (int i = 0; i < s->n_fields; i++) {
        f->names[i] = bp_mem_str(s->fields[i].name, err);
        if (!f->names[i])
            return err->code;
        f->n_fields++;
    }
    return 0;
}

static int skip_bytes(struct bp_input *in, size_t n, struct bp_err *err)
{
    uint8_t room[4096];
    size_t got;

    for (; n; n -= got) {
        BP_TRY(bp_input_read(in, room, BP_MIN(n, sizeof room), &got, err));
        if (!got)
            break;
    }
    return 0;
}

static int read_head(struct csv_reader *r, struct csv_file *f, const struct bp_csv_opts *opts,
                     struct bp_err *err)
{
    struct csv_record rec = {0};
    struct bp_buf buf = {0};
    const uint8_t *bytes = NULL;
    size_t bom = 0, used = 0;
    int rc;

    BP_GO(first_record(r, f, &buf, &bytes, &bom, &rec, &used, err));
    if (used == 0) {
        BP_GO(empty_file(f, opts, err));
    } else {
        if (rec.n == 0) { /* an empty line: one empty field */
            static size_t none;
            static uint8_t yes = 1;
            struct csv_record one = {.ends = &none, .empty = &yes, .n = 1};

            BP_GO(take_names(f, &one, r->header, err));
        } else {
            BP_GO(take_names(f, &rec, r->header, err));
        }
        if (!r->header)
            used = 0;
    }
    f->data_start = (int64_t)(bom + used);
    f->head_lines = csv_count_lines(r->kernels, bytes, bom + used);
    if (!f->in.is_file)
        BP_GO(skip_bytes(&f->in, bom + used, err));
    rc = 0;
out:
    csv_record_release(&rec);
    bp_buf_release(&buf);
    return rc;
}

int csv_heads_read(struct csv_reader *r, const struct bp_csv_opts *opts, struct bp_err *err)
{
    for (int i = 0; i < r->n_files; i++) {
        BP_TRY(read_head(r, &r->files[i], opts, err));
        if (i >= CSV_AWAKE_FILES)
            bp_input_rest(&r->files[i].in);
    }
    return 0;
}

/* ---- matching ---- */

static bool is_taken(const int *taken, int n, int field)
{
    for (int i = 0; i < n; i++)
        if (taken[i] == field)
            return true;
    return false;
}

/* The field of f with this name: exact, else the only one ignoring case. -1 none. */
static int find_field(const struct csv_file *f, const char *name)
{
    int found = -1;

    for (int i = 0; i < f->n_fields; i++)
        if (strcmp(f->names[i], name) == 0)
            return i;
    for (int i = 0; i < f->n_fields; i++)
        if (strcasecmp(f->names[i], name) == 0) {
            if (found >= 0)
                return -2;
            found = i;
        }
    return found;
}

static int list_names(const struct csv_file *f, struct bp_buf *out, struct bp_err *err)
{
    for (int i = 0; i < f->n_fields; i++)
        BP_TRY(bp_buf_printf(out, err, "%s%s", i ? ", " : "", f->names[i]));
    return 0;
}

static int missing_column(const struct csv_file *f, const char *name, int found, struct bp_err *err)
{
    struct bp_buf have = {0};
    const char *list;

    if (found == -2)
        return bp_fail(err, BP_EDATA, "%s:1: several columns match '%s' when case is ignored",
                       f->in.name, name);
    list = list_names(f, &have, err) == 0 ? bp_buf_str(&have, err) : NULL;
    if (list)
        bp_fail(err, BP_EDATA, "%s:1: no column '%s' in the header; there are: %s", f->in.name,
                name, list);
    bp_buf_release(&have);
    return err->code;
}

/* map[t] = the field of f for table column t. */
static int match_by_name(const struct csv_file *f, const struct bp_schema *table, int *map,
                         bool missing_null, struct bp_err *err)
{
    for (int t = 0; t < table->n_fields; t++) {
        int found = find_field(f, table->fields[t].name);

        if (found < 0 && !(found == -1 && missing_null))
            return missing_column(f, table->fields[t].name, found, err);
        if (found < 0 && !table->fields[t].nullable)
            return bp_fail(err, BP_EDATA, "%s:1: no column '%s' in the header, and it is NOT NULL",
                           f->in.name, table->fields[t].name);
        if (found >= 0 && is_taken(map, t, found))
            return bp_fail(err, BP_EDATA, "%s:1: column '%s' matches two columns of the schema",
                           f->in.name, f->names[found]);
        map[t] = found;
    }
    return 0;
}

static int match_by_place(const struct csv_file *f, const struct bp_schema *table, int *map,
                          struct bp_err *err)
{
    if (f->n_fields != table->n_fields)
        return bp_fail(err, BP_EDATA, "%s:1: %d field%s where the schema has %d columns",
                       f->in.name, f->n_fields, f->n_fields == 1 ? "" : "s", table->n_fields);
    for (int t = 0; t < table->n_fields; t++)
        map[t] = t;
    return 0;
}

static int check_extra(const struct csv_file *f, const int *map, int n, struct bp_err *err)
{
    for (int i = 0; i < f->n_fields; i++)
        if (!is_taken(map, n, i))
            return bp_fail(err, BP_EDATA,
                           "%s:1: column '%s' is not in the schema (end it with * to take all)",
                           f->in.name, f->names[i]);
    return 0;
}

/* The declared columns, then those of the first file that they leave. */
static int make_table(const struct csv_reader *r, const struct bp_csv_opts *opts,
                      struct bp_schema *table, struct bp_err *err)
{
    const struct csv_file *f = &r->files[0];
    int n = opts->schema ? opts->schema->n_fields : 0, *map;
    int rc = 0;

    if (opts->schema)
        BP_TRY(bp_schema_copy(table, opts->schema, err));
    if (opts->schema && !opts->star)
        return 0;
    map = bp_mem_new((size_t)n, sizeof *map, err);
    if (!map)
        return err->code;
    if (n && r->header)
        BP_GO(match_by_name(f, table, map, opts->missing_null, err));
    for (int i = 0; i < f->n_fields; i++)
        if (r->header ? !is_taken(map, n, i) : i >= n)
            BP_GO(bp_schema_add(table, f->names[i], BP_TYPE(BP_NO_TYPE), err));
    if (!r->header && f->n_fields < n)
        rc = match_by_place(f, table, map, err);
out:
    bp_mem_free(map);
    return rc;
}

/* wanted[c] = the table column that output column c shows; -1: the number of the line. */
static int choose_columns(struct csv_reader *r, const struct bp_schema *table,
                          const struct bp_csv_opts *opts, int **wanted, struct bp_err *err)
{
    const char *const *columns = opts->columns;
    int n = table->n_fields;

    if (columns)
        for (n = 0; columns[n];)
            n++;
    *wanted = bp_mem_new((size_t)n + 1, sizeof **wanted, err);
    r->cols = *wanted ? bp_mem_new((size_t)n + 1, sizeof *r->cols, err) : NULL;
    if (!r->cols)
        return err->code;
    for (int k = 0; k < n; k++) {
        int t = k, c = r->n_cols;

        if (columns && text_col_lacks(table, columns[k], opts->may_lack))
            continue;
        if (columns)
            BP_TRY(bp_schema_index(table, columns[k], &t, err));
        for (int i = 0; i < c; i++)
            if ((*wanted)[i] == t)
                return bp_fail(err, BP_EUSAGE, "column '%s' is asked for twice",
                               table->fields[t].name);
        (*wanted)[c] = t;
        r->cols[c].name = bp_mem_str(table->fields[t].name, err);
        if (!r->cols[c].name)
            return err->code;
        r->n_cols++;
        r->cols[c].type = table->fields[t].type;
        r->cols[c].not_null = !table->fields[t].nullable;
        r->cols[c].dict = (enum bp_dict_kind)table->fields[t].dict;
        r->cols[c].guessed = table->fields[t].type.kind == BP_NO_TYPE;
        r->any_guess |= r->cols[c].guessed;
    }
    if (!opts->line_name || bp_schema_find(table, opts->line_name) != -1)
        return 0;
    (*wanted)[r->n_cols] = -1;
    return text_line_add(r->cols, &r->n_cols, opts->line_name, err);
}

static int match_file(struct csv_reader *r, struct csv_file *f, const struct bp_schema *table,
                      const int *wanted, bool missing_null, int *map, struct bp_err *err)
{
    if (r->header)
        BP_TRY(match_by_name(f, table, map, missing_null, err));
    else
        BP_TRY(match_by_place(f, table, map, err));
    BP_TRY(check_extra(f, map, table->n_fields, err));
    f->field_of = bp_mem_new((size_t)r->n_cols, sizeof *f->field_of, err);
    if (!f->field_of)
        return err->code;
    for (int c = 0; c < r->n_cols; c++)
        f->field_of[c] = wanted[c] < 0 ? -1 : map[wanted[c]];
    return 0;
}

/* No text is read as a list or a struct. */
static int refuse_nested(const struct bp_schema *schema, struct bp_err *err)
{
    for (int i = 0; schema && i < schema->n_fields; i++)
        if (bp_type_is_nested(schema->fields[i].type))
            return bp_fail(err, BP_EUSAGE,
                           "column '%.200s': text is not read as lists or structs; read it as text "
                           "and take string_to_array(), or have JSON Lines or Arrow",
                           schema->fields[i].name);
    return 0;
}

int csv_columns_resolve(struct csv_reader *r, const struct bp_csv_opts *opts, struct bp_err *err)
{
    struct bp_schema table = {0};
    int *wanted = NULL, *map = NULL;
    int rc;

    BP_GO(refuse_nested(opts->schema, err));
    BP_GO(make_table(r, opts, &table, err));
    BP_GO(choose_columns(r, &table, opts, &wanted, err));
    map = bp_mem_new((size_t)table.n_fields, sizeof *map, err);
    rc = map ? 0 : err->code;
    for (int i = 0; i < r->n_files && rc == 0; i++)
        rc = match_file(r, &r->files[i], &table, wanted, opts->missing_null, map, err);
    r->line_col = text_line_col(r->cols, r->n_cols);
out:
    bp_mem_free(map);
    bp_mem_free(wanted);
    bp_schema_release(&table);
    return rc;
}
