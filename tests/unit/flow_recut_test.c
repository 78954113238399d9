/* SPDX-License-Identifier: Apache-2.0 */
/* The batch rule: cuts and dictionaries are a function of the rows. */
#include "flow/recut.h"
#include "unit.h"

static struct bp_schema schema; /* x int, s text, k text as dictionary */

/* Row i: text of i % 50 bytes (so 1 MiB comes before 65,536 rows), k one of 100. */
static void make_batch(struct bp_batch *out, int64_t from, int64_t n, bool with_dict)
{
    static const char filler[64] = "................................................";
    struct bp_err err = {0};
    struct bp_builder x, s, k, codes;
    struct bp_column values;

    bp_builder_init(&x, BP_TYPE(BP_INT32));
    bp_builder_init(&s, BP_TYPE(BP_TEXT));
    bp_builder_init(&k, BP_TYPE(BP_TEXT));
    bp_builder_init(&codes, BP_TYPE(BP_INT32));
    for (int64_t i = from; i < from + n; i++) {
        int32_t v = (int32_t)i, code = (int32_t)(i - from);
        char word[16];
        int len = snprintf(word, sizeof word, "k%d", (int)(i * 7 % 100));

        CHECK(bp_builder_add(&x, &v, &err) == 0);
        CHECK((i % 11 == 0 ? bp_builder_add_null(&s, &err)
                           : bp_builder_add_bytes(&s, filler, (size_t)(i % 50), &err)) == 0);
        CHECK(bp_builder_add_bytes(&k, word, (size_t)len, &err) == 0);
        CHECK(bp_builder_add(&codes, &code, &err) == 0);
    }
    CHECK(bp_batch_init(out, 3, &err) == 0);
    out->n_rows = n;
    CHECK(bp_builder_finish(&x, &out->cols[0], &err) == 0);
    CHECK(bp_builder_finish(&s, &out->cols[1], &err) == 0);
    if (with_dict) { /* a dictionary of its own for every batch, with repeats */
        CHECK(bp_builder_finish(&k, &values, &err) == 0);
        CHECK(bp_builder_finish(&codes, &out->cols[2], &err) == 0);
        out->cols[2].type = BP_TYPE(BP_TEXT);
        CHECK(bp_dict_new(&out->cols[2].dict, &values, &err) == 0);
    } else {
        CHECK(bp_builder_finish(&k, &out->cols[2], &err) == 0);
    }
    bp_builder_release(&k);
    bp_builder_release(&codes);
}

/* What came out: rows per batch, and all values checked. */
struct seen {
    int64_t rows[64];
    int n;
    int64_t next;
};

static void see(struct seen *seen, struct bp_batch *b)
{
    size_t n;

    if (seen->n < 64)
        seen->rows[seen->n++] = b->n_rows;
    NEED(b->cols[2].dict != NULL && b->cols[1].dict == NULL);
    CHECK(b->cols[2].dict->values.n_rows == (b->n_rows ? 100 : 0));
    for (int64_t i = 0; i < b->n_rows; i++, seen->next++) {
        char word[16];
        int len = snprintf(word, sizeof word, "k%d", (int)(seen->next * 7 % 100));
        const uint8_t *p = bp_column_bytes(&b->cols[2], i, &n);

        CHECK((int)n == len && memcmp(p, word, n) == 0);
        CHECK(((const int32_t *)b->cols[2].data)[i] == (int32_t)(seen->next % 100));
        CHECK(((const int32_t *)b->cols[0].data)[i] == (int32_t)seen->next);
        bp_column_bytes(&b->cols[1], i, &n);
        CHECK(bp_column_is_null(&b->cols[1], i) == (seen->next % 11 == 0));
        CHECK(n == (seen->next % 11 ? (size_t)(seen->next % 50) : 0));
    }
}

static void cut(struct seen *seen, int64_t total, int64_t step, bool with_dict)
{
    struct bp_err err = {0};
    struct bp_recut r;
    struct bp_batch b;
    int rc;

    memset(seen, 0, sizeof *seen);
    NEED(bp_recut_init(&r, &schema, &err) == 0);
    for (int64_t i = 0; i < total; i += step) {
        make_batch(&b, i, BP_MIN(step, total - i), with_dict);
        NEED(bp_recut_put(&r, &b, &err) == 0);
        while ((rc = bp_recut_take(&r, &b, &err)) == 0) {
            see(seen, &b);
            bp_batch_release(&b);
        }
        CHECK(rc == BP_DONE);
    }
    NEED(bp_recut_flush(&r, &b, &err) == 0);
    see(seen, &b);
    bp_batch_release(&b);
    bp_recut_release(&r);
}

