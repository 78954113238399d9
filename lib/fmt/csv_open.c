/* SPDX-License-Identifier: Apache-2.0 */
/* What is settled when a CSV source is opened, and held against the end. */
#include <string.h>

#include "flow/ledger.h"
#include "fmt/csv_reader.h"

#define TEXT_COLUMN_BYTES ((int64_t)48 << 10)
#define COLUMN_BYTES ((int64_t)2 << 10)
#define DICT_VALUE_BYTES 128 /* of a dictionary: its places in the table, and its text */

static bool is_special(char c)
{
    return c == '\n' || c == '\r' || c == 0 || (unsigned char)c >= 0x80;
}

int csv_set_dialect(struct csv_reader *r, const struct bp_csv_opts *o, struct bp_err *err)
{
    if (is_special(o->delim))
        return bp_fail(err, BP_EUSAGE, "the delimiter must be one ASCII character, no line end");
    if (o->quote && (is_special(o->quote) || o->quote == o->delim))
        return bp_fail(err, BP_EUSAGE,
                       "the quote must be one ASCII character, no line end and not the delimiter");
    r->dialect = (struct csv_dialect){.delim = (uint8_t)o->delim,
                                      .quote = (uint8_t)o->quote,
                                      .quotes = o->quote != 0,
                                      .null_text = o->null_text,
                                      .null_len = o->null_text ? strlen(o->null_text) : 0};
    r->header = o->header == BP_CSV_HEADER_YES;
    return 0;
}

/* A chunk, its index, and the columns, which have room for a piece each, and dictionaries. */
static int64_t slot_bytes(const struct csv_reader *r)
{
    int64_t bytes = 3 * (int64_t)r->chunk_bytes;

    for (int c = 0; c < r->n_cols; c++)
        bytes += (bp_type_is_bytes(r->cols[c].type) ? TEXT_COLUMN_BYTES : COLUMN_BYTES) +
                 r->cols[c].dict_values * DICT_VALUE_BYTES;
    return bytes;
}

int csv_threads_for(const struct csv_reader *r)
{
    return text_threads_for(r->ctx, slot_bytes(r));
}

void csv_tell_least(struct csv_reader *r)
{
    text_tell_least(r->ctx, slot_bytes(r), &r->told_bytes);
}

int csv_note_read(const struct csv_reader *r, struct bp_share share, struct bp_err *err)
{
    for (int i = 0; i < r->n_files; i++)
        BP_TRY(bp_ledger_add_bytes(r->ctx->ledger, &r->files[i].in, r->files[i].lo, r->files[i].hi,
                                   share, err));
    return 0;
}

int csv_check_end(const struct csv_reader *r, int file, int64_t ended_at, struct bp_err *err)
{
    const struct csv_file *f = &r->files[file];

    if (!f->in.is_file || f->hi >= f->in.size_bytes || ended_at == f->hi)
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%s: the last row of this share ends at byte %lld, and the next share begins at "
                   "byte %lld: text in quotes there looks like rows; read this file without -T, or "
                   "with another number of tasks",
                   f->in.name, (long long)ended_at, (long long)f->hi);
}

void csv_reader_release(struct csv_reader *r)
{
    bp_budget_least(&r->ctx->budget, -r->told_bytes);
    for (int i = 0; i < r->n_files; i++) {
        struct csv_file *f = &r->files[i];

        for (int k = 0; f->names && k < f->n_fields; k++)
            bp_mem_free(f->names[k]);
        bp_mem_free(f->names);
        bp_mem_free(f->field_of);
        bp_input_close(&f->in);
    }
    text_cols_free(r->cols, r->n_cols);
    bp_mem_free(r->files);
}

/* field_of of every file for columns cols[0, n). */
static int project_files(struct csv_reader *r, const int *cols, int n, struct bp_err *err)
{
    for (int f = 0; f < r->n_files; f++) {
        int *map = bp_mem_new((size_t)n, sizeof *map, err);

        if (!map)
            return err->code;
        for (int i = 0; i < n; i++)
            map[i] = r->files[f].field_of[cols[i]];
        bp_mem_free(r->files[f].field_of);
        r->files[f].field_of = map;
    }
    return 0;
}

int csv_reader_project(struct csv_reader *r, const int *cols, int n, struct bp_err *err)
{
    BP_TRY(project_files(r, cols, n, err));
    BP_TRY(text_cols_project(&r->cols, &r->n_cols, cols, n, err));
    r->line_col = text_line_col(r->cols, r->n_cols);
    csv_tell_least(r);
    return 0;
}
