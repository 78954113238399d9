/* SPDX-License-Identifier: Apache-2.0 */
/* Text of columns' rows, bytea, UTF-8 (text.h). */
#include "col/text.h"
#include "unit.h"

static void append(const struct bp_column *c, int64_t row, const char *want)
{
    struct bp_buf out = {0};
    struct bp_err err = {0};

    CHECK(bp_buf_puts(&out, "<", &err) == 0);
    CHECK(bp_text_append(c, row, &out, &err) == 0);
    CHECK(bp_buf_puts(&out, ">", &err) == 0);
    CHECK_STR(bp_buf_str(&out, &err), want);
    bp_buf_release(&out);
}

static void rows_of_columns_are_appended(void)
{
    static const int32_t offsets[] = {2, 5, 5};
    static const uint8_t bits[] = {0x02};
    static const int16_t numbers[] = {-1, 300};
    static const int64_t decimals[] = {5, -12345};
    _Alignas(16) static const bp_int128 wide[] = {(bp_int128)1 << 64, -12345};
    struct bp_column c = {.type = BP_TYPE(BP_TEXT),
                          .n_rows = 2,
                          .data = offsets,
                          .bytes = (const uint8_t *)"xxa,\xFFyy"};

    append(&c, 0, "<a,\xFF>");
    append(&c, 1, "<>");
    c.type = BP_TYPE(BP_BINARY);
    append(&c, 0, "<\\x612cff>");
    append(&c, 1, "<\\x>");
    c = (struct bp_column){.type = BP_TYPE(BP_BOOL), .n_rows = 2, .data = bits};
    append(&c, 0, "<false>");
    append(&c, 1, "<true>");
    c = (struct bp_column){.type = BP_TYPE(BP_INT16), .n_rows = 2, .data = numbers};
    append(&c, 0, "<-1>");
    append(&c, 1, "<300>");
    c = (struct bp_column){.type = BP_TYPE_DECIMAL(10, 2), .n_rows = 2, .data = decimals};
    append(&c, 0, "<0.05>");
    append(&c, 1, "<-123.45>");
    c = (struct bp_column){.type = BP_TYPE_DECIMAL(38, 2), .n_rows = 2, .data = wide};
    append(&c, 0, "<184467440737095516.16>");
    append(&c, 1, "<-123.45>");
}

static const struct {
    const char *text;
    int status;
    size_t n;
    const char *bytes;
} binaries[] = {
    {"\\x", BP_TEXT_OK, 0, ""},
    {"\\x00fFAb", BP_TEXT_OK, 3, "\x00\xFF\xAB"},
    {"\\x 01 02\n", BP_TEXT_OK, 2, "\x01\x02"},
    {"\\x0", BP_TEXT_BAD, 0, ""},
    {"\\x0 1", BP_TEXT_BAD, 0, ""},
    {"\\x0g", BP_TEXT_BAD, 0, ""},
    {"", BP_TEXT_OK, 0, ""},
    {"abc", BP_TEXT_OK, 3, "abc"},
    {"a\\\\b\\001\\377", BP_TEXT_OK, 5, "a\\b\x01\xFF"},
    {"a\\", BP_TEXT_BAD, 0, ""},
    {"\\400", BP_TEXT_BAD, 0, ""},
    {"\\08", BP_TEXT_BAD, 0, ""},
};

static void bytea_is_read_in_both_of_its_forms(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(binaries); i++) {
        uint8_t out[64];
        size_t n = 0;

        CHECK(bp_parse_binary(binaries[i].text, strlen(binaries[i].text), out, &n) ==
              binaries[i].status);
        CHECK(n == binaries[i].n && memcmp(out, binaries[i].bytes, n) == 0);
    }
}

static const struct {
    const char *text;
    size_t n, bad_at; /* bad_at == n: it is UTF-8 */
} texts[] = {
    {"", 0, 0},
    {"abc", 3, 3},
    {"\0x", 2, 2},
    {"\xC2\x80", 2, 2},
    {"\xDF\xBF", 2, 2},
    {"\xE0\xA0\x80", 3, 3},
    {"\xED\x9F\xBF", 3, 3},
    {"\xEE\x80\x80\xEF\xBF\xBF", 6, 6},
    {"\xF0\x90\x80\x80", 4, 4},
    {"\xF4\x8F\xBF\xBF", 4, 4},
    {"a\x80", 2, 1},    /* a continuation alone */
    {"\xC0\xAF", 2, 0}, /* overlong */
    {"\xC1\xBF", 2, 0},
    {"\xE0\x9F\xBF", 3, 0},
    {"\xF0\x8F\xBF\xBF", 4, 0},
    {"\xED\xA0\x80", 3, 0},     /* a surrogate */
    {"\xF4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
    {"\xF5\x80\x80\x80", 4, 0},
    {"\xFF", 1, 0},
    {"ab\xC3", 3, 2}, /* cut off */
    {"ab\xE2\x82", 4, 2},
    {"ab\xF0\x9F\x98", 5, 2},
    {"\xC3\x28", 2, 0}, /* no continuation */
    {"\xE2\x28\xA1", 3, 0},
    {"\xE2\x82\x28", 3, 0},
    {"\xF0\x9F\x98\x28", 4, 0},
};

static void utf8_is_what_rfc_3629_says(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(texts); i++)
        /* at every place against the wide steps */
        for (size_t before = 0; before < 300; before++)
            for (size_t after = 0; after < 40; after += 13) {
                char text[400];
                size_t bad_at = 999, n = before + texts[i].n + after;
                bool good;

                memset(text, 'x', n);
                memcpy(text + before, texts[i].text, texts[i].n);
                good = bp_utf8_check((const uint8_t *)text, n, &bad_at);
                CHECK(good == (texts[i].bad_at == texts[i].n));
                CHECK(good || bad_at == before + texts[i].bad_at);
            }
}

/* Short texts are read character by character, long ones many bytes at a time. */
static void utf8_within_long_text_is_the_same(void)
{
    static const uint8_t ends[] = {'x', 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE1, 0xF1};
    /* in one step of 128, across its parts and across two, behind the last, at the end */
    static const size_t places[] = {29, 62, 126, 254, 258, 288};
    uint8_t text[294];
    size_t bad_at;
    int wrong = 0;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? 0xA9 : 0xC3;
    for (size_t k = 0; k < BP_COUNT_OF(places); k++)
        for (uint32_t two = 0; two < 0x8000; two++)
            for (size_t rest = 0; rest < BP_COUNT_OF(ends) * BP_COUNT_OF(ends); rest++) {
                const uint8_t four[] = {(uint8_t)(two >> 8 | 0x80), (uint8_t)two,
                                        ends[rest / BP_COUNT_OF(ends)],
                                        ends[rest % BP_COUNT_OF(ends)]};
                uint8_t *at = text + places[k] / 2 * 2;
                bool good = bp_utf8_check(four, sizeof four, &bad_at);

                memcpy(at, four, sizeof four);
                wrong += good != bp_utf8_check(text, sizeof text, &bad_at);
                memcpy(at, "\xC3\xA9\xC3\xA9", sizeof four);
            }
    CHECK(wrong == 0);
}

UNIT_MAIN(T(rows_of_columns_are_appended), T(bytea_is_read_in_both_of_its_forms),
          T(utf8_is_what_rfc_3629_says), T(utf8_within_long_text_is_the_same))