static void cuts_and_codes_depend_on_rows_alone(void)
{
    struct seen want, got;

    cut(&want, 150000, 150000, false);
    CHECK(want.n > 3 && want.rows[0] < BP_RECUT_ROWS && want.next == 150000);
    for (int64_t step = 100; step < 150000; step = step * 5 + 3)
        for (int with_dict = 0; with_dict < 2; with_dict++) {
            cut(&got, 150000, step, with_dict);
            CHECK(got.n == want.n && got.next == want.next);
            CHECK(memcmp(got.rows, want.rows, sizeof want.rows) == 0);
        }
}

static void the_cut_is_behind_the_row_that_reaches_a_mebibyte(void)
{
    struct seen got;
    int64_t bytes = 0, row = 0;

    while (bytes < BP_RECUT_BYTES) {
        bytes += 4 + 4 + 4 + (row % 11 ? row % 50 : 0);
        row++;
    }
    cut(&got, 100000, 997, false);
    CHECK(got.rows[0] == row);
}

/* ---- large dictionaries ---- */

enum { WIDE_COLS = 6, WIDE_IDS = 50000 };
static struct bp_schema wide;

/* Many values that outgrow a dictionary; few long ones; and some of a middling number that
 * together are too many. */
static const struct {
    int factor, ids, width, growth;
} wide_cols[WIDE_COLS] = {{7, WIDE_IDS, 40, 0}, {3, 311, 8, 5},   {3, 8000, 30, 0},
                          {7, 8100, 30, 0},     {9, 8200, 30, 0}, {11, 8300, 30, 0}};

static int wide_text(int col, int64_t row, char *text, int *id)
{
    *id = (int)(row * wide_cols[col].factor % wide_cols[col].ids) +
          (row > 30000 && col != 1 ? 9000 : 0);
    return snprintf(text, 2000, "%0*d", wide_cols[col].width + *id * wide_cols[col].growth, *id);
}

static void make_wide(struct bp_batch *out, int64_t from, int64_t n, bool with_dict)
{
    struct bp_err err = {0};
    char text[2000];
    int id;

    CHECK(bp_batch_init(out, WIDE_COLS, &err) == 0);
    out->n_rows = n;
    for (int c = 0; c < WIDE_COLS; c++) {
        struct bp_builder values, codes;
        struct bp_column v;

        bp_builder_init(&values, BP_TYPE(BP_TEXT));
        bp_builder_init(&codes, BP_TYPE(BP_INT32));
        for (int64_t i = 0; i < n; i++) {
            int len = wide_text(c, from + i, text, &id);
            int32_t code = (int32_t)i;

            CHECK(bp_builder_add_bytes(&values, text, (size_t)len, &err) == 0);
            CHECK(bp_builder_add(&codes, &code, &err) == 0);
        }
        CHECK(bp_builder_finish(&values, &v, &err) == 0);
        out->cols[c] = v;
        if (with_dict) {
            CHECK(bp_builder_finish(&codes, &out->cols[c], &err) == 0);
            out->cols[c].type = BP_TYPE(BP_TEXT);
            CHECK(bp_dict_new(&out->cols[c].dict, &v, &err) == 0);
        }
        bp_builder_release(&values);
        bp_builder_release(&codes);
    }
}

/* The rule again, a row at a time. */
struct model {
    int64_t rows[256]; /* of the batches */
    int64_t most_new;  /* what dictionaries gained in a batch */
    int n, n_renewed, n_all_renewed;
};

