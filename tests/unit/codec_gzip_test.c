/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "unit.h"

static uint8_t packed[1 << 20], plain[1 << 21], back[1 << 21];
static size_t n_packed, n_back;

/* One gzip member over p[0, n), behind what packed holds. */
static void pack(const void *p, size_t n)
{
    z_stream z = {0};

    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (void *)(uintptr_t)p;
    z.avail_in = (uInt)n;
    z.next_out = packed + n_packed;
    z.avail_out = (uInt)(sizeof packed - n_packed);
    deflate(&z, Z_FINISH);
    n_packed += z.total_out;
    deflateEnd(&z);
}

/* packed[0, n) through detection, in steps; 0 or the error. */
static int unpack(size_t n, size_t step, struct bp_err *err)
{
    struct bp_input in;
    size_t got;
    int rc;

    n_back = 0;
    rc = bp_input_from_memory(&in, "x.gz", packed, n, err);
    if (rc < 0 || (rc = bp_codec_detect(&in, err)) < 0)
        return rc;
    while ((rc = bp_input_read_some(&in, back + n_back, step, &got, err)) == 0 && got)
        n_back += got;
    bp_input_close(&in);
    return rc;
}

static void members_are_read_one_after_the_other(void)
{
    struct bp_err err = {0};

    n_packed = 0;
    pack("one,", 4);
    pack("", 0);
    pack("two", 3);
    for (size_t step = 1; step < 9; step++) {
        CHECK(unpack(n_packed, step, &err) == 0);
        CHECK(n_back == 7 && memcmp(back, "one,two", 7) == 0);
    }
}

static void large_data_is_read_whole(void)
{
    struct bp_err err = {0};

    for (size_t i = 0; i < 1500000; i++)
        plain[i] = (uint8_t)(i * i >> 7);
    n_packed = 0;
    pack(plain, 1500000);
    CHECK(unpack(n_packed, 100000, &err) == 0);
    CHECK(n_back == 1500000 && memcmp(back, plain, n_back) == 0);
}

static void a_cut_is_seen_at_every_byte(void)
{
    n_packed = 0;
    pack("some text, some more text", 25);
    for (size_t n = 2; n < n_packed; n++) {
        struct bp_err err = {0};

        CHECK(unpack(n, 100, &err) == BP_EDATA);
        CHECK(strstr(err.msg, "ends early") != NULL);
    }
}

static void a_flipped_byte_never_gives_other_data(void)
{
    n_packed = 0;
    pack("some text, some more text", 25);
    for (size_t i = 10; i < n_packed; i++) {
        struct bp_err err = {0};

        packed[i] ^= 0x10;
        CHECK(unpack(n_packed, 100, &err) == BP_EDATA);
        packed[i] ^= 0x10;
    }
}

static void damage_is_named_with_file_and_compressed_offset(void)
{
    struct bp_err err = {0};

    n_packed = 0;
    pack("abc", 3);
    packed[n_packed - 6] ^= 1; /* the checksum */
    CHECK(unpack(n_packed, 100, &err) == BP_EDATA);
    CHECK(strncmp(err.msg, "x.gz: compressed byte ", 22) == 0);
    CHECK(strstr(err.msg, "incorrect data check") != NULL);
}

static void only_zeros_may_stand_behind_the_end(void)
{
    struct bp_err err = {0};

    n_packed = 0;
    pack("abc", 3);
    memset(packed + n_packed, 0, 600);
    CHECK(unpack(n_packed + 600, 100, &err) == 0 && n_back == 3);
    packed[n_packed + 600] = 'x';
    CHECK(unpack(n_packed + 601, 100, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "not gzip data behind its end") != NULL);
}

static void other_data_is_left_alone(void)
{
    struct bp_err err = {0};

    memcpy(packed, "a,b\n1,2\n", 8);
    CHECK(unpack(8, 100, &err) == 0 && n_back == 8 && memcmp(back, "a,b\n1,2\n", 8) == 0);
    CHECK(unpack(0, 100, &err) == 0 && n_back == 0);
}

UNIT_MAIN(T(members_are_read_one_after_the_other), T(large_data_is_read_whole),
          T(a_cut_is_seen_at_every_byte), T(a_flipped_byte_never_gives_other_data),
          T(damage_is_named_with_file_and_compressed_offset),
          T(only_zeros_may_stand_behind_the_end), T(other_data_is_left_alone))
