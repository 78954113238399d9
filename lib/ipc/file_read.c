/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrow files by hand: "ARROW1\0\0", messages, footer, its int32 length,
 * "ARROW1". All reading is pread at the places that the footer lists, each
 * checked to lie within the file, so batches may be read in any order and from
 * several threads. Of a batch with many columns only the wanted buffers are
 * read, where they are large enough for that to pay.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ipc/file_read.h"

#define HEAD_BYTES 8
#define TAIL_BYTES 10        /* int32 length and magic */
#define GAP_BYTES (64 << 10) /* unwanted bytes that are read along rather than skipped */

/* All of n bytes at offset, or the file is cut. */
static int read_all_at(const struct bp_ipc_file *f, void *p, size_t n, int64_t offset,
                       struct bp_err *err)
{
    size_t got;

    BP_TRY(bp_input_read_at(&f->in, p, n, offset, &got, err));
    if (got < n)
        return bp_fail(err, BP_EDATA, "the file ends within a message at byte %" PRId64, offset);
    return 0;
}

/* ---- the footer ---- */

static int check_blocks(const struct bp_ipc_file *f, const struct bp_fb_vector *v,
                        struct bp_err *err)
{
    for (uint32_t i = 0; i < v->n; i++) {
        struct bp_ipc_block b;
        int64_t left;

        memcpy(&b, v->p + i * sizeof b, sizeof b);
        left = b.offset < HEAD_BYTES ? -1 : f->footer_at - b.offset;
        if (b.offset % 8 || left < 0 || b.metadata_bytes < 16 || b.metadata_bytes > left ||
            b.body_bytes < 0 || b.body_bytes > left - b.metadata_bytes)
            return bp_fail(err, BP_EDATA, "block %u of the footer lies outside the file", i);
    }
    return 0;
}

static int read_tail(struct bp_ipc_file *f, struct bp_err *err)
{
    uint8_t head[HEAD_BYTES], tail[TAIL_BYTES];
    int64_t n;

    if (f->in.size_bytes < HEAD_BYTES + TAIL_BYTES)
        return bp_fail(err, BP_EDATA, "this is not an Arrow file: it is too short");
    BP_TRY(read_all_at(f, head, sizeof head, 0, err));
    BP_TRY(read_all_at(f, tail, sizeof tail, f->in.size_bytes - TAIL_BYTES, err));
    if (memcmp(head, BP_IPC_MAGIC, 6) != 0)
        return bp_fail(err, BP_EDATA, "this is not an Arrow file");
    if (memcmp(tail + 4, BP_IPC_MAGIC, 6) != 0)
        return bp_fail(err, BP_EDATA, "the Arrow file is cut: its end is missing");
    n = (int32_t)bp_load_u32(tail);
    f->footer_at = f->in.size_bytes - TAIL_BYTES - n;
    if (n < 8 || f->footer_at < HEAD_BYTES)
        return bp_fail(err, BP_EDATA, "the Arrow file's footer claims %" PRId64 " bytes", n);
    BP_TRY(bp_buf_reserve(&f->footer, (size_t)n, err));
    BP_TRY(read_all_at(f, f->footer.data, (size_t)n, f->footer_at, err));
    f->footer.len = (size_t)n;
    return 0;
}

/* Metadata as strings of ours; what is not text is left out. */
static int copy_meta(struct bp_ipc_file *f, const struct bp_fb_vector *v, struct bp_err *err)
{
    size_t sum = 0;

    f->meta = bp_mem_new(v->n, sizeof *f->meta, err);
    if (!f->meta)
        return err->code;
    for (uint32_t i = 0; i < v->n; i++) {
        struct bp_fb_table kv = bp_fb_vector_table(v, i);
        size_t nk, nv;
        const char *k = bp_fb_string(&kv, 0, &nk), *val = bp_fb_string(&kv, 1, &nv);
        struct bp_meta *m = &f->meta[f->n_meta];

        if (!nk || memchr(k, 0, nk) || (nv && memchr(val, 0, nv)))
            continue;
        sum += nk + nv;
        if (sum > f->footer.len) /* strings that are shared many times */
            return bp_fail(err, BP_EDATA, "the footer's metadata unfolds to more than the footer");
        f->n_meta++;
        m->key = bp_mem_strn(k, nk, err);
        m->value = bp_mem_strn(val ? val : "", nv, err);
        if (!m->key || !m->value)
            return err->code;
    }
    return 0;
}

