/* SPDX-License-Identifier: Apache-2.0 */
/* The encodings by hand-made bytes, the specification's examples among them. */
#include <string.h>

#include "fmt/parquet/delta.h"
#include "fmt/parquet/hybrid.h"
#include "fmt/parquet/thrift.h"
#include "unit.h"

#define PAD 64

static void codes_are_runs_and_packed_groups(void)
{
    /* the specification's example: 0 to 7 in three bits; then 5 times the value 4 */
    uint8_t in[PAD + 8] = {0x03, 0x88, 0xc6, 0xfa, 0x0a, 0x04};
    struct bp_err err = {0};
    int32_t out[13];

    NEED(bp_pq_hybrid_codes(in, 6, 3, 8, out, 13, &err) == 0);
    for (int i = 0; i < 13; i++)
        CHECK(out[i] == (i < 8 ? i : 4));
    CHECK(bp_pq_hybrid_codes(in, 6, 3, 7, out, 13, &err) < 0);
    CHECK(strstr(err.msg, "code 7"));
    CHECK(bp_pq_hybrid_codes(in, 5, 3, 8, out, 13, &err) < 0);
    CHECK(bp_pq_hybrid_codes(in, 3, 3, 8, out, 8, &err) < 0);
    CHECK(bp_pq_hybrid_codes(in, 6, 33, 8, out, 8, &err) < 0);
}

static void bits_are_runs_too(void)
{
    /* 3 ones; then a group of 8: 1, 0, 1, 1, 0, 0, 0, 0 */
    uint8_t in[PAD + 8] = {0x06, 0x01, 0x03, 0x0d}, out[4] = {0}, two[PAD] = {0x06, 0x02};
    struct bp_err err = {0};
    int64_t n_set;

    NEED(bp_pq_hybrid_bits(in, 4, out, 5, 11, &n_set, &err) == 0);
    CHECK(n_set == 6);
    CHECK(out[0] == 0xe0 && out[1] == 0x0d);
    CHECK(bp_pq_hybrid_bits(in, 4, out, 0, 12, &n_set, &err) < 0);
    CHECK(bp_pq_hybrid_bits(two, 2, out, 0, 3, &n_set, &err) < 0);
    in[0] = 0x05; /* the older form, most significant bit first */
    NEED(bp_pq_packed_bits(in, 1, out, 8, &n_set, &err) == 0);
    CHECK(n_set == 2 && out[0] == 0xa0);
    CHECK(bp_pq_packed_bits(in, 1, out, 9, &n_set, &err) < 0);
}

static void values_of_any_width_are_unpacked(void)
{
    uint8_t in[PAD + 128] = {0};
    uint64_t out[8], v;

    for (int width = 1; width <= 64; width++) {
        memset(in, 0, sizeof in);
        for (int i = 0; i < 8; i++) {
            v = 0x9e3779b97f4a7c15u * (unsigned)(i + width);
            for (int b = 0; b < width; b++)
                if (v >> b & 1)
                    in[(i * width + b) / 8] |= (uint8_t)(1u << (i * width + b) % 8);
        }
        bp_pq_unpack_bits(in, width, out, 8);
        for (int i = 0; i < 8; i++) {
            v = 0x9e3779b97f4a7c15u * (unsigned)(i + width);
            CHECK(out[i] == (width == 64 ? v : v & (((uint64_t)1 << width) - 1)));
        }
    }
}

static void deltas_wrap_and_are_counted(void)
{
    /* the specification's second example: 7, 5, 3, 1, 2, 3, 4, 5, one block of 128 in 4 */
    uint8_t in[PAD + 32] = {0x80, 0x01, 0x04, 0x08, 0x0e, 0x03, 0x02, 0x00, 0x00, 0x00, 0xc0, 0x3f};
    static const int32_t want[] = {7, 5, 3, 1, 2, 3, 4, 5};
    struct bp_err err = {0};
    int32_t out[8];
    size_t used;

    NEED(bp_pq_delta_ints(in, 18, 4, out, 8, &used, &err) == 0);
    CHECK(used == 18);
    CHECK(memcmp(out, want, sizeof want) == 0);
    CHECK(bp_pq_delta_ints(in, 18, 4, out, 7, &used, &err) < 0);
    CHECK(bp_pq_delta_ints(in, 10, 4, out, 8, &used, &err) < 0);
    in[2] = 0;
    CHECK(bp_pq_delta_ints(in, 18, 4, out, 8, &used, &err) < 0);
}

static void thrift_reads_what_it_wrote(void)
{
    struct bp_buf b = {0};
    struct bp_err err = {0};
    struct bp_thrift_out w;
    struct bp_thrift t;
    struct bp_thrift_fields f = {0}, g = {0};
    const uint8_t *p;
    size_t n;
    int element;

    bp_thrift_out_init(&w, &b);
    bp_thrift_put_i32(&w, 1, -5);
    bp_thrift_put_string(&w, 40, "name");
    bp_thrift_open_list(&w, 41, BP_THRIFT_STRUCT, 2);
    for (int i = 0; i < 2; i++) {
        bp_thrift_open_element(&w);
        bp_thrift_put_bool(&w, 3, i);
        bp_thrift_close_struct(&w);
    }
    bp_thrift_put_i64(&w, 42, INT64_MIN);
    NEED(bp_thrift_finish(&w, &err) == 0);

    t = (struct bp_thrift){.p = b.data, .end = b.data + b.len};
    NEED(bp_thrift_next(&t, &f) && f.id == 1);
    CHECK(bp_thrift_int(&t, f.type) == -5);
    NEED(bp_thrift_next(&t, &f) && f.id == 40);
    p = bp_thrift_bytes(&t, f.type, &n);
    CHECK(n == 4 && memcmp(p, "name", 4) == 0);
    NEED(bp_thrift_next(&t, &f) && f.id == 41);
    CHECK(bp_thrift_list(&t, f.type, &element) == 2 && element == BP_THRIFT_STRUCT);
    for (int i = 0; i < 2; i++) {
        g = (struct bp_thrift_fields){0};
        NEED(bp_thrift_next(&t, &g) && g.id == 3);
        CHECK(bp_thrift_int(&t, g.type) == i);
        CHECK(!bp_thrift_next(&t, &g));
    }
    NEED(bp_thrift_next(&t, &f) && f.id == 42);
    CHECK(bp_thrift_int(&t, f.type) == INT64_MIN);
    CHECK(!bp_thrift_next(&t, &f) && !t.bad && t.p == t.end);

    for (size_t cut = 0; cut < b.len; cut++) { /* cut anywhere: bad, not beyond */
        t = (struct bp_thrift){.p = b.data, .end = b.data + cut};
        f = (struct bp_thrift_fields){0};
        while (bp_thrift_next(&t, &f))
            bp_thrift_skip(&t, f.type);
        CHECK(t.bad);
    }
    bp_buf_release(&b);
}

UNIT_MAIN(T(codes_are_runs_and_packed_groups), T(bits_are_runs_too),
          T(values_of_any_width_are_unpacked), T(deltas_wrap_and_are_counted),
          T(thrift_reads_what_it_wrote))
