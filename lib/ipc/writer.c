/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages out: schema, dictionaries, record batches, the end. A message is
 *
 *   0xFFFFFFFF  int32 metadata bytes  metadata  padding | body
 *
 * padded so that the body begins at a multiple of 64 of what was written, and
 * goes out in one writev from where its columns lie.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ipc/writer.h"

int bp_ipc_writer_open(struct bp_ipc_writer **out, struct bp_outfile *f, bool file,
                       const struct bp_schema *schema, struct bp_err *err)
{
    struct bp_ipc_writer *w = bp_mem_new(1, sizeof *w, err);
    int rc = 0;

    if (!w)
        return err->code;
    w->f = f;
    w->is_file = file;
    BP_GO(bp_schema_copy(&w->schema, schema, err));
    w->dicts = bp_mem_new((size_t)schema->n_fields, sizeof *w->dicts, err);
    w->dict_blocks = bp_mem_new((size_t)schema->n_fields, sizeof *w->dict_blocks, err);
    if (!w->dicts || !w->dict_blocks) {
        rc = err->code;
        goto out;
    }
    for (int i = 0; i < schema->n_fields; i++) {
        w->n_nodes += bp_ipc_node_count(schema->fields[i].type);
        if (schema->fields[i].dict && schema->fields[i].type.kind == BP_TEXT)
            w->dicts[w->n_dicts++].field = i;
        else
            w->schema.fields[i].dict = BP_DICT_NONE;
    }
    *out = w;
    return 0;
out:
    bp_ipc_writer_free(w);
    return rc;
}

void bp_ipc_writer_free(struct bp_ipc_writer *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->n_dicts; i++) {
        bp_dict_unref(w->dicts[i].last);
        bp_dictset_release(&w->dicts[i].set);
    }
    bp_mem_free(w->dicts);
    bp_mem_free(w->blocks);
    bp_mem_free(w->dict_blocks);
    bp_schema_release(&w->schema);
    bp_fbw_release(&w->fbw);
    bp_buf_release(&w->head);
    bp_buf_release(&w->dict_sums);
    bp_ipc_parts_release(&w->parts);
    bp_mem_free(w);
}

int bp_ipc_writer_bytes(struct bp_ipc_writer *w, const void *p, size_t n, struct bp_err *err)
{
    int rc = bp_outfile_write(w->f, p, n, err);

    w->broken = w->broken || rc < 0;
    return rc;
}

/* ---- metadata ---- */

static size_t records_table(struct bp_ipc_writer *w, int64_t n_rows)
{
    struct bp_ipc_parts *p = &w->parts;
    size_t buffers =
        bp_fbw_vector(&w->fbw, p->buffers, (size_t)p->n_buffers, sizeof *p->buffers, 8);
    size_t nodes = bp_fbw_vector(&w->fbw, p->nodes, (size_t)p->n_nodes, sizeof *p->nodes, 8);

    bp_fbw_table_open(&w->fbw);
    bp_fbw_int(&w->fbw, 0, 8, n_rows, 0);
    bp_fbw_ref(&w->fbw, 1, nodes);
    bp_fbw_ref(&w->fbw, 2, buffers);
    return bp_fbw_table_close(&w->fbw);
}

static size_t dictionary_table(struct bp_ipc_writer *w, int64_t id, int64_t n_rows)
{
    size_t data = records_table(w, n_rows);

    bp_fbw_table_open(&w->fbw);
    bp_fbw_int(&w->fbw, 0, 8, id, 0);
    bp_fbw_ref(&w->fbw, 1, data);
    return bp_fbw_table_close(&w->fbw);
}

/* The Message around a header, framed and padded, into w->head. */
static int frame(struct bp_ipc_writer *w, int kind, size_t header, int64_t body_bytes, size_t meta,
                 struct bp_err *err)
{
    struct bp_fbw *b = &w->fbw;
    const uint8_t *p;
    size_t n, over, pad;
    uint32_t prefix[2];