static int check_counts(const struct bp_ipc_file *f, struct bp_err *err)
{
    const char *batches = bp_ipc_file_meta(f, BP_META_BATCHES);
    int64_t n;

    if (!batches)
        return 0;
    if (!bp_ipc_count_parse(batches, strlen(batches), &n) || n != (int64_t)f->blocks.n)
        return bp_fail(err, BP_EDATA,
                       "the footer does not add up: it counts %.20s batches and "
                       "lists %u",
                       batches, f->blocks.n);
    return 0;
}

static int read_footer(struct bp_ipc_file *f, struct bp_err *err)
{
    struct bp_fb_table t, schema;
    struct bp_fb_vector meta;

    BP_TRY(read_tail(f, err));
    t = bp_fb_root(&f->fb, f->footer.data, f->footer.len);
    schema = bp_fb_table(&t, 1);
    f->dict_blocks = bp_fb_vector(&t, 2, sizeof(struct bp_ipc_block));
    f->blocks = bp_fb_vector(&t, 3, sizeof(struct bp_ipc_block));
    meta = bp_fb_vector(&t, 4, 4);
    if (f->fb.bad)
        return bp_fail(err, BP_EDATA, "the footer is damaged: %s", f->fb.bad);
    if (!schema.fb)
        return bp_fail(err, BP_EDATA, "the footer has no schema");
    if (f->blocks.n > INT32_MAX)
        return bp_fail(err, BP_EDATA, "the footer lists too many batches");
    BP_TRY(bp_ipc_schema_decode(&schema, &f->schema, &f->fields, err));
    BP_TRY(check_blocks(f, &f->dict_blocks, err));
    BP_TRY(check_blocks(f, &f->blocks, err));
    BP_TRY(copy_meta(f, &meta, err));
    if (f->fb.bad)
        return bp_fail(err, BP_EDATA, "the footer is damaged: %s", f->fb.bad);
    return check_counts(f, err);
}

/* ---- opening ---- */

bool bp_ipc_is_file(const uint8_t *head, size_t n)
{
    return n >= 8 && memcmp(head, BP_IPC_MAGIC "\0", 8) == 0;
}

int bp_ipc_file_open(struct bp_ipc_file **out, struct bp_input *in, struct bp_err *err)
{
    struct bp_ipc_file *f = bp_mem_new(1, sizeof *f, err);

    if (!f) {
        bp_input_close(in);
        return err->code;
    }
    pthread_mutex_init(&f->lock, NULL);
    bp_input_move(&f->in, in);
    if (!f->in.is_file)
        bp_fail(err, BP_EUSAGE,
                "%s: an Arrow file cannot be read from a pipe: name the file, "
                "or send a stream",
                f->in.name);
    else if (read_footer(f, err) < 0 && err->code == BP_EDATA)
        bp_err_prefix(err, "%s", f->in.name);
    if (err->code) {
        bp_ipc_file_free(f);
        return err->code;
    }
    *out = f;
    return 0;
}

void bp_ipc_file_free(struct bp_ipc_file *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->n_meta; i++) {
        bp_mem_free(f->meta[i].key);
        bp_mem_free(f->meta[i].value);
    }
    bp_mem_free(f->meta);
    bp_schema_release(&f->schema);
    bp_ipc_fields_release(&f->fields);
    bp_buf_release(&f->footer);
    bp_input_close(&f->in);
    pthread_mutex_destroy(&f->lock);
    bp_mem_free(f);
}

const struct bp_schema *bp_ipc_file_schema(const struct bp_ipc_file *f)
{
    return &f->schema;
}

int bp_ipc_file_n_batches(const struct bp_ipc_file *f)
{
    return (int)f->blocks.n;
}

