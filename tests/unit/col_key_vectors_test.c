/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition hash against values computed from the text of bp-stage(5) by
 * another program and another XXH3 (Python's xxhash package). Whoever changes a
 * number here makes every stage on disk unreadable in parts.
 */
#include "col/key.h"

#include <stdlib.h>

#include "unit.h"

struct vector {
    const char *what;
    struct bp_type type;
    const char *mem; /* the value in memory, or the text, in hex; "x*N": N times x; NULL: null */
    const char *key; /* class byte and canonical bytes, in hex; NULL: class and mem itself */
    uint64_t hash;
    uint32_t part; /* of 64 */
};

static const struct vector vectors[] = {
    {"NULL of any type", BP_TYPE(BP_INT32), NULL, "00", UINT64_C(0xc44bdff4074eecdb), 49},
    {"boolean false", BP_TYPE(BP_BOOL), "00", "0100", UINT64_C(0xab94ac0ace7276c0), 42},
    {"boolean true", BP_TYPE(BP_BOOL), "01", "0101", UINT64_C(0x070d80d6a76865f3), 1},
    {"integer 0", BP_TYPE(BP_INT32), "00000000", "020000000000000000", UINT64_C(0x8da2b7ab8b1ee0e7),
     35},
    {"integer 7", BP_TYPE(BP_INT32), "07000000", "020700000000000000", UINT64_C(0x16276e0176956768),
     5},
    {"tinyint -1", BP_TYPE(BP_INT8), "ff", "02ffffffffffffffff", UINT64_C(0x51957c455b8e6c65), 20},
    {"smallint 300", BP_TYPE(BP_INT16), "2c01", "022c01000000000000", UINT64_C(0xe85ceaaa608ac677),
     58},
    {"utinyint 255", BP_TYPE(BP_UINT8), "ff", "02ff00000000000000", UINT64_C(0xa9ab0e0d4b4b09a5),
     42},
    {"usmallint 65535", BP_TYPE(BP_UINT16), "ffff", "02ffff000000000000",
     UINT64_C(0xda8a6af73ca7b0cf), 54},
    {"uinteger 4294967295", BP_TYPE(BP_UINT32), "ffffffff", "02ffffffff00000000",
     UINT64_C(0x0925a38ac3881b77), 2},
    {"bigint 9223372036854775807", BP_TYPE(BP_INT64), "ffffffffffffff7f", "02ffffffffffffff7f",
     UINT64_C(0xe043660fb5b7a3db), 56},
    {"bigint -9223372036854775808", BP_TYPE(BP_INT64), "0000000000000080", "020000000000000080",
     UINT64_C(0x0982fc13c6eac8cb), 2},
    {"ubigint 7", BP_TYPE(BP_UINT64), "0700000000000000", "020700000000000000",
     UINT64_C(0x16276e0176956768), 5},
    {"ubigint 9223372036854775808", BP_TYPE(BP_UINT64), "0000000000000080",
     "02000000000000008000000000000000000000", UINT64_C(0x9f5767d53e659ff0), 39},
    {"ubigint 18446744073709551615", BP_TYPE(BP_UINT64), "ffffffffffffffff",
     "02ffffffffffffffff00000000000000000000", UINT64_C(0xf2a0b209c397ece4), 60},
    {"decimal(10,2) 7.00", BP_TYPE_DECIMAL(10, 2), "bc020000000000000000000000000000",
     "020700000000000000", UINT64_C(0x16276e0176956768), 5},
    {"decimal(10,2) 0.00", BP_TYPE_DECIMAL(10, 2), "00000000000000000000000000000000",
     "020000000000000000", UINT64_C(0x8da2b7ab8b1ee0e7), 35},
    {"decimal(10,2) 12.50", BP_TYPE_DECIMAL(10, 2), "e2040000000000000000000000000000",
     "027d0000000000000000000000000000000100", UINT64_C(0x9daa022805347a26), 39},
    {"decimal(10,2) -0.05", BP_TYPE_DECIMAL(10, 2), "fbffffffffffffffffffffffffffffff",
     "02050000000000000000000000000000000201", UINT64_C(0x63ba0359038de5a3), 24},
    {"decimal(10,0) 100", BP_TYPE_DECIMAL(10, 0), "64000000000000000000000000000000",
     "026400000000000000", UINT64_C(0x76ef0f6bdf059107), 29},
    {"decimal(10,2) 100.00", BP_TYPE_DECIMAL(10, 2), "10270000000000000000000000000000",
     "026400000000000000", UINT64_C(0x76ef0f6bdf059107), 29},
    {"decimal(38,0) 9223372036854775807", BP_TYPE_DECIMAL(38, 0),
     "ffffffffffffff7f0000000000000000", "02ffffffffffffff7f", UINT64_C(0xe043660fb5b7a3db), 56},
    {"decimal(38,0) -9223372036854775808", BP_TYPE_DECIMAL(38, 0),
     "0000000000000080ffffffffffffffff", "020000000000000080", UINT64_C(0x0982fc13c6eac8cb), 2},
    {"decimal(38,0) -9223372036854775809", BP_TYPE_DECIMAL(38, 0),
     "ffffffffffffff7fffffffffffffffff", "02010000000000008000000000000000000001",
     UINT64_C(0xf8a4ebec60f8e6d9), 62},
    {"decimal(38,0) 10000000000000000000000000000000000000", BP_TYPE_DECIMAL(38, 0),
     "00000000a036f400d946dad510ee8507", "0200000000a036f400d946dad510ee85070000",
     UINT64_C(0x16d5afda4cb77505), 5},
    {"decimal(38,2) 9223372036854775808.00", BP_TYPE_DECIMAL(38, 2),
     "00000000000000003200000000000000", "02000000000000008000000000000000000000",
     UINT64_C(0x9f5767d53e659ff0), 39},
    {"decimal(38,38) 0.00000000000000000000000000000000000001", BP_TYPE_DECIMAL(38, 38),
     "01000000000000000000000000000000", "02010000000000000000000000000000002600",
     UINT64_C(0x51dbb2c86244bca3), 20},
    {"decimal(38,0) -99999999999999999999999999999999999999", BP_TYPE_DECIMAL(38, 0),
     "01000000c0dd75f6853b79a557b3c4b4", "02ffffffff3f228a097ac4865aa84c3b4b0001",
     UINT64_C(0x66cf70efb284ad1a), 25},
    {"double precision 0", BP_TYPE(BP_FLOAT64), "0000000000000000", "030000000000000000",
     UINT64_C(0xd1d30c5e8136b99d), 52},
    {"double precision -0", BP_TYPE(BP_FLOAT64), "0000000000000080", "030000000000000000",
     UINT64_C(0xd1d30c5e8136b99d), 52},
    {"double precision 1.5", BP_TYPE(BP_FLOAT64), "000000000000f83f", "03000000000000f83f",
     UINT64_C(0x58bdc64af8b48dc4), 22},
    {"double precision -1.5", BP_TYPE(BP_FLOAT64), "000000000000f8bf", "03000000000000f8bf",
     UINT64_C(0x20af764ecde83e31), 8},
    {"double precision 0.1", BP_TYPE(BP_FLOAT64), "9a9999999999b93f", "039a9999999999b93f",
     UINT64_C(0x0b8c2a00718b4e40), 2},
    {"double precision Infinity", BP_TYPE(BP_FLOAT64), "000000000000f07f", "03000000000000f07f",
     UINT64_C(0x093a1475c7167590), 2},
    {"double precision -Infinity", BP_TYPE(BP_FLOAT64), "000000000000f0ff", "03000000000000f0ff",
     UINT64_C(0xed9f0fac49ac7526), 59},
    {"double precision NaN", BP_TYPE(BP_FLOAT64), "000000000000f87f", "03000000000000f87f",
     UINT64_C(0xa849877be0234960), 42},
    {"double precision NaN, negative, with a payload", BP_TYPE(BP_FLOAT64), "010000000000f8ff",
     "03000000000000f87f", UINT64_C(0xa849877be0234960), 42},
    {"real 1.5", BP_TYPE(BP_FLOAT32), "0000c03f", "03000000000000f83f",
     UINT64_C(0x58bdc64af8b48dc4), 22},
    {"real 0.1", BP_TYPE(BP_FLOAT32), "cdcccc3d", "03000000a09999b93f",
     UINT64_C(0x6e90e985aa35fc51), 27},
    {"real -0", BP_TYPE(BP_FLOAT32), "00000080", "030000000000000000", UINT64_C(0xd1d30c5e8136b99d),
     52},
    {"real NaN", BP_TYPE(BP_FLOAT32), "0000c0ff", "03000000000000f87f",
     UINT64_C(0xa849877be0234960), 42},
    {"text ''", BP_TYPE(BP_TEXT), "", NULL, UINT64_C(0x73b2284b32bf8672), 28},
    {"text 'a'", BP_TYPE(BP_TEXT), "61", NULL, UINT64_C(0x3eb4ed13b8772a74), 15},
    {"text 'HV0003'", BP_TYPE(BP_TEXT), "485630303033", NULL, UINT64_C(0xdce5adea75c99832), 55},
    {"text 'Z\303\274rich'", BP_TYPE(BP_TEXT), "5ac3bc72696368", NULL, UINT64_C(0x04aa83377664da2f),
     1},
    {"text, 239 times x", BP_TYPE(BP_TEXT), "x*239", NULL, UINT64_C(0xf6a379d4f0fdb1cf), 61},
    {"text, 240 times x", BP_TYPE(BP_TEXT), "x*240", NULL, UINT64_C(0xd77da2dc052c3f5c), 53},
    {"text, 241 times x", BP_TYPE(BP_TEXT), "x*241", NULL, UINT64_C(0x30badffa35219d8b), 12},
    {"text, 254 times x", BP_TYPE(BP_TEXT), "x*254", NULL, UINT64_C(0x61e74e033b3b99c7), 24},
    {"text, 255 times x", BP_TYPE(BP_TEXT), "x*255", NULL, UINT64_C(0xe15d56eee4d29598), 56},
    {"text, 256 times x", BP_TYPE(BP_TEXT), "x*256", NULL, UINT64_C(0xba25f7fb8e6f7c45), 46},
    {"text, 1000 times x", BP_TYPE(BP_TEXT), "x*1000", NULL, UINT64_C(0xa9a8627a5535e907), 42},
    {"bytea, empty", BP_TYPE(BP_BINARY), "", NULL, UINT64_C(0x929e358d27ae3ee2), 36},
    {"bytea \\x00ff", BP_TYPE(BP_BINARY), "00ff", NULL, UINT64_C(0xe7cc0480999b2217), 57},
    {"date 1970-01-01", BP_TYPE(BP_DATE), "00000000", "0600000000", UINT64_C(0x8c82f6a56b02575f),
     35},
    {"date 2020-01-01", BP_TYPE(BP_DATE), "56470000", "0656470000", UINT64_C(0xf27910fc242b1320),
     60},
    {"date 1969-12-31", BP_TYPE(BP_DATE), "ffffffff", "06ffffffff", UINT64_C(0x632d791f9748ba90),
     24},
    {"time 12:34:56.789, time(3)", BP_TYPE_UNIT(BP_TIME, BP_MILLI), "952cb30200000000",
     "07408f047b32290000", UINT64_C(0xb0c7d18c2718ef1a), 44},
    {"time 12:34:56.789", BP_TYPE_UNIT(BP_TIME, BP_MICRO), "0826e68b0a000000", "07408f047b32290000",
     UINT64_C(0xb0c7d18c2718ef1a), 44},
    {"time 12:34:56.789, time(9)", BP_TYPE_UNIT(BP_TIME, BP_NANO), "408f047b32290000",
     "07408f047b32290000", UINT64_C(0xb0c7d18c2718ef1a), 44},
    {"time 00:00:01, time(0)", BP_TYPE_UNIT(BP_TIME, BP_SECOND), "0100000000000000",
     "0700ca9a3b00000000", UINT64_C(0x1d573da255572a1f), 7},
    {"timestamp 2020-01-01 00:00:00", BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO), "0040fac1089b0500",
     "0800e10b5e0000000000000000", UINT64_C(0xc165113982da7082), 48},
    {"timestamp 2020-01-01 00:00:00, (0)", BP_TYPE_UNIT(BP_TIMESTAMP, BP_SECOND),
     "00e10b5e00000000", "0800e10b5e0000000000000000", UINT64_C(0xc165113982da7082), 48},
    {"timestamp 2020-01-01 00:00:00.25, (3)", BP_TYPE_UNIT(BP_TIMESTAMP, BP_MILLI),
     "fae8665e6f010000", "0800e10b5e0000000080b2e60e", UINT64_C(0xb40e0fe84b457d3e), 45},
    {"timestamp 1969-12-31 23:59:59.999999999, (9)", BP_TYPE_UNIT(BP_TIMESTAMP, BP_NANO),
     "ffffffffffffffff", "08ffffffffffffffffffc99a3b", UINT64_C(0x451a40f6fcb10647), 17},
    {"timestamp 1969-12-31 23:59:59.999999", BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO),
     "ffffffffffffffff", "08ffffffffffffffff18c69a3b", UINT64_C(0x2cd1a17896c9ed33), 11},
    {"timestamptz 2020-01-01 00:00:00+00", BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_MICRO),
     "0040fac1089b0500", "0900e10b5e0000000000000000", UINT64_C(0x662cd6cac2fab128), 25},
    {"timestamptz 2020-01-01 00:00:00+00, (0)", BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_SECOND),
     "00e10b5e00000000", "0900e10b5e0000000000000000", UINT64_C(0x662cd6cac2fab128), 25},
    {"timestamptz 2020-01-01 00:00:00.25+00, (3)", BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_MILLI),
     "fae8665e6f010000", "0900e10b5e0000000080b2e60e", UINT64_C(0xc36e6e5996bc735f), 48},
    {"timestamptz 1969-12-31 23:59:59.999999999+00, (9)", BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_NANO),
     "ffffffffffffffff", "09ffffffffffffffffffc99a3b", UINT64_C(0x53b27fecb9c2b812), 20},
    {"timestamptz 1969-12-31 23:59:59.999999+00", BP_TYPE_UNIT(BP_TIMESTAMPTZ, BP_MICRO),
     "ffffffffffffffff", "09ffffffffffffffff18c69a3b", UINT64_C(0xdf0da38883235ccf), 55},
    {"interval 0", BP_TYPE(BP_INTERVAL), "00000000000000000000000000000000",
     "0a00000000000000000000000000000000", UINT64_C(0xfc2956b2536b0f8b), 63},
    {"interval 1 month -2 days 3 ns", BP_TYPE(BP_INTERVAL), "01000000feffffff0300000000000000",
     "0a01000000feffffff0300000000000000", UINT64_C(0xb46e77db7eeec33f), 45},
};

