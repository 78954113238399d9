/* SPDX-License-Identifier: Apache-2.0 */
/* What is written compressed: the same bytes for any number of threads and any pieces. */
#include "codec/encode.h"

#include <string.h>
#include <zstd.h>

#include "base/num.h"
#include "codec/bgzf.h"
#include "codec/codec.h"
#include "unit.h"

#define THREADS_MOST 4

static uint8_t plain[5 << 20], back[sizeof plain + 1];

/* n bytes that pack well, in part; with noise: not at all. */
static void fill(size_t n, bool noise)
{
    uint32_t x = 7;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (uint8_t)(noise ? x >> 24 : 'a' + (x >> 24) % 6);
    }
}

/* plain[0, n) by an encoder, in pieces. */
static void encode(const char *name, size_t n, size_t piece, int n_threads, struct bp_buf *out)
{
    const struct bp_encoding *e = bp_encoding_named(name);
    struct bp_err err = {0};
    void *self = e->open(n_threads, &err);
    int rc = 0;

    CHECK(self != NULL);
    out->len = 0;
    for (size_t at = 0; at < n && rc == 0; at += piece)
        rc = e->encoder.encode(self, plain + at, BP_MIN(piece, n - at), false, out, &err);
    if (rc == 0)
        rc = e->encoder.encode(self, "", 0, true, out, &err);
    CHECK(rc == 0);
    e->encoder.free(self);
}

static void check_reads_back(const struct bp_buf *packed, size_t n)
{
    struct bp_err err = {0};
    struct bp_input in;
    size_t got;

    for (int t = 0; t < 3; t++) {
        NEED(bp_input_from_memory(&in, "x", packed->data, packed->len, &err) == 0);
        NEED(bp_codec_detect(&in, &err) == 0);
        NEED(t == 0 || bp_input_read_ahead(&in, t, &err) == 0);
        CHECK(bp_input_read(&in, back, sizeof back, &got, &err) == 0);
        CHECK_STR(err.msg, "");
        CHECK(got == n && memcmp(back, plain, n) == 0);
        bp_input_close(&in);
    }
}

static void the_bytes_do_not_depend_on_threads_or_pieces(void)
{
    static const size_t sizes[] = {0, 1, 65279, 65280, 65281, 522240, 522241, sizeof plain};
    static const char *const names[] = {"gzip", "zstd"};
    struct bp_buf one = {0}, other = {0};

    for (size_t k = 0; k < 2 * BP_COUNT_OF(sizes); k++) {
        const char *name = names[k % 2];
        size_t n = sizes[k / 2];

        fill(n, false);
        encode(name, n, 100000, 1, &one);
        check_reads_back(&one, n);
        for (int t = 1; t <= THREADS_MOST; t++) {
            encode(name, n, t == 2 ? 7777 : sizeof plain, t, &other);
            CHECK(one.len == other.len && memcmp(one.data, other.data, one.len) == 0);
        }
    }
    bp_buf_release(&one);
    bp_buf_release(&other);
}

static void what_does_not_pack_is_stored(void)
{
    struct bp_buf packed = {0};

    fill(1000000, true);
    encode("gzip", 1000000, 50000, 2, &packed);
    check_reads_back(&packed, 1000000);
    CHECK(packed.len > 1000000 && packed.len < 1001000);
    bp_buf_release(&packed);
}

static void gzip_is_a_row_of_blocks_and_its_marker(void)
{
    struct bp_buf packed = {0};
    struct bp_codec_frame f;
    size_t at = 0, n_blocks = 0, n_plain = 0;

    fill(300000, false);
    encode("gzip", 300000, 1000, 3, &packed);
    for (; at < packed.len; at += f.packed_bytes, n_blocks++) {
        NEED(bp_codec_gzip.look(packed.data + at, packed.len - at, &f));
        NEED(f.packed_bytes <= packed.len - at);
        n_plain += f.plain_bytes;
        CHECK(f.is_block && f.is_marker == (at + f.packed_bytes == packed.len));
    }
    CHECK(n_blocks == 6 && n_plain == 300000);
    encode("gzip", 0, 1, 2, &packed);
    CHECK(packed.len == sizeof bp_bgzf_marker &&
          memcmp(packed.data, bp_bgzf_marker, packed.len) == 0);
    bp_buf_release(&packed);
}

/* Some readers of zstd take the end of the first frame for the end of the file. */
static void zstd_is_one_frame(void)
{
    struct bp_buf packed = {0};

    fill(sizeof plain, false);
    encode("zstd", sizeof plain, 1000000, 3, &packed);
    CHECK(ZSTD_findFrameCompressedSize(packed.data, packed.len) == packed.len);
    bp_buf_release(&packed);
}

static void an_encoder_may_be_freed_at_any_time(void)
{
    static const char *const names[] = {"gzip", "zstd"};
    struct bp_buf out = {0};
    struct bp_err err = {0};

    fill(sizeof plain, false);
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 0; n < sizeof plain; n += 1234567) {
            const struct bp_encoding *e = bp_encoding_named(names[k]);
            void *self = e->open(3, &err);

            NEED(self != NULL);
            CHECK(e->encoder.encode(self, plain, n, false, &out, &err) == 0);
            e->encoder.free(self);
        }
    bp_buf_release(&out);
}

UNIT_MAIN(T(the_bytes_do_not_depend_on_threads_or_pieces), T(what_does_not_pack_is_stored),
          T(gzip_is_a_row_of_blocks_and_its_marker), T(zstd_is_one_frame),
          T(an_encoder_may_be_freed_at_any_time))