static void model_wide(struct model *m, int64_t total)
{
    static int64_t seen[WIDE_COLS][WIDE_IDS + 9000]; /* the dictionary that had the value last */
    int64_t n_values[WIDE_COLS] = {0}, text[WIDE_COLS] = {0}, number[WIDE_COLS] = {0};
    int64_t begun = 0, in_batch = 0;
    char word[2000];
    int id;

    memset(m, 0, sizeof *m);
    memset(seen, 0, sizeof seen);
    for (int64_t row = 0; row < total; row++) {
        int64_t now = 0;

        for (int c = 0; c < WIDE_COLS; c++) {
            int len = wide_text(c, row, word, &id);

            if (seen[c][id] != number[c] + 1) {
                seen[c][id] = number[c] + 1;
                n_values[c]++;
                text[c] += len;
            }
            now += 32 * n_values[c] + text[c];
        }
        in_batch++;
        if (in_batch < BP_RECUT_ROWS && (in_batch % 256 || now - begun < 1 << 20))
            continue;
        m->most_new = BP_MAX(m->most_new, now - begun);
        m->rows[m->n++] = in_batch;
        begun = in_batch = 0;
        for (int c = 0; c < WIDE_COLS; c++) {
            if (now > 6 << 20 || n_values[c] > 65536 || text[c] > 1 << 20) {
                m->n_renewed++;
                m->n_all_renewed += now > 6 << 20;
                n_values[c] = text[c] = 0;
                number[c]++;
            }
            begun += 32 * n_values[c] + text[c];
        }
    }
    m->rows[m->n++] = in_batch;
}

static void see_wide(const struct model *m, int *n, int64_t *row, const struct bp_batch *b)
{
    char word[2000];
    size_t got;
    int id;

    NEED(*n < m->n);
    CHECK(b->n_rows == m->rows[(*n)++]);
    for (int64_t i = 0; i < b->n_rows; i++, (*row)++)
        for (int c = 0; c < WIDE_COLS; c++) {
            int len = wide_text(c, *row, word, &id);
            const uint8_t *p = bp_column_bytes(&b->cols[c], i, &got);

            CHECK((int)got == len && memcmp(p, word, got) == 0);
        }
}

static void large_dictionaries_end_a_batch(void)
{
    const int64_t total = 60000;
    struct bp_err err = {0};
    struct model m;

    model_wide(&m, total);
    CHECK(m.n > 6 && m.n_renewed > m.n_all_renewed && m.n_all_renewed && m.most_new >= 1 << 20 &&
          m.most_new < 3 << 19);
    CHECK(m.rows[0] % 256 == 0 && m.rows[0] < 20000);
    for (int64_t step = 100; step < 2 * total; step = step * 19 + 3)
        for (int with_dict = 0; with_dict < 2; with_dict++) {
            struct bp_recut r;
            struct bp_batch b;
            int64_t row = 0;
            int n = 0;

            NEED(bp_recut_init(&r, &wide, &err) == 0);
            for (int64_t i = 0; i < total; i += step) {
                make_wide(&b, i, BP_MIN(step, total - i), with_dict);
                NEED(bp_recut_put(&r, &b, &err) == 0);
                while (bp_recut_take(&r, &b, &err) == 0) {
                    see_wide(&m, &n, &row, &b);
                    bp_batch_release(&b);
                }
            }
            NEED(bp_recut_flush(&r, &b, &err) == 0);
            see_wide(&m, &n, &row, &b);
            CHECK(n == m.n && row == total);
            bp_batch_release(&b);
            bp_recut_release(&r);
        }
}

static void rows_without_columns_are_cut_by_number(void)
{
    struct bp_schema none = {0};
    struct bp_err err = {0};
    struct bp_recut r;
    struct bp_batch b;

    NEED(bp_recut_init(&r, &none, &err) == 0);
    NEED(bp_batch_init(&b, 0, &err) == 0);
    b.n_rows = 100000;
    NEED(bp_recut_put(&r, &b, &err) == 0);
    CHECK(bp_recut_take(&r, &b, &err) == 0 && b.n_rows == BP_RECUT_ROWS);
    bp_batch_release(&b);
    CHECK(bp_recut_take(&r, &b, &err) == BP_DONE);
    CHECK(bp_recut_flush(&r, &b, &err) == 0 && b.n_rows == 100000 - BP_RECUT_ROWS);
    bp_batch_release(&b);
    bp_recut_release(&r);
}