    bp_fbw_table_open(b);
    bp_fbw_int(b, 3, 8, body_bytes, 0);
    bp_fbw_ref(b, 2, header);
    bp_fbw_ref(b, 4, meta);
    bp_fbw_int(b, 0, 2, FB_VERSION_V5, 0);
    bp_fbw_int(b, 1, 1, kind, 0);
    BP_TRY(bp_fbw_finish(b, bp_fbw_table_close(b), &p, &n, err));
    over = (size_t)((uint64_t)w->f->pos_bytes + sizeof prefix + n) & (BP_IPC_ALIGN - 1);
    pad = over ? BP_IPC_ALIGN - over : 0;
    if (pad % 8) /* the output did not begin at a multiple of 8 */
        pad = 0;
    if (n + pad > BP_IPC_MAX_METADATA)
        return bp_fail(err, BP_EDATA, "the table has too many columns for one batch");
    prefix[0] = BP_IPC_CONTINUATION;
    prefix[1] = (uint32_t)(n + pad);
    w->head.len = 0;
    BP_TRY(bp_buf_append(&w->head, prefix, sizeof prefix, err));
    BP_TRY(bp_buf_append(&w->head, p, n, err));
    BP_TRY(bp_buf_reserve(&w->head, pad, err));
    memset(w->head.data + w->head.len, 0, pad);
    w->head.len += pad;
    return 0;
}

static int hash_message(const struct bp_ipc_parts *p, uint64_t *out, struct bp_err *err)
{
    struct bp_xxh3_state *s = bp_xxh3_new();

    if (!s)
        return bp_fail_oom(err, 576);
    for (int i = 0; i < p->n_iov; i++)
        bp_xxh3_add(s, p->iov[i].iov_base, p->iov[i].iov_len);
    *out = bp_xxh3_value(s);
    bp_xxh3_free(s);
    return 0;
}

/* Head and parts go out by the file or the pipe; where is filled if not NULL. */
static int send(struct bp_ipc_writer *w, struct bp_ipc_place *where, struct bp_err *err)
{
    struct bp_ipc_parts *p = &w->parts;
    int rc;

    p->iov[0] = (struct iovec){w->head.data, w->head.len};
    if (where) {
        where->offset_bytes = w->f->pos_bytes;
        where->metadata_bytes = (int32_t)w->head.len;
        where->body_bytes = p->body_bytes;
        BP_TRY(hash_message(p, &where->checksum, err));
    }
    rc = bp_outfile_writev(w->f, p->iov, p->n_iov, err);
    w->broken = w->broken || rc < 0;
    return rc;
}

/* ---- schema ---- */

int bp_ipc_writer_begin(struct bp_ipc_writer *w, struct bp_err *err)
{
    if (w->schema_written)
        return 0;
    if (w->is_file)
        BP_TRY(bp_ipc_writer_bytes(w, BP_IPC_MAGIC "\0", 8, err));
    BP_TRY(bp_ipc_parts_start(&w->parts, 0, err));
    bp_fbw_start(&w->fbw);
    BP_TRY(frame(w, FB_HEADER_SCHEMA, bp_ipc_schema_encode(&w->fbw, &w->schema), 0, 0, err));
    w->schema_written = true;
    return send(w, NULL, err);
}

/* ---- dictionaries ---- */

static int put_dictionary(struct bp_ipc_writer *w, int id, const struct bp_dict *d,
                          struct bp_ipc_place *where, struct bp_err *err)
{
    int rc;

    BP_TRY(bp_ipc_parts_start(&w->parts, 1, err));
    BP_TRY(bp_ipc_parts_column(&w->parts, &d->values, err)); /* text: held as Arrow has it */
    bp_fbw_start(&w->fbw);
    BP_TRY(frame(w, FB_HEADER_DICTIONARY, dictionary_table(w, id, d->values.n_rows),
                 w->parts.body_bytes, 0, err));
    if (w->handover && bp_ipc_handover_pays(w->handover, w, w->parts.body_bytes)) {
        rc = bp_ipc_hand_over(w->handover, w, err);
        if (rc)
            return rc < 0 ? rc : 0;
    }
    return send(w, where, err);
}

/* The dictionary that column c (NULL: no rows) of a stream needs is out. */
static int need_dictionary(struct bp_ipc_writer *w, int i, const struct bp_column *c,
                           struct bp_err *err)
{
    struct bp_ipc_out_dict *o = &w->dicts[i];
    struct bp_dict *d = c ? c->dict : NULL;

