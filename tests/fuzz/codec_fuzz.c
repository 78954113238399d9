/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a compressed file: no crash; and the same bytes, and the same end, whatever
 * the size of the reads, with threads that decode and without. The same bytes as a block of
 * snappy: what its library says. As a page of words to pack: the library gives it back.
 */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "codec/pack.h"
#include "codec/snappy_words.h"
#include "sys/library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUT ((size_t)1 << 18) /* of a bomb only the beginning */

static int unpack(const uint8_t *data, size_t size, size_t step, bool threads, uint8_t *out,
                  size_t *n)
{
    struct bp_err err = {0};
    struct bp_input in;
    size_t got = 0;
    int rc;

    *n = 0;
    if (bp_input_from_memory(&in, "fuzz", data, size, &err) < 0)
        abort();
    rc = bp_codec_detect(&in, &err);
    if (rc == 0 && threads)
        rc = bp_input_read_ahead(&in, 2, &err);
    while (rc == 0 && *n < MAX_OUT) {
        rc = bp_input_read_some(&in, out + *n, step < MAX_OUT - *n ? step : MAX_OUT - *n, &got,
                                &err);
        if (rc < 0 || !got)
            break;
        *n += got;
    }
    if (rc < 0 && (err.code != rc || !err.msg[0]))
        abort();
    bp_input_close(&in);
    return rc;
}

/* Bytes before an error may be fewer in one of them, never other ones. */
static void same(int rc_a, const uint8_t *a, size_t n_a, int rc_b, const uint8_t *b, size_t n_b)
{
    if (rc_a != rc_b || (rc_a == 0 && n_a != n_b) || memcmp(a, b, n_a < n_b ? n_a : n_b) != 0)
        abort();
}

static void *library(const char *symbol)
{
    struct bp_err err = {0};
    void *f;

    if (bp_library_symbol("libsnappy.so.1", "libsnappy1v5", symbol, &f, &err) < 0)
        abort();
    return f;
}

static void check_snappy(const uint8_t *data, size_t size, uint8_t *a, uint8_t *b)
{
    static __typeof__(&snappy_uncompressed_length) length;
    static __typeof__(&snappy_uncompress) uncompress;
    struct bp_err err = {0};
    size_t n, got;
    int ours;

    if (!length) {
        length = (__typeof__(length))library("snappy_uncompressed_length");
        uncompress = (__typeof__(uncompress))library("snappy_uncompress");
    }
    if (length((const char *)data, size, &n) != SNAPPY_OK || n > MAX_OUT)
        return;
    got = n;
    ours = bp_unpack(BP_PACK_SNAPPY, data, size, a, n, &err);
    if ((uncompress((const char *)data, size, (char *)b, &got) == SNAPPY_OK) != (ours == 0) ||
        (ours == 0 && memcmp(a, b, n) != 0))
        abort();
}

/* data behind itself once more, so that there is something to copy, too. */
static void check_words(const uint8_t *data, size_t size, size_t lead, uint8_t *a, uint8_t *b)
{
    static __typeof__(&snappy_uncompress) uncompress;
    static uint8_t packed[MAX_OUT + MAX_OUT / 4 + 1024];
    size_t n = size * 2, n_packed, got;

    if (n > MAX_OUT || lead > n)
        return;
    if (!uncompress)
        uncompress = (__typeof__(uncompress))library("snappy_uncompress");
    memcpy(a, data, size);
    memcpy(a + size, data, size);
    n_packed = bp_snappy_words(a, n, lead, packed);
    got = n;
    if (n_packed > bp_pack_bound(BP_PACK_SNAPPY, n) ||
        uncompress((const char *)packed, n_packed, (char *)b, &got) != SNAPPY_OK || got != n ||
        memcmp(a, b, n) != 0)
        abort();
}

/* Input: the length of small reads, then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t a[MAX_OUT], b[MAX_OUT];
    size_t n_a, n_b;
    int rc_a, rc_b;

    if (size < 1)
        return 0;
    rc_a = unpack(data + 1, size - 1, MAX_OUT, false, a, &n_a);
    rc_b = unpack(data + 1, size - 1, 1 + (size_t)data[0], false, b, &n_b);
    same(rc_a, a, n_a, rc_b, b, n_b);
    rc_b = unpack(data + 1, size - 1, MAX_OUT, true, b, &n_b);
    /* threads look further ahead: they may see damage behind what was asked for */
    if (n_a < MAX_OUT)
        same(rc_a, a, n_a, rc_b, b, n_b);
    else if (memcmp(a, b, n_b) != 0)
        abort();
    check_snappy(data + 1, size - 1, a, b);
    check_words(data + 1, size - 1, data[0] % 16, a, b);
    return 0;
}