/* Rows of one size: how many there are in a batch is known, and so many pass as they are. */
static void the_rows_of_a_batch_are_known_where_they_have_one_size(void)
{
    struct bp_err err = {0};
    struct bp_schema s = {0};
    struct bp_recut r;
    struct bp_batch b;
    int64_t n;

    CHECK(bp_recut_rows(&s) == BP_RECUT_ROWS);
    CHECK(bp_recut_rows(&schema) == 0);
    NEED(bp_schema_add(&s, "b", BP_TYPE(BP_BOOL), &err) == 0);
    CHECK(bp_recut_rows(&s) == BP_RECUT_ROWS);
    for (int i = 0; i < 7; i++)
        NEED(bp_schema_add(&s, "d", BP_TYPE(BP_INTERVAL), &err) == 0);
    NEED(bp_schema_add(&s, "k", BP_TYPE(BP_TEXT), &err) == 0);
    CHECK(bp_recut_rows(&s) == 0);
    s.fields[8].dict = BP_DICT_KNOWN;
    n = bp_recut_rows(&s);
    CHECK(n == (BP_RECUT_BYTES + 116) / 117); /* 1 + 7 * 16 + 4 bytes */
    NEED(bp_batch_init(&b, s.n_fields, &err) == 0);
    for (int i = 0; i < s.n_fields; i++)
        NEED(bp_column_nulls(&b.cols[i], s.fields[i].type, n + 1, &err) == 0);
    b.n_rows = n + 1;
    NEED(bp_recut_init(&r, &s, &err) == 0);
    NEED(bp_recut_put(&r, &b, &err) == 0);
    CHECK(bp_recut_take(&r, &b, &err) == 0 && b.n_rows == n);
    bp_batch_release(&b);
    bp_recut_release(&r);
    bp_schema_release(&s);
}

static void a_whole_batch_is_not_copied(void)
{
    struct bp_err err = {0};
    struct bp_schema one = {0};
    struct bp_builder x;
    struct bp_recut r;
    struct bp_batch b;
    const void *data;

    NEED(bp_schema_add(&one, "x", BP_TYPE(BP_INT64), &err) == 0);
    NEED(bp_recut_init(&r, &one, &err) == 0);
    bp_builder_init(&x, BP_TYPE(BP_INT64));
    for (int64_t i = 0; i < BP_RECUT_ROWS; i++)
        CHECK(bp_builder_add(&x, &i, &err) == 0);
    NEED(bp_batch_init(&b, 1, &err) == 0);
    NEED(bp_builder_finish(&x, &b.cols[0], &err) == 0);
    b.n_rows = BP_RECUT_ROWS;
    data = b.cols[0].data;
    NEED(bp_recut_put(&r, &b, &err) == 0);
    CHECK(bp_recut_take(&r, &b, &err) == 0 && b.cols[0].data == data);
    bp_batch_release(&b);
    bp_recut_release(&r);
    bp_schema_release(&one);
}

int main(void)
{
    static const struct unit_test tests[] = {
        T(cuts_and_codes_depend_on_rows_alone),
        T(the_cut_is_behind_the_row_that_reaches_a_mebibyte),
        T(large_dictionaries_end_a_batch),
        T(rows_without_columns_are_cut_by_number),
        T(the_rows_of_a_batch_are_known_where_they_have_one_size),
        T(a_whole_batch_is_not_copied),
    };
    struct bp_err err = {0};
    int n = (int)BP_COUNT_OF(tests), bad = 0;

    CHECK(bp_schema_add(&schema, "x", BP_TYPE(BP_INT32), &err) == 0);
    CHECK(bp_schema_add(&schema, "s", BP_TYPE(BP_TEXT), &err) == 0);
    CHECK(bp_schema_add(&schema, "k", BP_TYPE(BP_TEXT), &err) == 0);
    schema.fields[2].dict = BP_DICT_KNOWN;
    for (int i = 0; i < WIDE_COLS; i++) {
        CHECK(bp_schema_add(&wide, (char[]){(char)('a' + i), 0}, BP_TYPE(BP_TEXT), &err) == 0);
        wide.fields[i].dict = BP_DICT_KNOWN;
    }
    for (int i = 0; i < n; i++) {
        unit_failed = 0;
        tests[i].run();
        bad += unit_failed != 0;
        printf("%sok %d - %s\n", unit_failed ? "not " : "", i + 1, tests[i].name);
    }
    bp_schema_release(&schema);
    bp_schema_release(&wide);
    printf("1..%d\n", n);
    return bad != 0;
}