static struct bp_err err;

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    unsigned v;

    if (strncmp(hex, "x*", 2) == 0) {
        n = (size_t)atoi(hex + 2);
        memset(out, 'x', n);
        return n;
    }
    for (; hex[0] && hex[1]; hex += 2) {
        CHECK(sscanf(hex, "%2x", &v) == 1);
        out[n++] = (uint8_t)v;
    }
    return n;
}

/* Three rows: null, the value, null; so the value does not stand at row 0. */
static void make_column(const struct vector *v, bool nulls, struct bp_column *out)
{
    uint8_t mem[2048] = {0};
    size_t n = v->mem ? unhex(v->mem, mem) : 0;
    struct bp_builder b;

    bp_err_clear(&err);
    bp_builder_init(&b, v->type);
    for (int i = 0; i < 3; i++) {
        if (!v->mem || (nulls && i != 1))
            CHECK(bp_builder_add_null(&b, &err) == 0);
        else if (bp_type_is_bytes(v->type))
            CHECK(bp_builder_add_bytes(&b, mem, n, &err) == 0);
        else
            CHECK(bp_builder_add(&b, mem, &err) == 0);
    }
    CHECK(bp_builder_finish(&b, out, &err) == 0);
}

static void every_type_has_the_documented_hash_and_partition(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(vectors); i++) {
        const struct vector *v = &vectors[i];

        for (int nulls = 0; nulls < 2; nulls++) {
            const struct bp_column *cols[1];
            struct bp_column c;
            uint64_t got[3] = {0};
            int before = unit_failed;

            make_column(v, nulls, &c);
            cols[0] = &c;
            CHECK(bp_key_hash(cols, 1, 3, got, &err) == 0);
            CHECK(got[1] == v->hash);
            CHECK(bp_key_part(got[1], 64) == v->part);
            if (nulls)
                CHECK(got[0] == vectors[0].hash && got[2] == vectors[0].hash);
            else
                CHECK(got[0] == v->hash && got[2] == v->hash);
            if (unit_failed > before)
                printf("# %s: got %016llx\n", v->what, (unsigned long long)got[1]);
            bp_column_release(&c);
        }
    }
}

