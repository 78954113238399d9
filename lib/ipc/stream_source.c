/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams in: one, or several of one schema behind each other. What is there at
 * an end is judged before BP_DONE or the next stream's first batch is given:
 *
 *   schema (dictionary | batch)* [trailer] EOS  [schema ...]  end of bytes
 *
 * A stream of ours (bp.version) has the trailer always; where a mark that
 * permits something (bp.sorted, bp.parted) was handed on, it must be there too.
 * An abort mark may stand where any message may.
 */
#include <inttypes.h>
#include <string.h>

#include "flow/ledger.h"
#include "flow/marks.h"
#include "ipc/stream_read.h"

struct stream {
    struct bp_input in;
    struct bp_ring_in *ring; /* of a pipe; NULL: none */
    int n_handed;            /* bodies that came by it, as far as they are counted */
    bool allow_truncated;
    struct bp_ledger *ledger; /* not ours; may be NULL */
    int *columns;
    int n_columns;
    struct bp_schema shown;  /* what the source says: of the first stream, projected */
    struct bp_schema first;  /* of the first stream, whole */
    struct bp_schema schema; /* of this stream */
    struct bp_ipc_fields fields;
    struct bp_buf meta;
    struct bp_ipc_message m;
    enum bp_ipc_next what;     /* of the message read last */
    int64_t message_at;        /* where it began in the input */
    int64_t n_rows, n_batches; /* of this stream so far */
    int64_t first_row;         /* of all streams */
    bool has_trailer, is_ended;
    struct bp_share share;
    bool share_due; /* the stream is a share and no batch has said so yet */
    struct bp_ipc_slicer slicer;
};

static void stream_free(void *self)
{
    struct stream *s = self;

    bp_ring_in_free(s->ring);
    bp_input_close(&s->in);
    bp_mem_free(s->columns);
    bp_schema_release(&s->shown);
    bp_schema_release(&s->first);
    bp_schema_release(&s->schema);
    bp_ipc_fields_release(&s->fields);
    bp_buf_release(&s->meta);
    bp_batch_release(&s->slicer.batch);
    bp_mem_free(s);
}

/* ---- the start of a stream ---- */

