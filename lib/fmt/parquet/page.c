/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/page.h"

#include <isa-l.h>
#include <string.h>

#include "base/mem.h"
#include "codec/pack.h"
#include "fmt/parquet/thrift.h"

/* A header has statistics in it, so texts of the data; no longer one is believed. */
#define HEADER_MAX_BYTES ((size_t)16 << 20)
#define PAGE_MAX_BYTES ((int64_t)1 << 30)
#define SLACK_BYTES 64 /* wide loads may look behind the values */

#define HEADER_BYTES ((size_t)4096) /* as long as most are */
#define AHEAD_BYTES ((size_t)64 << 10)

void bp_pq_pages_open(struct bp_pq_pages *p, const struct bp_pq_file *f,
                      const struct bp_pq_column *column, const struct bp_pq_chunk *chunk)
{
    struct bp_buf ahead = p->ahead;

    ahead.len = 0;
    *p = (struct bp_pq_pages){
        .file = f,
        .column = column,
        .chunk = chunk,
        .at = chunk->from,
        .stop = chunk->to,
        .ahead = ahead,
    };
}

void bp_pq_pages_seek(struct bp_pq_pages *p, int64_t offset, int64_t number)
{
    int64_t left = p->at - offset;

    p->n_pages = number;
    if (left >= 0 && left <= (int64_t)p->ahead.len) { /* it is here */
        p->ahead_pos = p->ahead.len - (size_t)left;
        return;
    }
    p->ahead.len = p->ahead_pos = 0;
    p->at = offset;
}

void bp_pq_pages_close(struct bp_pq_pages *p)
{
    bp_buf_release(&p->ahead);
    *p = (struct bp_pq_pages){0};
}

/* ---- reading ahead ---- */

/* At least n bytes from ahead_pos on, or all that the chunk still has. */
static int fill(struct bp_pq_pages *p, size_t n, struct bp_err *err)
{
    size_t have = p->ahead.len - p->ahead_pos, want = n, got;

    if (have >= n || p->at >= p->chunk->to)
        return 0;
    if (p->at < p->stop && p->told != p->stop && !p->first_only)
        bp_input_want(&p->file->in, (size_t)(p->stop - p->at), p->at);
    p->told = p->stop;
    if (p->at < p->stop)
        want = BP_MAX(n, have + (size_t)BP_MIN((int64_t)AHEAD_BYTES, p->stop - p->at));
    if (p->ahead_pos) {
        memmove(p->ahead.data, p->ahead.data + p->ahead_pos, have);
        p->ahead.len = have;
        p->ahead_pos = 0;
    }
    want = (size_t)BP_MIN((int64_t)(want - have), p->chunk->to - p->at);
    BP_TRY(bp_buf_reserve(&p->ahead, want + SLACK_BYTES, err));
    BP_TRY(bp_input_read_at(&p->file->in, p->ahead.data + have, want, p->at, &got, err));
    if (got != want)
        return bp_fail(err, BP_EDATA, "the file became shorter while it was read");
    p->ahead.len += got;
    p->at += (int64_t)got;
    return 0;
}

/* ---- the header ---- */

static void read_v1(struct bp_thrift *t, struct bp_pq_header *h)
{
    struct bp_thrift_fields f = {0};

    while (bp_thrift_next(t, &f)) {
        if (f.id == 1)
            h->n_values = bp_thrift_int(t, f.type);
        else if (f.id == 2)
            h->encoding = bp_thrift_int(t, f.type);
        else if (f.id == 3)
            h->def_encoding = bp_thrift_int(t, f.type);
        else if (f.id == 4)
            h->rep_encoding = bp_thrift_int(t, f.type);
        else
            bp_thrift_skip(t, f.type);
    }
}

