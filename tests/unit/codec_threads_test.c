/* SPDX-License-Identifier: Apache-2.0 */
/* Small frames that tell their length (BGZF, zstd) give the same bytes and the same refusals
 * whether threads decode them or not. */
#include "codec/codec.h"

#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/bgzf.h"
#include "unit.h"

#define THREADS_MOST 4

static uint8_t plain[3 << 20], packed[2 << 20], back[2][sizeof plain];
static size_t n_plain, n_packed, n_back;

static void put_packed(const void *p, size_t n)
{
    memcpy(packed + n_packed, p, n);
    n_packed += n;
}

/* One member of gzip over p[0, n); with extra bytes in its header where told. */
static void put_member(const void *p, size_t n, const uint8_t *extra, size_t n_extra)
{
    gz_header head = {.extra = (Bytef *)(uintptr_t)extra, .extra_len = (uInt)n_extra, .os = 255};
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n};

    NEED(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    NEED(!extra || deflateSetHeader(&z, &head) == Z_OK);
    z.next_out = packed + n_packed;
    z.avail_out = (uInt)(sizeof packed - n_packed);
    NEED(deflate(&z, Z_FINISH) == Z_STREAM_END);
    n_packed += z.total_out;
    deflateEnd(&z);
    memcpy(plain + n_plain, p, n);
    n_plain += n;
}

/* A block of BGZF over p[0, n), whose length is told wrong by wrong_bytes. */
static void put_block(const void *p, size_t n, int wrong_bytes)
{
    uint8_t extra[6] = {'B', 'C', 2, 0, 0, 0};
    size_t at = n_packed, told;

    put_member(p, n, extra, sizeof extra);
    told = n_packed - at - 1 + (size_t)wrong_bytes;
    packed[at + 16] = (uint8_t)told;
    packed[at + 17] = (uint8_t)(told >> 8);
}

static void put_marker(void)
{
    put_packed(bp_bgzf_marker, sizeof bp_bgzf_marker);
}

static void put_frame(const void *p, size_t n)
{
    n_packed += ZSTD_compress(packed + n_packed, sizeof packed - n_packed, p, n, 1);
    memcpy(plain + n_plain, p, n);
    n_plain += n;
}

/* A frame that does not tell how much it gives. */
static void put_open_frame(const void *p, size_t n)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {p, n, 0};
    ZSTD_outBuffer out = {packed, sizeof packed, n_packed};

    NEED(ZSTD_compressStream2(c, &out, &in, ZSTD_e_flush) == 0);
    NEED(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end) == 0);
    ZSTD_freeCCtx(c);
    n_packed = out.pos;
    memcpy(plain + n_plain, p, n);
    n_plain += n;
}

/* Text that is not all the same. */
static const uint8_t *text(size_t n)
{
    static uint8_t room[1 << 20];
    static uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        room[i] = (uint8_t)('a' + (x >> 24) % 5);
    }
    return room;
}

static void begin(void)
{
    n_plain = n_packed = 0;
}

/* packed[0, n) by so many threads (0: not even ahead) into to; 0 or the error. */
static int unpack(size_t n, int n_threads, uint8_t *to, struct bp_err *err)
{
    struct bp_input in;
    size_t got;
    int rc;

    n_back = 0;
    *err = (struct bp_err){0};
    rc = bp_input_from_memory(&in, "x", packed, n, err);
    if (rc == 0)
        rc = bp_codec_detect(&in, err);
    if (rc == 0 && n_threads)
        rc = bp_input_read_ahead(&in, n_threads, err);
    while (rc == 0 && n_back < sizeof plain &&
           (rc = bp_input_read_some(&in, to + n_back, BP_MIN(sizeof plain - n_back, 10007), &got,
                                    err)) == 0 &&
           got)
        n_back += got;
    bp_input_close(&in);
    return rc;
}

/* packed gives plain, by any number of threads. */
static void check_reads(void)
{
    struct bp_err err;

    for (int t = 0; t <= THREADS_MOST; t++) {
        CHECK(unpack(n_packed, t, back[0], &err) == 0);
        CHECK_STR(err.msg, "");
        CHECK(n_back == n_plain && memcmp(back[0], plain, n_plain) == 0);
    }
}

/* packed[0, n) ends the same way with threads as without. */
static int check_alike(size_t n, struct bp_err *err)
{
    struct bp_err other;
    int rc = unpack(n, 0, back[0], err);
    size_t n_got = n_back;

    CHECK(unpack(n, 3, back[1], &other) == rc);
    CHECK(memcmp(back[0], back[1], BP_MIN(n_got, n_back)) == 0);
    CHECK(rc < 0 || n_got == n_back);
    CHECK_STR(other.msg, err->msg);
    return rc;
}

static void blocks_of_bgzf_are_read_in_order(void)
{
    begin();
    for (int i = 0; i < 40; i++)
        put_block(text(65280), 65280, 0);
    put_marker();
    check_reads();
}