    if (d ? d == o->last : (!c && o->last != NULL))
        return 0;
    if (d)
        bp_dict_ref(d);
    else
        BP_TRY(bp_dictset_dict(&o->set, &d, err));
    if (d == o->last) {
        bp_dict_unref(d);
        return 0;
    }
    bp_dict_unref(o->last);
    o->last = d;
    return put_dictionary(w, i, d, NULL, err);
}

/* Codes of c for its field, on a block that the parts keep, or c's own. */
static int codes_for(struct bp_ipc_out_dict *o, bool unify, const struct bp_column *c,
                     struct bp_err *err)
{
    if (c->dict && (!unify || bp_dictset_same(&o->set, NULL, c->dict)))
        return 0;
    BP_TRY(bp_block_new(&o->codes, (size_t)c->n_rows * sizeof(int32_t), err));
    return bp_dictset_encode(&o->set, NULL, c, 0, c->n_rows, (int32_t *)(void *)o->codes->data,
                             err);
}

/* ---- batches ---- */

static int check_batch(const struct bp_ipc_writer *w, const struct bp_batch *in, struct bp_err *err)
{
    if (in->n_cols != w->schema.n_fields)
        return bp_fail(err, BP_EDATA, "a batch of %d columns was given to a table of %d",
                       in->n_cols, w->schema.n_fields);
    for (int i = 0; i < in->n_cols; i++) {
        const struct bp_field *f = &w->schema.fields[i];

        if (!bp_type_equal(in->cols[i].type, f->type) || in->cols[i].n_rows != in->n_rows)
            return bp_fail(err, BP_EDATA,
                           "column '%s' of a batch has not the type or length of "
                           "its table",
                           f->name);
        if (!f->nullable && in->cols[i].n_nulls)
            return bp_fail(err, BP_EDATA, "column '%s' is NOT NULL but has a NULL", f->name);
    }
    return 0;
}

/* A dictionary column where the field is plain text. */
static int put_as_plain(struct bp_ipc_writer *w, const struct bp_column *c, struct bp_err *err)
{
    struct bp_column plain;
    int rc;

    BP_TRY(bp_column_plain(&plain, c, err));
    rc = bp_ipc_parts_column(&w->parts, &plain, err);
    for (size_t i = 0; i < BP_COUNT_OF(plain.own); i++)
        bp_ipc_parts_keep(&w->parts, bp_block_ref(plain.own[i]));
    bp_column_release(&plain);
    return rc;
}

static int put_columns(struct bp_ipc_writer *w, const struct bp_batch *in, bool as_held,
                       struct bp_err *err)
{
    int next_dict = 0;

    BP_TRY(bp_ipc_parts_start(&w->parts, w->n_nodes, err));
    w->parts.as_held = as_held;
    for (int i = 0; i < in->n_cols; i++) {
        const struct bp_column *c = &in->cols[i];

        if (w->schema.fields[i].dict) {
            struct bp_ipc_out_dict *o = &w->dicts[next_dict++];

            bp_ipc_parts_codes(&w->parts, c,
                               o->codes ? (const int32_t *)(void *)o->codes->data : c->data);
            bp_ipc_parts_keep(&w->parts, bp_block_ref(o->codes));
        } else if (c->dict) {
            BP_TRY(put_as_plain(w, c, err));
        } else {
            BP_TRY(bp_ipc_parts_column(&w->parts, c, err));
        }
    }
    return 0;
}

static int note_block(struct bp_ipc_writer *w, const struct bp_ipc_place *at, struct bp_err *err)
{
    struct bp_ipc_block *grown;

    if (w->n_batches == w->cap_blocks) {
        int cap = w->cap_blocks ? w->cap_blocks * 2 : 64;

        grown = bp_mem_grow(w->blocks, (size_t)cap, sizeof *grown, err);
        if (!grown)
            return err->code;
        w->blocks = grown;
        w->cap_blocks = cap;
    }
    w->blocks[w->n_batches] =
        (struct bp_ipc_block){at->offset_bytes, at->metadata_bytes, 0, at->body_bytes};
    return 0;
}

static int put_dictionaries(struct bp_ipc_writer *w, const struct bp_batch *in, struct bp_err *err)
{
    for (int i = 0; i < w->n_dicts; i++) {
        const struct bp_column *c = &in->cols[w->dicts[i].field];

        BP_TRY(codes_for(&w->dicts[i], w->is_file, c, err));
        if (!w->is_file)
            BP_TRY(need_dictionary(w, i, c, err));
    }
    return 0;
}

