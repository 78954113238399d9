/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/guess.h"

#include "base/mem.h"
#include "base/num.h"
#include "col/text.h"

#define SAMPLE_FILE_BYTES ((size_t)8 << 20)
#define SAMPLE_ALL_BYTES ((size_t)64 << 20)
#define SAMPLE_LEAST_BYTES ((size_t)16 << 10)
#define PIECES 8

static const struct {
    unsigned bit;
    struct bp_type type;
} order[] = {
    {BP_IS_BOOL, {.kind = BP_BOOL}},
    {BP_IS_INT, {.kind = BP_INT64}},
    {BP_IS_FLOAT, {.kind = BP_FLOAT64}},
    {BP_IS_DATE, {.kind = BP_DATE}},
    {BP_IS_TIMESTAMP, {.kind = BP_TIMESTAMP, .unit = BP_MICRO}},
    {BP_IS_TIMESTAMPTZ, {.kind = BP_TIMESTAMPTZ, .unit = BP_MICRO}},
};

struct bp_type bp_guess_type(struct bp_guess g)
{
    if (g.seen)
        for (size_t i = 0; i < BP_COUNT_OF(order); i++)
            if (g.left & order[i].bit)
                return order[i].type;
    return BP_TYPE(BP_TEXT);
}

static bool has_date_shape(const char *s, size_t n)
{
    static const char shape[] = "dddd-dd-dd";

    if (n < 10)
        return false;
    for (size_t i = 0; i < 10; i++)
        if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
            return false;
    return true;
}

unsigned bp_guess_time(const char *s, size_t n)
{
    bool zone = false;
    int64_t v;
    int32_t d;

    if (!has_date_shape(s, n))
        return 0;
    if (n == 10)
        return bp_parse_date(s, n, &d) == BP_TEXT_OK ? BP_IS_DATE | BP_IS_TIMESTAMP : 0;
    if ((s[10] != ' ' && s[10] != 'T') || n < 16 || s[13] != ':')
        return 0;
    for (size_t i = 16; i < n; i++)
        zone |= s[i] == 'Z' || s[i] == '+' || s[i] == '-';
    if (bp_parse_timestamp(s, n, BP_MICRO, zone, &v) != BP_TEXT_OK)
        return 0;
    return zone ? BP_IS_TIMESTAMPTZ : BP_IS_TIMESTAMP;
}

size_t bp_sample_bytes(int n_files)
{
    size_t each = BP_MIN(SAMPLE_FILE_BYTES, SAMPLE_ALL_BYTES / (size_t)n_files);

    return BP_MAX(each, SAMPLE_LEAST_BYTES);
}

/* Where piece i of n bytes begins. */
static int64_t piece_at(int64_t size, size_t n, int i)
{
    return (int64_t)((bp_int128)(size - (int64_t)n) * i / (PIECES - 1));
}

int bp_sample_file(const struct bp_sample *s, const struct bp_input *in, int64_t from,
                   struct bp_err *err)
{
    int64_t size = BP_MAX(in->size_bytes - from, 0);
    bool whole = size <= (int64_t)s->most;
    size_t n = whole ? (size_t)size : s->most / PIECES, got;
    int n_pieces = whole ? 1 : PIECES, rc = 0;
    uint8_t *buf = bp_mem_new(s->front + n + s->behind, 1, err);

    if (!buf)
        return err->code;
    for (int i = 1; i < n_pieces; i++)
        bp_input_want(in, n, from + piece_at(size, n, i));
    for (int i = 0; i < n_pieces; i++) {
        int64_t at = from + piece_at(size, n, i);

        BP_GO(bp_input_read_at(in, buf + s->front, n, at, &got, err));
        BP_GO(s->piece(s->ctx, buf, got, i == 0, at + (int64_t)got >= in->size_bytes, err));
    }
out:
    bp_mem_free(buf);
    return rc;
}