static void canonical_bytes_are_as_documented(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(vectors); i++) {
        const struct vector *v = &vectors[i];
        uint8_t want[64], got[BP_KEY_BYTES_MAX];
        struct bp_column c;
        size_t n;

        if (!v->key)
            continue;
        make_column(v, true, &c);
        n = unhex(v->key, want);
        CHECK(n <= BP_KEY_BYTES_MAX);
        CHECK(bp_key_bytes(&c, 1, got) == n);
        CHECK(memcmp(got, want, n) == 0);
        bp_column_release(&c);
    }
}

static const struct vector *find(const char *what)
{
    for (size_t i = 0; i < BP_COUNT_OF(vectors); i++)
        if (strcmp(vectors[i].what, what) == 0)
            return &vectors[i];
    CHECK(what == NULL); /* there is no such vector */
    return vectors;
}

static void check_row(const char *const *what, int n, uint64_t want)
{
    const struct bp_column *ptrs[3];
    struct bp_column cols[3];
    uint64_t got[3];

    for (int i = 0; i < n; i++) {
        make_column(find(what[i]), true, &cols[i]);
        ptrs[i] = &cols[i];
    }
    CHECK(bp_key_hash(ptrs, n, 3, got, &err) == 0);
    CHECK(got[1] == want);
    for (int i = 0; i < n; i++)
        bp_column_release(&cols[i]);
}

