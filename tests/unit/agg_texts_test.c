/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts to numbers and back: of each length about the one that stands in an entry, alike but
 * for one byte, with zeros in them, NULL, in plain columns and in dictionaries.
 */
#include <string.h>

#include "agg/texts.h"
#include "unit.h"

#define LEN_MAX 40
#define PER_LEN (LEN_MAX * 3 + 1)
#define TEXTS (1 + LEN_MAX * PER_LEN)

static struct bp_err err;
static uint8_t bytes[TEXTS * LEN_MAX];
static int32_t off[TEXTS + 1];
static int n_texts;

static void add(const uint8_t *p, int n)
{
    memcpy(bytes + off[n_texts], p, (size_t)n);
    off[n_texts + 1] = off[n_texts] + n;
    n_texts++;
}

/* No two are equal: all 'a', and each place with each of three other bytes. */
static void make_texts(void)
{
    static const uint8_t others[3] = {'b', 0, 0xff};
    uint8_t text[LEN_MAX] = {0};

    n_texts = 0;
    add(text, 0);
    for (int n = 1; n <= LEN_MAX; n++) {
        memset(text, 'a', sizeof text);
        add(text, n);
        for (int at = 0; at < n; at++) {
            for (int k = 0; k < 3; k++) {
                text[at] = others[k];
                add(text, n);
            }
            text[at] = 'a';
        }
    }
}

static struct bp_column plain(void)
{
    return (struct bp_column){
        .type = {.kind = BP_TEXT}, .n_rows = n_texts, .data = off, .bytes = bytes};
}

static void find(struct bp_texts *t, const struct bp_column *c, uint32_t *ids)
{
    for (int64_t from = 0; from < c->n_rows; from += BP_TEXTS_ROWS)
        CHECK(bp_texts_find(t, c, from, BP_MIN(c->n_rows - from, BP_TEXTS_ROWS), ids + from,
                            &err) == 0);
}

/* All of them as a plain column, and what they are numbered. */
static struct bp_column begin(struct bp_texts *t, uint32_t *ids)
{
    struct bp_column c;

    make_texts();
    c = plain();
    bp_texts_init(t);
    find(t, &c, ids);
    return c;
}

static void each_text_has_its_number(void)
{
    static uint32_t ids[TEXTS], again[TEXTS];
    struct bp_texts t;
    struct bp_column c = begin(&t, ids);
    int right = 0;

    find(&t, &c, again);
    for (int i = 0; i < n_texts; i++)
        right += ids[i] == (uint32_t)i && again[i] == (uint32_t)i;
    CHECK(right == n_texts);
    CHECK(t.n == n_texts);
    bp_texts_release(&t);
}

static void a_number_gives_the_text_back(void)
{
    static uint32_t ids[TEXTS];
    uint8_t text[LEN_MAX + BP_TEXT_INLINE];
    struct bp_texts t;
    int right = 0;

    begin(&t, ids);
    for (int i = 0; i < n_texts; i++) {
        const struct bp_text_entry *e = &t.entries[ids[i]];
        int n = off[i + 1] - off[i];

        bp_text_copy(&t, e, text);
        right += (int)bp_text_len(e) == n && memcmp(text, bytes + off[i], (size_t)n) == 0;
    }
    CHECK(right == n_texts);
    bp_texts_release(&t);
}

static void a_null_takes_no_number(void)
{
    static uint32_t ids[TEXTS];
    static uint8_t valid[TEXTS / 8 + 8];
    struct bp_column c;
    struct bp_texts t;
    int right = 0;

    make_texts();
    c = plain();
    c.valid = valid;
    for (int i = 0; i < n_texts; i++)
        bp_bit_put(valid, i, i % 3 != 0);
    c.n_nulls = (n_texts + 2) / 3;
    bp_texts_init(&t);
    find(&t, &c, ids);
    for (int i = 0; i < n_texts; i++)
        right += ids[i] == (i % 3 ? (uint32_t)(i - i / 3 - 1) : 0);
    CHECK(right == n_texts);
    CHECK(t.n == n_texts - c.n_nulls);
    bp_texts_release(&t);
}

static void codes_of_a_dictionary_are_the_same_texts(void)
{
    static uint32_t ids[TEXTS], of_codes[TEXTS];
    static int32_t codes[TEXTS];
    struct bp_texts t;
    struct bp_dict dict = {.id = 1, .values = begin(&t, ids)};
    struct bp_column coded;
    int right = 0;

    for (int i = 0; i < n_texts; i++)
        codes[i] = n_texts - 1 - i;
    coded = (struct bp_column){
        .type = {.kind = BP_TEXT}, .n_rows = n_texts, .data = codes, .dict = &dict};
    find(&t, &coded, of_codes);
    for (int i = 0; i < n_texts; i++)
        right += of_codes[i] == (uint32_t)(n_texts - 1 - i);
    CHECK(right == n_texts);
    CHECK(t.n == n_texts);
    bp_texts_release(&t);
}

UNIT_MAIN(T(each_text_has_its_number), T(a_number_gives_the_text_back), T(a_null_takes_no_number),
          T(codes_of_a_dictionary_are_the_same_texts))