static void blocks_members_markers_and_padding_may_mix(void)
{
    begin();
    put_block(text(20000), 20000, 0);
    put_member(text(300000), 300000, NULL, 0);
    put_block(text(65280), 65280, 0);
    put_marker();
    put_block("", 0, 0);
    put_member(text(1000), 1000, (const uint8_t *)"XY\3\0abc", 7);
    for (int i = 0; i < 20; i++)
        put_block(text(50000), 50000, 0);
    put_marker();
    memset(packed + n_packed, 0, 5000);
    n_packed += 5000;
    check_reads();
    put_member("x", 1, NULL, 0);
    struct bp_err err;
    CHECK(check_alike(n_packed, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "not gzip data behind its end") != NULL);
}

static void a_length_that_lies_does_no_harm(void)
{
    static const int wrong[] = {-1, 1, -100, 100, 5000, -5000};

    for (size_t i = 0; i < BP_COUNT_OF(wrong); i++) {
        begin();
        for (int k = 0; k < 20; k++)
            put_block(text(40000), 40000, k == 13 ? wrong[i] : 0);
        put_marker();
        check_reads();
    }
}

static void a_row_without_its_marker_is_cut(void)
{
    struct bp_err err;
    char want[100];

    begin();
    for (int i = 0; i < 20; i++)
        put_block(text(30000), 30000, 0);
    CHECK(check_alike(n_packed, &err) == BP_EDATA);
    snprintf(want, sizeof want, "x: compressed byte %zu: the BGZF data ends without", n_packed);
    CHECK(strncmp(err.msg, want, strlen(want)) == 0);
    put_member("x", 1, NULL, 0); /* this one is complete by itself */
    check_reads();
}

static void a_cut_anywhere_is_refused_alike(void)
{
    struct bp_err err;
    size_t step = 997;

    begin();
    for (int i = 0; i < 30; i++)
        put_block(text(5000), 5000, 0);
    put_marker();
    for (size_t n = 6; n<n_packed; n += n + 100> n_packed ? 1 : step)
        CHECK(check_alike(n, &err) == BP_EDATA);
    begin();
    for (int i = 0; i < 30; i++)
        put_frame(text(5000), 5000);
    for (size_t n = n_packed - 100; n < n_packed; n++)
        CHECK(check_alike(n, &err) == BP_EDATA);
}

static void a_flipped_byte_is_refused_alike(void)
{
    struct bp_err err;

    begin();
    for (int i = 0; i < 10; i++)
        put_block(text(2000), 2000, 0);
    put_marker();
    for (size_t i = 0; i < n_packed; i += 37) {
        packed[i] ^= 0x21;
        (void)check_alike(n_packed, &err); /* of a header, some bytes are of no account */
        packed[i] ^= 0x21;
    }
    begin();
    for (int i = 0; i < 10; i++)
        put_frame(text(2000), 2000);
    for (size_t i = 0; i < n_packed; i += 37) {
        packed[i] ^= 0x21;
        (void)check_alike(n_packed, &err);
        packed[i] ^= 0x21;
    }
}

static void frames_of_zstd_of_all_kinds_may_mix(void)
{
    static const uint8_t skippable[] = {0x5e, 0x2a, 0x4d, 0x18, 5,   0,  0,
                                        0,    'a',  'b',  'c',  'd', 'e'};

    begin();
    for (int i = 0; i < 8; i++)
        put_frame(text(100000), 100000);
    put_frame("", 0);
    put_open_frame(text(200000), 200000);
    put_packed(skippable, sizeof skippable);
    put_frame("tiny", 4);
    for (int i = 0; i < 4; i++)
        put_frame(text(200000 + (size_t)i), 200000 + (size_t)i);
    put_open_frame("", 0);
    put_packed(skippable, sizeof skippable);
    check_reads();
}

static void a_caller_may_stop_anywhere(void)
{
    struct bp_err err = {0};
    struct bp_input in;
    size_t got;

    begin();
    for (int i = 0; i < 45; i++)
        put_block(text(65280), 65280, 0);
    put_marker();
    for (size_t n = 0; n < n_plain; n += 300007) {
        NEED(bp_input_from_memory(&in, "x", packed, n_packed, &err) == 0);
        NEED(bp_codec_detect(&in, &err) == 0 && bp_input_read_ahead(&in, 3, &err) == 0);
        CHECK(bp_input_read(&in, back[0], n, &got, &err) == 0 && got == n);
        bp_input_close(&in);
    }
}

UNIT_MAIN(T(blocks_of_bgzf_are_read_in_order), T(blocks_members_markers_and_padding_may_mix),
          T(a_length_that_lies_does_no_harm), T(a_row_without_its_marker_is_cut),
          T(a_cut_anywhere_is_refused_alike), T(a_flipped_byte_is_refused_alike),
          T(frames_of_zstd_of_all_kinds_may_mix), T(a_caller_may_stop_anywhere))