static void several_columns_hash_their_hashes(void)
{
    check_row((const char *[]){"integer 7", "text 'a'"}, 2, UINT64_C(0xe728272b5a6fb974));
    check_row((const char *[]){"text 'a'", "integer 7"}, 2, UINT64_C(0x3ec715193559824b));
    check_row((const char *[]){"NULL of any type", "NULL of any type"}, 2,
              UINT64_C(0x3f532d9886b47d72));
}

static void no_columns_are_one_group_in_partition_0(void)
{
    uint64_t got[2] = {1, 1};

    bp_err_clear(&err);
    CHECK(bp_key_hash(NULL, 0, 2, got, &err) == 0);
    CHECK(got[0] == 0 && got[1] == 0 && bp_key_part(got[0], 64) == 0);
}

static void a_dictionary_hashes_as_its_values(void)
{
    struct bp_builder b;
    struct bp_column values, codes = {0};
    const struct bp_column *cols[] = {&codes};
    int32_t code[] = {1, 0, 0, 1};
    uint8_t valid = 0x0d; /* row 1 is null */
    uint64_t got[4];

    bp_err_clear(&err);
    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    CHECK(bp_builder_add_bytes(&b, "a", 1, &err) == 0);
    CHECK(bp_builder_add_bytes(&b, "HV0003", 6, &err) == 0);
    CHECK(bp_builder_finish(&b, &values, &err) == 0);
    codes = (struct bp_column){
        .type = BP_TYPE(BP_TEXT), .n_rows = 4, .n_nulls = 1, .valid = &valid, .data = code};
    CHECK(bp_dict_new(&codes.dict, &values, &err) == 0);
    CHECK(bp_key_hash(cols, 1, 4, got, &err) == 0);
    CHECK(got[0] == find("text 'HV0003'")->hash && got[3] == got[0]);
    CHECK(got[1] == vectors[0].hash);
    CHECK(got[2] == find("text 'a'")->hash);
    bp_dict_unref(codes.dict);
}

static void partitions_nest_and_follow_the_hash(void)
{
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15), last = 0;

    CHECK(bp_key_part(0, 1) == 0 && bp_key_part(UINT64_MAX, 1) == 0);
    CHECK(bp_key_part(UINT64_MAX, 65536) == 65535 && bp_key_part(UINT64_MAX, 7) == 6);
    for (int i = 0; i < 10000; i++) {
        CHECK(bp_key_part(h, 1024) / 128 == bp_key_part(h, 8));
        CHECK(bp_key_part(h, 21) / 3 == bp_key_part(h, 7));
        CHECK(last > h || bp_key_part(last, 1000) <= bp_key_part(h, 1000));
        last = h;
        h = h * UINT64_C(6364136223846793005) + 1442695040888963407u;
    }
}

UNIT_MAIN(T(every_type_has_the_documented_hash_and_partition), T(canonical_bytes_are_as_documented),
          T(several_columns_hash_their_hashes), T(no_columns_are_one_group_in_partition_0),
          T(a_dictionary_hashes_as_its_values), T(partitions_nest_and_follow_the_hash))