static void read_v2(struct bp_thrift *t, struct bp_pq_header *h)
{
    struct bp_thrift_fields f = {0};

    while (bp_thrift_next(t, &f)) {
        if (f.id == 1)
            h->n_values = bp_thrift_int(t, f.type);
        else if (f.id == 2)
            h->n_nulls = bp_thrift_int(t, f.type);
        else if (f.id == 3)
            h->n_rows = bp_thrift_int(t, f.type);
        else if (f.id == 4)
            h->encoding = bp_thrift_int(t, f.type);
        else if (f.id == 5)
            h->def_bytes = bp_thrift_int(t, f.type);
        else if (f.id == 6)
            h->rep_bytes = bp_thrift_int(t, f.type);
        else if (f.id == 7)
            h->is_packed = bp_thrift_int(t, f.type) != 0;
        else
            bp_thrift_skip(t, f.type);
    }
}

static void read_header(struct bp_thrift *t, struct bp_pq_header *h)
{
    struct bp_thrift_fields f = {0};

    *h = (struct bp_pq_header){.type = -1,
                               .raw_bytes = -1,
                               .packed_bytes = -1,
                               .n_values = -1,
                               .encoding = -1,
                               .n_nulls = -1,
                               .n_rows = -1,
                               .def_encoding = BP_PQ_RLE,
                               .rep_encoding = BP_PQ_RLE,
                               .is_packed = true};
    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: h->type = bp_thrift_int(t, f.type); break;
        case 2: h->raw_bytes = bp_thrift_int(t, f.type); break;
        case 3: h->packed_bytes = bp_thrift_int(t, f.type); break;
        case 4:
            h->crc = (uint32_t)bp_thrift_int(t, f.type);
            h->have_crc = true;
            break;
        case 5:
        case 7: /* the dictionary page's fields have the same numbers */
            if (f.type == BP_THRIFT_STRUCT)
                read_v1(t, h);
            else
                bp_thrift_skip(t, f.type);
            break;
        case 8:
            if (f.type == BP_THRIFT_STRUCT)
                read_v2(t, h);
            else
                bp_thrift_skip(t, f.type);
            break;
        default: bp_thrift_skip(t, f.type);
        }
    }
}

/* The header has no length in front: it is read from what is there, and again from
 * more when it ends too early. */
static int next_header(struct bp_pq_pages *p, struct bp_pq_header *h, struct bp_err *err)
{
    struct bp_thrift t;
    size_t want = HEADER_BYTES, have;

    for (;;) {
        BP_TRY(fill(p, want, err));
        have = p->ahead.len - p->ahead_pos;
        t = (struct bp_thrift){.p = p->ahead.data + p->ahead_pos,
                               .end = p->ahead.data + p->ahead.len};
        read_header(&t, h);
        if (!t.bad)
            break;
        if (p->at >= p->chunk->to || have >= HEADER_MAX_BYTES)
            return bp_fail(err, BP_EDATA, "its header is damaged: %s", t.bad);
        want = have * 2;
    }
    p->ahead_pos = (size_t)(t.p - p->ahead.data);
    if (h->raw_bytes < 0 || h->packed_bytes < 0 || h->raw_bytes > PAGE_MAX_BYTES ||
        h->packed_bytes > (int64_t)(p->ahead.len - p->ahead_pos) + p->chunk->to - p->at)
        return bp_fail(err, BP_EDATA,
                       "its header claims %lld bytes (%lld uncompressed), more than the chunk has",
                       (long long)h->packed_bytes, (long long)h->raw_bytes);
    return 0;
}

/* ---- the body ---- */

static int read_rest(struct bp_pq_raw *raw, struct bp_err *err)
{
    size_t n = raw->rest_bytes, got;

    if (n == 0)
        return 0;
    raw->rest_bytes = 0;
    BP_TRY(
        bp_input_read_at(raw->in, raw->body.data + raw->body.len - n, n, raw->rest_at, &got, err));
    return got == n ? 0 : bp_fail(err, BP_EDATA, "the file became shorter while it was read");
}