static void drop_codes(struct bp_ipc_writer *w)
{
    for (int i = 0; i < w->n_dicts; i++) {
        bp_block_unref(w->dicts[i].codes);
        w->dicts[i].codes = NULL;
    }
}

/* The message of a batch, all but sent. */
static int make_batch(struct bp_ipc_writer *w, const struct bp_batch *in, bool as_held,
                      struct bp_err *err)
{
    BP_TRY(put_columns(w, in, as_held, err));
    bp_fbw_start(&w->fbw);
    return frame(w, FB_HEADER_RECORDS, records_table(w, in->n_rows), w->parts.body_bytes, 0, err);
}

/* 1: it is out. */
static int hand_over(struct bp_ipc_writer *w, const struct bp_batch *in, struct bp_err *err)
{
    if (!w->handover || !bp_ipc_handover_pays(w->handover, w, bp_batch_size_bytes(in)))
        return 0;
    BP_TRY(make_batch(w, in, true, err));
    return bp_ipc_hand_over(w->handover, w, err);
}

static int send_batch(struct bp_ipc_writer *w, const struct bp_batch *in,
                      struct bp_ipc_place *where, struct bp_err *err)
{
    struct bp_ipc_place at;
    int rc = hand_over(w, in, err);

    if (rc)
        return rc < 0 ? rc : 0;
    BP_TRY(make_batch(w, in, false, err));
    if (w->is_file) {
        at =
            (struct bp_ipc_place){w->f->pos_bytes, (int32_t)w->head.len, w->parts.body_bytes, 0, 0};
        BP_TRY(note_block(w, &at, err));
    }
    return send(w, where, err);
}

int bp_ipc_writer_put(struct bp_ipc_writer *w, const struct bp_batch *in,
                      struct bp_ipc_place *where, struct bp_err *err)
{
    int rc;

    BP_TRY(check_batch(w, in, err));
    BP_TRY(bp_ipc_writer_begin(w, err));
    BP_GO(put_dictionaries(w, in, err));
    BP_GO(send_batch(w, in, where, err));
    if (where)
        where->n_rows = in->n_rows;
    w->n_rows += in->n_rows;
    w->n_batches++;
out:
    drop_codes(w);
    return rc;
}

/* ---- the end ---- */

static const uint32_t eos[2] = {BP_IPC_CONTINUATION, 0};

/* bp.rows and bp.batches as text, behind the given entries. */
struct counts {
    char rows[24], batches[24];
    struct bp_meta meta[3];
};

static void fill_counts(const struct bp_ipc_writer *w, struct counts *c)
{
    static char rows_key[] = BP_META_ROWS, batches_key[] = BP_META_BATCHES;

    snprintf(c->rows, sizeof c->rows, "%" PRId64, w->n_rows);
    snprintf(c->batches, sizeof c->batches, "%" PRId64, w->n_batches);
    c->meta[0] = (struct bp_meta){rows_key, c->rows};
    c->meta[1] = (struct bp_meta){batches_key, c->batches};
}

/* The zero-row batch whose message metadata counts what went before it. */
static int put_trailer(struct bp_ipc_writer *w, struct bp_err *err)
{
    struct bp_ipc_parts *p = &w->parts;
    struct counts c;
    size_t meta;

    for (int i = 0; i < w->n_dicts; i++)
        BP_TRY(need_dictionary(w, i, NULL, err));
    BP_TRY(bp_ipc_parts_start(p, w->n_nodes, err));
    for (int i = 0; i < w->schema.n_fields; i++)
        bp_ipc_parts_empty(p, w->schema.fields[i].type, w->schema.fields[i].dict != 0);
    fill_counts(w, &c);
    bp_fbw_start(&w->fbw);
    meta = bp_ipc_meta_encode(&w->fbw, c.meta, 2);
    BP_TRY(frame(w, FB_HEADER_RECORDS, records_table(w, 0), 0, meta, err));
    return send(w, NULL, err);
}