static bool same_mark(const struct stream *s, const char *key)
{
    const char *a = bp_schema_meta(&s->first, key), *b = bp_schema_meta(&s->schema, key);

    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* bp.parted of two shares may differ in the range of partitions only. */
static int same_parted(struct stream *s, bool *same, struct bp_err *err)
{
    struct bp_parted a = {0}, b = {0};
    bool has_a = false, has_b = false;
    int rc;

    BP_GO(bp_mark_parted(&s->first, &has_a, &a, err));
    BP_GO(bp_mark_parted(&s->schema, &has_b, &b, err));
    *same = has_a == has_b && a.n_keys == b.n_keys && a.parts == b.parts &&
            strcmp(a.borders, b.borders) == 0 && strcmp(a.hot, b.hot) == 0;
    for (int i = 0; *same && i < a.n_keys; i++)
        *same = strcmp(a.keys[i], b.keys[i]) == 0 && a.classes[i] == b.classes[i];
out:
    bp_parted_release(&a);
    bp_parted_release(&b);
    return rc;
}

/* May this stream follow the first? Its marks were handed on for all rows. */
static int check_follower(struct stream *s, struct bp_err *err)
{
    bool same = true;

    if (!bp_schema_equal(&s->first, &s->schema))
        return bp_fail(err, BP_EDATA, "the stream that follows has other columns than the first");
    if (!same_mark(s, BP_MARK_PARTIAL))
        return bp_fail(err, BP_EDATA,
                       "the stream that follows is another partial result "
                       "(bp.partial) than the first");
    if (bp_schema_meta(&s->first, BP_MARK_SORTED) && (!same_mark(s, BP_MARK_SORTED) || !s->share.n))
        return bp_fail(err, BP_EDATA,
                       "the first stream is marked as sorted (%s), which does not "
                       "hold for the stream that follows: use bp-sort -m",
                       bp_schema_meta(&s->first, BP_MARK_SORTED));
    if (bp_schema_meta(&s->first, BP_MARK_PARTED)) {
        BP_TRY(same_parted(s, &same, err));
        if (!same)
            return bp_fail(err, BP_EDATA,
                           "the stream that follows is not partitioned (bp.parted) "
                           "as the first is");
    }
    return 0;
}

/* What its producer read; of one that does not say nothing can be checked. */
static int take_ledger(struct stream *s, struct bp_err *err)
{
    const char *text = bp_schema_meta(&s->schema, BP_MARK_LEDGER);
    struct bp_ledger_entry pipe = {.input = s->in.name, .unit = BP_LEDGER_PIPE};

    if (!s->ledger)
        return 0;
    if (!text)
        return bp_ledger_add(s->ledger, &pipe, err);
    BP_TRY(bp_ledger_read(s->ledger, text, err));
    return bp_schema_set_meta(&s->schema, BP_MARK_LEDGER, NULL, err);
}

static int start_stream(struct stream *s, struct bp_err *err)
{
    struct bp_ipc_body body;

    if (s->m.kind != FB_HEADER_SCHEMA)
        return bp_fail(err, BP_EDATA, "an Arrow stream must begin with its schema");
    bp_schema_release(&s->schema);
    bp_ipc_fields_release(&s->fields);
    BP_TRY(bp_ipc_schema_decode(&s->m.header, &s->schema, &s->fields, err));
    if (s->m.body_bytes) {
        BP_TRY(bp_ipc_body_read(&s->in, &s->m, s->ring, &body, err));
        bp_block_unref(body.block);
    }
    s->n_rows = s->n_batches = 0;
    s->has_trailer = s->is_ended = false;
    BP_TRY(bp_mark_task(&s->schema, &s->share, err));
    s->share_due = s->share.n > 0;
    return take_ledger(s, err);
}

/* ---- the end of one ---- */

static int end_stream(struct stream *s, struct bp_err *err)
{
    if (!s->has_trailer && !s->allow_truncated) {
        if (bp_schema_meta(&s->schema, BP_MARK_VERSION))
            return bp_fail(err, BP_EUPSTREAM,
                           "the stream has an end mark but no trailer that "
                           "counts its rows: its producer failed");
        if (bp_schema_meta(&s->schema, BP_MARK_SORTED) ||
            bp_schema_meta(&s->schema, BP_MARK_PARTED))
            return bp_fail(err, BP_EUPSTREAM,
                           "the stream is marked %s but has no trailer "
                           "that counts its rows",
                           bp_schema_meta(&s->schema, BP_MARK_SORTED) ? BP_MARK_SORTED
                                                                      : BP_MARK_PARTED);
    }
    s->is_ended = true;
    return 0;
}

/* The batch with bp.rows and bp.batches: nothing but EOS may follow. */
static int check_trailer(struct stream *s, const char *rows, size_t n_rows, struct bp_err *err)
{
    size_t n;
    const char *batches = bp_ipc_meta_find(&s->m.meta, BP_META_BATCHES, &n);
    int64_t want_rows, want_batches;

    if (!batches || !bp_ipc_count_parse(rows, n_rows, &want_rows) ||
        !bp_ipc_count_parse(batches, n, &want_batches))
        return bp_fail(err, BP_EDATA, "the trailer's counts are damaged");
    if (want_rows != s->n_rows || want_batches != s->n_batches)
        return bp_fail(err, BP_EDATA,
                       "the trailer does not add up: it counts %" PRId64 " rows in %" PRId64
                       " batches, there came %" PRId64 " in %" PRId64,
                       want_rows, want_batches, s->n_rows, s->n_batches);
    s->has_trailer = true;
    return 0;
}

/* ---- batches ---- */

static int take_records(struct stream *s, const struct bp_ipc_body *body, struct bp_err *err)
{
    struct bp_ipc_records r;
    struct bp_batch *b = &s->slicer.batch;
    const char *rows;
    size_t n;

    BP_TRY(bp_ipc_records_decode(&s->m, &s->m.header, &r, err));
    if (s->has_trailer)
        return bp_fail(err, BP_EDATA, "a batch follows the trailer");
    rows = bp_ipc_meta_find(&s->m.meta, BP_META_ROWS, &n);
    if (r.n_rows == 0 && rows)
        return check_trailer(s, rows, n, err);
    BP_TRY(bp_ipc_batch_decode(&s->fields, &s->schema, &r, body, s->columns, s->n_columns, b, err));
    b->first_row = s->first_row;
    b->share = s->share;
    s->n_rows += r.n_rows;
    s->first_row += r.n_rows;
    s->n_batches++;
    return 0;
}

#define HANDED_ENOUGH 8 /* by then the bodies that came before through the pipe are done with */

/* Their memory is kept for others of their kind, of which no more come. */
static void drop_memory_of_bodies(struct stream *s)
{
    if (s->m.is_handed && s->n_handed < HANDED_ENOUGH && ++s->n_handed == HANDED_ENOUGH)
        bp_mem_drop_free(0);
}

static int take_message(struct stream *s, struct bp_err *err)
{
    struct bp_ipc_body body;
    int rc;

    if (s->m.kind == FB_HEADER_SCHEMA)
        return bp_fail(err, BP_EDATA, "a second schema inside a stream");
    if (s->m.kind != FB_HEADER_DICTIONARY && s->m.kind != FB_HEADER_RECORDS)
        return bp_fail(err, BP_EDATA, "a message of kind %d (tensor?) is not a part of a table",
                       s->m.kind);
    BP_TRY(bp_ipc_body_read(&s->in, &s->m, s->ring, &body, err));
    rc = s->m.kind == FB_HEADER_RECORDS
             ? take_records(s, &body, err)
             : bp_ipc_dictionary_decode(&s->fields, &s->schema, &s->m, &body, err);
    bp_block_unref(body.block);
    drop_memory_of_bodies(s);
    return rc;
}

/* No more bodies come through a pipe: their memory, shared or kept for the next, is given back at
 * once, because whoever has read all may have much to do yet. Of files there may be more. */
static void drop_memory(struct stream *s)
{
    if (!s->ring)
        return;
    bp_ring_in_free(s->ring);
    s->ring = NULL;
    bp_mem_drop_free(0);
}

/* One message further: BP_DONE when the input was whole. */
static int step(struct stream *s, struct bp_err *err)
{
    s->message_at = s->in.pos_bytes;
    BP_TRY(bp_ipc_message_read(&s->in, &s->meta, &s->m, &s->what, err));
    if (s->what == BP_IPC_NEXT_END) {
        if (!s->is_ended && !s->allow_truncated)
            return bp_fail(err, BP_EUPSTREAM,
                           "the stream ended early (no end mark): "
                           "its producer failed or was killed");
        drop_memory(s);
        return BP_DONE;
    }
    if (s->is_ended) {
        if (s->what == BP_IPC_NEXT_EOS)
            return bp_fail(err, BP_EDATA, "a second end mark");
        BP_TRY(start_stream(s, err));
        return check_follower(s, err);
    }
    return s->what == BP_IPC_NEXT_EOS ? end_stream(s, err) : take_message(s, err);
}

/* The producer's own words go on as they are; all else gets its place. */
static int place_error(struct stream *s, struct bp_err *err)
{
    if (err->code == BP_EDATA || err->code == BP_ECOMMAND)
        return bp_err_prefix(err, "%s: message at byte %" PRId64, s->in.name, s->message_at);
    if (err->code == BP_EUPSTREAM && s->what != BP_IPC_NEXT_ABORT)
        return bp_err_prefix(err, "%s", s->in.name);
    return err->code;
}

static int stream_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct stream *s = self;
    int rc;

    for (;;) {
        if (s->share_due) {
            s->share_due = false;
            return bp_ipc_share_batch(out, &s->shown, s->share, err);
        }
        rc = bp_ipc_slicer_next(&s->slicer, out, err);
        if (rc != BP_DONE)
            return rc;
        rc = step(s, err);
        if (rc == BP_DONE)
            return rc;
        if (rc < 0)
            return place_error(s, err);
    }
}

