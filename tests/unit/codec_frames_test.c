/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every codec: the same claims for each, over data packed by its own library. */
#include "codec/codec.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/num.h"
#include "unit.h"

static uint8_t plain[900000], packed[1 << 21], back[2 * sizeof plain + 100000];
static size_t n_packed, n_back;

static size_t pack_gzip(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    z_stream z = {.next_in = (void *)(uintptr_t)p, .avail_in = (uInt)n};

    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_out = out;
    z.avail_out = (uInt)cap;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_zstd(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compress2(c, out, cap, p, n);
    ZSTD_freeCCtx(c);
    return n;
}

static size_t pack_lz4(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    LZ4F_preferences_t o = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};

    return LZ4F_compressFrame(out, cap, p, n, &o);
}

static size_t pack_bzip2(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    unsigned len = (unsigned)cap;

    BZ2_bzBuffToBuffCompress((char *)out, &len, (char *)(uintptr_t)p, (unsigned)n, 1, 0, 0);
    return len;
}

static size_t pack_xz(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    size_t len = 0;

    if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, p, n, out, &len, cap) != LZMA_OK)
        abort();
    return len;
}

static const struct {
    const char *name;
    size_t (*pack)(uint8_t *out, size_t cap, const uint8_t *p, size_t n);
} codecs[] = {{"gzip", pack_gzip},
              {"zstd", pack_zstd},
              {"lz4", pack_lz4},
              {"bzip2", pack_bzip2},
              {"xz", pack_xz}};

#define EACH_CODEC(i) for (size_t i = 0; i < BP_COUNT_OF(codecs); i++)

static void pack(size_t codec, const void *p, size_t n)
{
    n_packed += codecs[codec].pack(packed + n_packed, sizeof packed - n_packed, p, n);
}

/* packed[0, n) through detection, in steps; 0 or the error. */
static int unpack(size_t n, size_t step, bool ahead, struct bp_err *err)
{
    struct bp_input in;
    size_t got;
    int rc;

    n_back = 0;
    memset(err, 0, sizeof *err);
    rc = bp_input_from_memory(&in, "x", packed, n, err);
    if (rc < 0 || (rc = bp_codec_detect(&in, err)) < 0)
        return rc;
    rc = ahead ? bp_input_read_ahead(&in, 3, err) : 0;
    while (rc == 0 && n_back + step <= sizeof back &&
           (rc = bp_input_read_some(&in, back + n_back, step, &got, err)) == 0 && got)
        n_back += got;
    bp_input_close(&in);
    return rc;
}

static void fill_plain(void)
{
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof plain; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (uint8_t)('a' + (x >> 24) % 7);
    }
}

static void frames_are_read_one_after_the_other(void)
{
    struct bp_err err;

    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, "one,", 4);
        pack(i, "", 0);
        pack(i, "two", 3);
        for (size_t step = 1; step < 9; step++) {
            CHECK(unpack(n_packed, step, false, &err) == 0);
            CHECK(n_back == 7 && memcmp(back, "one,two", 7) == 0);
        }
    }
}

static void large_data_is_read_whole_with_and_without_a_thread(void)
{
    struct bp_err err;

    fill_plain();
    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, plain, sizeof plain);
        pack(i, plain, sizeof plain);
        for (int ahead = 0; ahead < 2; ahead++) {
            CHECK(unpack(n_packed, 70001, ahead, &err) == 0);
            CHECK(n_back == 2 * sizeof plain);
            CHECK(memcmp(back, plain, sizeof plain) == 0);
            CHECK(memcmp(back + sizeof plain, plain, sizeof plain) == 0);
        }
    }
}

/* Packed, as a file. */
static void write_packed(char path[200])
{
    const char *tmp = getenv("TMPDIR");
    FILE *f;
    int fd;

    snprintf(path, 200, "%s/bp-codec-XXXXXX", tmp ? tmp : "/tmp");
    fd = mkstemp(path);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f || fwrite(packed, 1, n_packed, f) != n_packed || fclose(f))
        abort();
}