/* One dictionary per field, behind the batches, where its values are all known. */
static int put_file_dictionaries(struct bp_ipc_writer *w, struct bp_err *err)
{
    for (int i = 0; i < w->n_dicts; i++) {
        struct bp_ipc_place at;
        struct bp_dict *d;
        int rc;

        BP_TRY(bp_dictset_dict(&w->dicts[i].set, &d, err));
        rc = put_dictionary(w, i, d, &at, err);
        bp_dict_unref(d);
        BP_TRY(rc);
        w->dict_blocks[w->n_dict_blocks++] =
            (struct bp_ipc_block){at.offset_bytes, at.metadata_bytes, 0, at.body_bytes};
        BP_TRY(bp_buf_printf(&w->dict_sums, err, "%016" PRIx64, at.checksum));
    }
    return 0;
}

static int put_footer(struct bp_ipc_writer *w, const struct bp_meta *meta, int n_meta,
                      struct bp_err *err)
{
    struct bp_fbw *b = &w->fbw;
    size_t schema, dicts, blocks, entries, n;
    const uint8_t *p;
    uint32_t length;

    bp_fbw_start(b);
    entries = bp_ipc_meta_encode(b, meta, n_meta);
    blocks = bp_fbw_vector(b, w->blocks, (size_t)w->n_batches, sizeof *w->blocks, 8);
    dicts = bp_fbw_vector(b, w->dict_blocks, (size_t)w->n_dict_blocks, sizeof *w->dict_blocks, 8);
    schema = bp_ipc_schema_encode(b, &w->schema);
    bp_fbw_table_open(b);
    bp_fbw_ref(b, 1, schema);
    bp_fbw_ref(b, 2, dicts);
    bp_fbw_ref(b, 3, blocks);
    bp_fbw_ref(b, 4, entries);
    bp_fbw_int(b, 0, 2, FB_VERSION_V5, 0);
    BP_TRY(bp_fbw_finish(b, bp_fbw_table_close(b), &p, &n, err));
    length = (uint32_t)n;
    BP_TRY(bp_ipc_writer_bytes(w, p, n, err));
    BP_TRY(bp_ipc_writer_bytes(w, &length, sizeof length, err));
    return bp_ipc_writer_bytes(w, BP_IPC_MAGIC, 6, err);
}

static int finish_file(struct bp_ipc_writer *w, const struct bp_meta *meta, int n_meta,
                       struct bp_err *err)
{
    static char dictionaries_key[] = BP_META_DICTIONARIES;
    struct counts c;
    struct bp_meta *all;
    int rc;

    BP_TRY(put_file_dictionaries(w, err));
    BP_TRY(bp_ipc_writer_bytes(w, eos, sizeof eos, err));
    if (w->n_dicts && !bp_buf_str(&w->dict_sums, err))
        return err->code;
    all = bp_mem_new((size_t)n_meta + 3, sizeof *all, err);
    if (!all)
        return err->code;
    if (n_meta)
        memcpy(all, meta, (size_t)n_meta * sizeof *all);
    fill_counts(w, &c);
    c.meta[2] = (struct bp_meta){dictionaries_key, (char *)w->dict_sums.data};
    memcpy(all + n_meta, c.meta, sizeof c.meta);
    rc = put_footer(w, all, n_meta + (w->n_dicts ? 3 : 2), err);
    bp_mem_free(all);
    return rc;
}

int bp_ipc_writer_finish(struct bp_ipc_writer *w, const struct bp_meta *meta, int n_meta,
                         struct bp_err *err)
{
    BP_TRY(bp_ipc_writer_begin(w, err));
    if (w->is_file)
        return finish_file(w, meta, n_meta, err);
    BP_TRY(put_trailer(w, err));
    return bp_ipc_writer_bytes(w, eos, sizeof eos, err);
}

void bp_ipc_write_abort(struct bp_outfile *f, const char *reason)
{
    struct bp_err err = {0};
    size_t n = strlen(reason);
    uint32_t mark[3] = {BP_IPC_CONTINUATION, (uint32_t)BP_IPC_ABORT, (uint32_t)n};

    if (n <= INT32_MAX && bp_outfile_write(f, mark, sizeof mark, &err) == 0)
        (void)!bp_outfile_write(f, reason, n, &err); /* who reads us fails either way */
}

void bp_ipc_writer_abort_mark(struct bp_ipc_writer *w, const char *reason)
{
    if (!w->broken)
        bp_ipc_write_abort(w->f, reason);
}