/* ---- opening ---- */

bool bp_ipc_is_stream(const uint8_t *head, size_t n)
{
    uint32_t first, second;

    if (n < 8)
        return false;
    first = bp_load_u32(head);
    second = bp_load_u32(head + 4);
    if (first == BP_IPC_CONTINUATION)
        return true;
    /* V4: a short length, then the place of a flatbuffer's root */
    return first % 4 == 0 && first >= 16 && first < (1u << 24) && second % 4 == 0 && second >= 4 &&
           second <= 64;
}

static int read_first_schema(struct stream *s, struct bp_err *err)
{
    const uint8_t *head;
    size_t n;

    BP_TRY(bp_input_peek(&s->in, 8, &head, &n, err));
    if (n >= 8 && !bp_ipc_is_stream(head, n))
        return bp_fail(err, BP_EDATA, "this is not an Arrow stream");
    BP_TRY(bp_ipc_message_read(&s->in, &s->meta, &s->m, &s->what, err));
    if (s->what == BP_IPC_NEXT_END)
        return bp_fail(err, BP_EUPSTREAM,
                       "the stream ended early (it is empty): "
                       "its producer failed or was killed");
    if (s->what == BP_IPC_NEXT_EOS)
        return bp_fail(err, BP_EDATA, "an end mark without a schema");
    return start_stream(s, err);
}