static void an_input_that_rested_goes_on_where_it_was(void)
{
    struct bp_err err = {0};
    const uint8_t *head;
    struct bp_input in;
    char path[200];
    size_t got;

    fill_plain();
    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, plain, sizeof plain);
        write_packed(path);
        NEED(bp_input_open(&in, path, &err) == 0 && bp_codec_detect(&in, &err) == 0);
        for (size_t at = 0; at < sizeof plain; at += got) {
            NEED(bp_input_peek(&in, 100, &head, &got, &err) == 0);
            CHECK(memcmp(head, plain + at, got) == 0);
            bp_input_rest(&in);
            NEED(bp_input_read(&in, back, 200000, &got, &err) == 0 && got);
            CHECK(memcmp(back, plain + at, got) == 0);
            bp_input_rest(&in);
        }
        CHECK(bp_input_read(&in, back, 1, &got, &err) == 0 && !got);
        bp_input_finish(&in);
        CHECK_STR(in.name, path);
        bp_input_close(&in);
        unlink(path);
    }
}

static void a_cut_is_seen_at_every_byte(void)
{
    struct bp_err err;

    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, "some text, some more text", 25);
        for (size_t n = 6; n < n_packed; n++) {
            CHECK(unpack(n, 100, n % 2, &err) == BP_EDATA);
            CHECK(strstr(err.msg, "ends early") && strstr(err.msg, codecs[i].name));
        }
    }
}

static void a_flipped_byte_never_gives_other_data(void)
{
    struct bp_err err;

    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, "some text, some more text", 25);
        for (size_t k = 10; k < n_packed; k++) {
            packed[k] ^= 0x10;
            CHECK(unpack(n_packed, 100, k % 2, &err) == BP_EDATA ||
                  (n_back == 25 && memcmp(back, "some text, some more text", 25) == 0));
            packed[k] ^= 0x10;
        }
    }
}

static void damage_in_the_middle_is_told_with_its_offset(void)
{
    struct bp_err err;

    fill_plain();
    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, plain, sizeof plain);
        packed[n_packed / 2] ^= 0x55;
        packed[n_packed / 2 + 1] ^= 0xaa;
        CHECK(unpack(n_packed, 5000, true, &err) == BP_EDATA);
        CHECK(strncmp(err.msg, "x: compressed byte ", 19) == 0);
    }
}

static void nothing_else_may_stand_behind_the_end(void)
{
    struct bp_err err;

    EACH_CODEC(i)
    {
        n_packed = 0;
        pack(i, "abc", 3);
        packed[n_packed] = 'x';
        CHECK(unpack(n_packed + 1, 100, false, &err) == BP_EDATA);
        CHECK(strstr(err.msg, "data behind its end") != NULL);
    }
}

static void a_caller_that_stops_early_does_not_hang(void)
{
    struct bp_err err = {0};
    struct bp_input in;
    uint8_t some[10];
    size_t got;

    fill_plain();
    n_packed = 0;
    for (int k = 0; k < 3; k++)
        pack(1, plain, sizeof plain); /* more than the ring holds */
    NEED(bp_input_from_memory(&in, "x", packed, n_packed, &err) == 0);
    NEED(bp_codec_detect(&in, &err) == 0 && bp_input_read_ahead(&in, 3, &err) == 0);
    CHECK(bp_input_read(&in, some, sizeof some, &got, &err) == 0 && got == sizeof some);
    bp_input_close(&in);
    n_packed = 0;
    pack(1, plain, sizeof plain);
    NEED(bp_input_from_memory(&in, "x", packed, n_packed, &err) == 0);
    NEED(bp_codec_detect(&in, &err) == 0 && bp_input_read_ahead(&in, 3, &err) == 0);
    bp_input_close(&in);
}

UNIT_MAIN(T(frames_are_read_one_after_the_other),
          T(large_data_is_read_whole_with_and_without_a_thread),
          T(an_input_that_rested_goes_on_where_it_was), T(a_cut_is_seen_at_every_byte),
          T(a_flipped_byte_never_gives_other_data), T(damage_in_the_middle_is_told_with_its_offset),
          T(nothing_else_may_stand_behind_the_end), T(a_caller_that_stops_early_does_not_hang))