/* n bytes from here on: what was read ahead, and the rest straight from the file. Of a local
 * one that is left to whoever unpacks the page: it is a copy, and then in that one's caches. */
static int take_body(struct bp_pq_pages *p, size_t n, struct bp_pq_raw *out, struct bp_err *err)
{
    size_t have = BP_MIN(n, p->ahead.len - p->ahead_pos);

    out->body.len = 0;
    BP_TRY(bp_buf_reserve(&out->body, n + SLACK_BYTES, err));
    memcpy(out->body.data, p->ahead.data + p->ahead_pos, have);
    memset(out->body.data + n, 0, SLACK_BYTES);
    p->ahead_pos += have;
    out->body.len = n;
    out->in = &p->file->in;
    out->rest_at = p->at;
    out->rest_bytes = n - have;
    p->at += (int64_t)out->rest_bytes;
    return p->file->in.file ? 0 : read_rest(out, err);
}

static int check_header(const struct bp_pq_header *h, struct bp_err *err)
{
    if (h->n_values < 0 || h->n_values > INT32_MAX || h->encoding < 0)
        return bp_fail(err, BP_EDATA, "its header does not say how many values it has, or how");
    if (h->type == BP_PQ_DATA_PAGE_V2 &&
        (h->def_bytes < 0 || h->rep_bytes < 0 || h->def_bytes > h->raw_bytes ||
         h->rep_bytes > h->raw_bytes - h->def_bytes ||
         h->def_bytes + h->rep_bytes > h->packed_bytes))
        return bp_fail(err, BP_EDATA, "its levels claim more bytes than it has");
    return 0;
}

static void pass_body(struct bp_pq_pages *p, size_t n)
{
    size_t have = BP_MIN(n, p->ahead.len - p->ahead_pos);

    p->ahead_pos += have;
    p->at += (int64_t)(n - have); /* within the chunk: next_header() saw to it */
    p->n_pages++;
}

static int next_page(struct bp_pq_pages *p, int64_t *skip, struct bp_pq_raw *out,
                     struct bp_err *err)
{
    const struct bp_pq_header *h = &out->h;

    for (;;) {
        bool is_data, is_dict;

        if (p->ahead_pos == p->ahead.len && p->at >= p->chunk->to)
            return BP_DONE;
        BP_TRY(next_header(p, &out->h, err));
        is_data = h->type == BP_PQ_DATA_PAGE || h->type == BP_PQ_DATA_PAGE_V2;
        is_dict = h->type == BP_PQ_DICT_PAGE;
        if (is_data || is_dict)
            BP_TRY(check_header(h, err));
        if (is_dict || (is_data && (h->n_values > *skip || *skip == 0)))
            return take_body(p, (size_t)h->packed_bytes, out, err);
        if (is_data)
            *skip -= h->n_values;
        pass_body(p, (size_t)h->packed_bytes); /* or of a kind that need not be understood */
    }
}

int bp_pq_pages_next(struct bp_pq_pages *p, int64_t *skip, struct bp_pq_raw *out,
                     struct bp_err *err)
{
    int rc = next_page(p, skip, out, err);

    if (rc < 0)
        return bp_err_prefix(err, "%s: column %s: page %lld", p->file->in.name, p->column->name,
                             (long long)p->n_pages);
    out->number = p->n_pages++;
    return rc;
}

/* ---- unpacking ---- */

static int check_crc(const struct bp_pq_raw *raw, struct bp_err *err)
{
    uint32_t crc;

    if (!raw->h.have_crc)
        return 0;
    crc = crc32_gzip_refl(0, raw->body.data, raw->body.len);
    if (crc != raw->h.crc)
        return bp_fail(err, BP_EDATA, "its checksum is %08x, the header says %08x", crc,
                       raw->h.crc);
    return 0;
}