/* Only these columns of the stream. */
static int set_columns(struct stream *s, const int *columns, int n, struct bp_err *err)
{
    int *copy;

    for (int i = 0; i < n; i++)
        if (columns[i] < 0 || columns[i] >= s->schema.n_fields)
            return bp_fail(err, BP_EUSAGE, "there is no column number %d", columns[i]);
    copy = bp_mem_new((size_t)n, sizeof *copy, err);
    if (!copy)
        return err->code;
    memcpy(copy, columns, (size_t)n * sizeof *copy);
    bp_mem_free(s->columns);
    s->columns = copy;
    s->n_columns = n;
    bp_schema_release(&s->shown);
    return bp_ipc_project(&s->shown, &s->schema, copy, n, err);
}

/* cols are numbers of what is shown now. */
static int stream_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct stream *s = self;
    int *of_stream = bp_mem_new((size_t)n, sizeof *of_stream, err);
    int rc;

    if (!of_stream)
        return err->code;
    for (int i = 0; i < n; i++)
        of_stream[i] = s->columns ? s->columns[cols[i]] : cols[i];
    rc = set_columns(s, of_stream, n, err);
    bp_mem_free(of_stream);
    return rc;
}

static const struct bp_source_ops stream_ops = {
    .next = stream_next, .free = stream_free, .project = stream_project};

static int show(struct bp_source *out, struct stream *s, const struct bp_ipc_opts *o,
                struct bp_err *err)
{
    if (o->columns)
        BP_TRY(set_columns(s, o->columns, o->n_columns, err));
    else
        BP_TRY(bp_schema_copy(&s->shown, &s->schema, err));
    BP_TRY(bp_schema_copy(&out->schema, &s->shown, err));
    BP_TRY(bp_schema_copy(&s->first, &s->schema, err));
    out->name = bp_mem_str(s->in.name, err);
    return out->name ? 0 : err->code;
}

int bp_ipc_stream_source(struct bp_source *out, struct bp_input *in, const struct bp_ipc_opts *opts,
                         struct bp_err *err)
{
    static const struct bp_ipc_opts none;
    const struct bp_ipc_opts *o = opts ? opts : &none;
    struct stream *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_source){0};
    if (!s) {
        bp_input_close(in);
        return err->code;
    }
    bp_input_move(&s->in, in);
    s->ring = s->in.fd >= 0 ? bp_ring_in_open(s->in.fd) : NULL;
    s->allow_truncated = o->allow_truncated;
    s->ledger = o->ledger;
    BP_GO(o->n_tasks > 0 ? bp_fail(err, BP_EUSAGE,
                                   "a stream cannot be cut into shares: "
                                   "only files can")
                         : 0);
    BP_GO(read_first_schema(s, err));
    BP_GO(show(out, s, o, err));
    out->ops = &stream_ops;
    out->self = s;
    return 0;
out:
    place_error(s, err);
    bp_schema_release(&out->schema);
    bp_mem_free(out->name);
    *out = (struct bp_source){0};
    stream_free(s);
    return rc;
}