const char *bp_ipc_file_meta(const struct bp_ipc_file *f, const char *key)
{
    for (int i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}

/* ---- messages at their places ---- */

/* One message on one block: metadata, then the body at a multiple of 64. */
struct at_place {
    struct bp_ipc_block where;
    struct bp_block *metadata;
    struct bp_ipc_body body;
    struct bp_ipc_message m;
};

static void drop(struct at_place *a)
{
    bp_block_unref(a->metadata);
    bp_block_unref(a->body.block);
}

/* The metadata of block i, decoded; what kind it must be. */
static int read_metadata(const struct bp_ipc_file *f, const struct bp_fb_vector *blocks, int i,
                         int kind, struct at_place *a, struct bp_err *err)
{
    uint32_t n, first;
    size_t got, head;

    memset(a, 0, sizeof *a);
    memcpy(&a->where, blocks->p + (size_t)i * sizeof a->where, sizeof a->where);
    got = (size_t)a->where.metadata_bytes;
    BP_TRY(bp_block_new(&a->metadata, got, err));
    BP_TRY(read_all_at(f, a->metadata->data, got, a->where.offset, err));
    first = bp_load_u32(a->metadata->data);
    head = first == BP_IPC_CONTINUATION ? 8 : 4; /* 4: V4 */
    n = head == 8 ? bp_load_u32(a->metadata->data + 4) : first;
    if (n > got - head)
        return bp_fail(err, BP_EDATA, "there is no Arrow message at byte %" PRId64,
                       a->where.offset);
    BP_TRY(bp_ipc_message_decode(&a->m, a->metadata->data + head, n, err));
    if (head == 4 && !a->m.is_v4)
        return bp_fail(err, BP_EDATA, "there is no Arrow message at byte %" PRId64,
                       a->where.offset);
    if (a->m.kind != kind || a->m.body_bytes > a->where.body_bytes)
        return bp_fail(err, BP_EDATA,
                       "the message at byte %" PRId64 " is not the one that the "
                       "footer describes",
                       a->where.offset);
    a->body.n_bytes = a->m.body_bytes;
    return 0;
}

/* The whole body; checksum as in bp_ipc_file_read(). */
static int read_body(const struct bp_ipc_file *f, struct at_place *a, const uint64_t *checksum,
                     struct bp_err *err)
{
    struct bp_xxh3_state *state;
    size_t n = (size_t)a->where.body_bytes;
    uint64_t sum;

    BP_TRY(bp_block_new(&a->body.block, n, err));
    BP_TRY(read_all_at(f, a->body.block->data, n, a->where.offset + a->where.metadata_bytes, err));
    if (!checksum)
        return 0;
    state = bp_xxh3_new();
    if (!state)
        return bp_fail_oom(err, 576);
    bp_xxh3_add(state, a->metadata->data, (size_t)a->where.metadata_bytes);
    bp_xxh3_add(state, a->body.block->data, n);
    sum = bp_xxh3_value(state);
    bp_xxh3_free(state);
    if (sum != *checksum)
        return bp_fail(err, BP_EDATA,
                       "the checksum of the batch at byte %" PRId64 " is wrong: "
                       "the file is damaged",
                       a->where.offset);
    return 0;
}

/* Only the wanted buffers, at their places in a block whose other bytes are left
 * alone (and never touched, so they cost no memory). */
static int read_wanted(const struct bp_ipc_file *f, struct at_place *a,
                       const struct bp_ipc_records *r, const bool *wanted, struct bp_err *err)
{
    int64_t from = 0, to = 0, body_at = a->where.offset + a->where.metadata_bytes;

    BP_TRY(bp_block_new(&a->body.block, (size_t)a->body.n_bytes, err));
    for (uint32_t i = 0; i <= r->buffers.n; i++) {
        struct bp_ipc_buffer b = {a->body.n_bytes + GAP_BYTES + 1, 0};

        if (i < r->buffers.n) {
            if (!wanted[i])
                continue;
            memcpy(&b, r->buffers.p + i * sizeof b, sizeof b);
            if (b.offset < 0 || b.n_bytes < 0 || b.offset > a->body.n_bytes ||
                b.n_bytes > a->body.n_bytes - b.offset)
                return bp_fail(err, BP_EDATA, "a buffer lies outside its batch's body");
            if (b.n_bytes == 0)
                continue;
        }
        if (b.offset >= from && b.offset <= to + GAP_BYTES) {
            to = BP_MAX(to, b.offset + b.n_bytes);
            continue;
        }
        if (to > from)
            BP_TRY(read_all_at(f, a->body.block->data + from, (size_t)(to - from), body_at + from,
                               err));
        from = b.offset;
        to = b.offset + b.n_bytes;
    }
    return 0;
}

static int read_projected(const struct bp_ipc_file *f, struct at_place *a,
                          const struct bp_ipc_records *r, const int *columns, int n_columns,
                          struct bp_err *err)
{
    bool *wanted = bp_mem_new(r->buffers.n, sizeof *wanted, err);
    int rc;

    if (!wanted)
        return err->code;
    rc = bp_ipc_buffers_wanted(&f->fields, r, columns, n_columns, wanted, err);
    if (rc == 0)
        rc = read_wanted(f, a, r, wanted, err);
    bp_mem_free(wanted);
    return rc;
}

/* ---- dictionaries ---- */

static int load_dictionary(struct bp_ipc_file *f, int i, struct bp_err *err)
{
    struct at_place a;
    const char *sums = bp_ipc_file_meta(f, BP_META_DICTIONARIES);
    uint64_t sum;
    int rc;

    BP_GO(read_metadata(f, &f->dict_blocks, i, FB_HEADER_DICTIONARY, &a, err));
    if (sums && (strlen(sums) != 16 * (size_t)f->dict_blocks.n ||
                 sscanf(sums + 16 * i, "%16" SCNx64, &sum) != 1)) {
        rc = bp_fail(err, BP_EDATA, "the footer's checksums of dictionaries are damaged");
        goto out;
    }
    BP_GO(read_body(f, &a, sums ? &sum : NULL, err));
    rc = bp_ipc_dictionary_decode(&f->fields, &f->schema, &a.m, &a.body, err);
out:
    drop(&a);
    return rc;
}

/* All dictionaries, once, before the first batch that is read. */
static int need_dictionaries(struct bp_ipc_file *f, struct bp_err *err)
{
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    for (; rc == 0 && f->n_loaded < f->dict_blocks.n; f->n_loaded++)
        rc = load_dictionary(f, (int)f->n_loaded, err);
    if (rc < 0)
        f->n_loaded--;
    pthread_mutex_unlock(&f->lock);
    return rc;
}

/* ---- batches ---- */

int bp_ipc_file_read_columns(struct bp_ipc_file *f, int i, const uint64_t *checksum,
                             const int *columns, int n_columns, struct bp_batch *out,
                             struct bp_err *err)
{
    struct at_place a = {0};
    struct bp_ipc_records r;
    int rc;

    BP_GO(need_dictionaries(f, err));
    BP_GO(read_metadata(f, &f->blocks, i, FB_HEADER_RECORDS, &a, err));
    BP_GO(bp_ipc_records_decode(&a.m, &a.m.header, &r, err));
    if (columns && !checksum && a.where.body_bytes > GAP_BYTES)
        BP_GO(read_projected(f, &a, &r, columns, n_columns, err));
    else
        BP_GO(read_body(f, &a, checksum, err));
    rc = bp_ipc_batch_decode(&f->fields, &f->schema, &r, &a.body, columns, n_columns, out, err);
out:
    drop(&a);
    return rc == BP_EDATA ? bp_err_prefix(err, "%s: batch %d", f->in.name, i) : rc;
}

int bp_ipc_file_read(struct bp_ipc_file *f, int i, const uint64_t *checksum, struct bp_batch *out,
                     struct bp_err *err)
{
    return bp_ipc_file_read_columns(f, i, checksum, NULL, 0, out, err);
}
