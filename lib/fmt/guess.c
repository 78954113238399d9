/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/guess.h"

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

void bp_sample_pieces(int64_t size, size_t most, int *n_pieces, size_t *piece)
{
    bool whole = size <= (int64_t)most;

    *n_pieces = whole ? 1 : PIECES;
    *piece = whole ? (size_t)BP_MAX(size, 0) : most / PIECES;
}

int64_t bp_sample_at(int64_t size, size_t piece, int i)
{
    return (int64_t)((bp_int128)(size - (int64_t)piece) * i / (PIECES - 1));
}