/* skip bytes at the front are never compressed (levels of V2). */
static int unpack(int codec, const struct bp_pq_raw *in, size_t skip, struct bp_buf *scratch,
                  const uint8_t **out, struct bp_err *err)
{
    size_t raw = (size_t)in->h.raw_bytes, packed = in->body.len;

    if (codec == BP_PACK_NONE || !in->h.is_packed) {
        if (raw != packed)
            return bp_fail(err, BP_EDATA, "it is not compressed, but has two sizes");
        *out = in->body.data;
        return 0;
    }
    scratch->len = 0;
    BP_TRY(bp_buf_reserve(scratch, raw + SLACK_BYTES, err));
    memcpy(scratch->data, in->body.data, skip);
    if (raw > skip) /* an empty body may be left out */
        BP_TRY(bp_unpack((enum bp_pack)codec, in->body.data + skip, packed - skip,
                         scratch->data + skip, raw - skip, err));
    memset(scratch->data + raw, 0, SLACK_BYTES);
    *out = scratch->data;
    return 0;
}

/* V1: levels lie in front of the values, RLE with a length, BIT_PACKED without. */
static int split_level(const uint8_t **at, const uint8_t *end, int encoding, int max,
                       int64_t n_values, const uint8_t **level, size_t *level_bytes,
                       struct bp_err *err)
{
    size_t left = (size_t)(end - *at), n, prefix = 0;
    int width = max ? 32 - __builtin_clz((unsigned)max) : 0;

    *level_bytes = 0;
    if (!max)
        return 0;
    if (encoding == BP_PQ_RLE) {
        if (left < 4)
            return bp_fail(err, BP_EDATA, "its levels are cut off");
        n = bp_load_u32(*at);
        prefix = 4;
    } else if (encoding == BP_PQ_BIT_PACKED) {
        n = ((size_t)n_values * (size_t)width + 7) / 8;
    } else {
        return bp_fail(err, BP_EDATA, "its levels have encoding %d, which is not defined",
                       encoding);
    }
    if (n > left - prefix)
        return bp_fail(err, BP_EDATA, "its levels claim %zu bytes, there are %zu", n,
                       left - prefix);
    *level = *at + prefix;
    *level_bytes = n;
    *at += prefix + n;
    return 0;
}

int bp_pq_page_unpack(const struct bp_pq_column *column, int codec, struct bp_pq_raw *raw,
                      struct bp_buf *scratch, struct bp_pq_page *out, struct bp_err *err)
{
    const struct bp_pq_header *h = &raw->h;
    size_t skip = h->type == BP_PQ_DATA_PAGE_V2 ? (size_t)(h->def_bytes + h->rep_bytes) : 0;
    const uint8_t *at = NULL, *end;

    BP_TRY(read_rest(raw, err));
    BP_TRY(check_crc(raw, err));
    BP_TRY(unpack(codec, raw, skip, scratch, &at, err));
    end = at + h->raw_bytes;
    *out = (struct bp_pq_page){.is_dict = h->type == BP_PQ_DICT_PAGE,
                               .is_v2 = h->type == BP_PQ_DATA_PAGE_V2,
                               .encoding = (enum bp_pq_encoding)h->encoding,
                               .n_values = h->n_values,
                               .n_rows = h->n_rows,
                               .def_encoding = (int)h->def_encoding,
                               .rep_encoding = (int)h->rep_encoding,
                               .most_bytes = raw->most_bytes};
    if (out->is_v2) {
        out->rep = at;
        out->rep_bytes = (size_t)h->rep_bytes;
        out->def = at + h->rep_bytes;
        out->def_bytes = (size_t)h->def_bytes;
        at += skip;
    } else if (!out->is_dict) {
        BP_TRY(split_level(&at, end, out->rep_encoding, column->max_rep, h->n_values, &out->rep,
                           &out->rep_bytes, err));
        BP_TRY(split_level(&at, end, out->def_encoding, column->max_def, h->n_values, &out->def,
                           &out->def_bytes, err));
    }
    out->values = at;
    out->values_bytes = (size_t)(end - at);
    return 0;
}
