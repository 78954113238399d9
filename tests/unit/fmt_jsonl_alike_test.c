/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that are read several at a time, against the same lines one at a time. */
#include "fmt/jsonl_alike.h"

#include "fmt/jsonl_reader.h"
#include "fmt_jsonl_table.h"

static uint32_t below(uint32_t n)
{
    static uint64_t state = 1;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % n);
}

/* % is a value. */
static const char *const shapes[] = {
    "{\"a\":%,\"b\":%,\"c\":%,\"d\":%}\n",
    "{\"d\":%,\"b\":%,\"a\":%,\"c\":%}\r\n",
    "{\"a\" : %, \"b\":\t% ,\"c\":% , \"d\" :% } \n",
    "{\"\\u0061\":%,\"b\":%,\"c\":%}\n",
    "{\"a name of more than thirty-two bytes\":%,\"a\":%}\n",
    "{\"a name of more than thirty-two bites\":%,\"a\":%}\n",
    "{\"a name of more than sixty-four bytes, which is not learned from\":%,\"a\":%}\n",
    "{\"b\":%}\n",
    "{}\n",
    " {\"a\":%}\n\n",
};
static const char *const bad_shapes[] = {
    "{\"a\":%,\"b\":%\n",
    "{\"a\":% \"b\":%,\"c\":%,\"d\":%}\n",
    "[\"a\":%,\"b\":%,\"c\":%,\"d\":%}\n",
    "{\"a\":%,\"b\":%,\"c\":%,\"d\":%]\n",
    "{\"a\":%,\"z\":%}\n",
    "{\"a\":%,\"a\":%}\n",
    "[%]\n",
    "{\"a\":%,\"b\":%}{}\n",
    "{\"a\":%,}\n",
    "{\"a\" %}\n",
};
static const char *const values[] = {
    "1",
    "-7",
    "0",
    "-0.5",
    "12.345",
    "1e3",
    "1.5E-2",
    "123456789012345678",
    "\"x\"",
    "\"\"",
    "null",
    "true",
    "false",
    "7",
    "12.25",
    "\"an \\\"escape\\u00e9\"",
    "[1,2]",
    "{\"a\":[]}",
    "\"1\"",
    "[ \"a,\" ]",
    "\"a text of more than thirty-two bytes, with , \\\" : and }\"",
    "0.000000000000000001",
};
static const char *const bad_values[] = {
    "01", "-", "1.", ".5", "1e", "nul", "\"x", "\"\x01\"", "\"\\x\"", "\"\xff\"", "", "[1", "x"};

#define PICK(list) list[below(sizeof list / sizeof *list)]

static size_t put_line(char *out, const char *shape, bool plain, bool bad)
{
    char *p = out;

    for (; *shape; shape++) {
        const char *v = bad && !below(2) ? PICK(bad_values)
                        : plain          ? values[below(5)]
                                         : PICK(values);

        if (*shape != '%')
            *p++ = *shape;
        else
            p = stpcpy(p, v);
    }
    return (size_t)(p - out);
}

/* Runs of lines of one shape; in n_bad of a hundred something is wrong. */
static const char *runs_of_lines(uint32_t n_bad)
{
    static char text[64 << 10];
    size_t n = 0;

    for (int run = 0; run < 12; run++) {
        const char *shape = below(3) ? PICK(shapes) : shapes[0];
        bool plain = below(3) > 0;

        for (uint32_t i = below(16); i-- > 0;) {
            bool bad = below(100) < n_bad, bad_shape = bad && below(2);

            n += put_line(text + n, bad_shape ? PICK(bad_shapes) : shape, plain, bad && !bad_shape);
        }
    }
    text[n] = 0;
    return text;
}

/* All of it, or its error: before that, smaller chunks give more rows. */
static const char *essence(const char *read)
{
    const char *error = strstr(read, "! ");

    return error ? error : read;
}

/* A chunk of one byte has one line, which is read alone. */
static void lines_read_together_are_as_lines_read_alone(void)
{
    static char alone[sizeof csv_out_text];
    static const char *const schemas[] = {"a text, b text, c text, d text, *",
                                          "a text, b text, c decimal(38,18), d double precision, *",
                                          "a text not null, d int, b text, c text, *"};

    for (int i = 0; i < 160; i++) {
        const char *text = runs_of_lines(i % 3 ? 5 : 0);
        struct csv_case t = {{text}, .schema = schemas[i / 3 % 3], .chunk_bytes = 1};
        struct bp_rejects one = {.skip = i % 2, .max_errors = -1}, all = one;
        bool tolerant = i % 5 > 1;

        strcpy(alone, jsonl_read_more(t, tolerant ? &one : NULL, false));
        t.chunk_bytes = i % 7 ? 0 : 100 + i;
        if (i % 11 == 0)
            setenv("BP_SIMD", "portable", 1);
        CHECK_STR(essence(jsonl_read_more(t, tolerant ? &all : NULL, false)), essence(alone));
        unsetenv("BP_SIMD");
        CHECK(one.n_rows == all.n_rows && one.n_values == all.n_values);
        CHECK(!one.first == !all.first && (!one.first || strcmp(one.first, all.first) == 0));
        bp_rejects_free(&one);
        bp_rejects_free(&all);
    }
}

/* How many of the lines of p[1, to) are read together; -1: one is bad. */
static int count_together(struct jsonl_line *l, const uint8_t *p, const uint8_t *to)
{
    const uint8_t *begin[JSONL_LANES + 1] = {p + 1}, *lf;
    int n = 0;

    while (begin[0] < to) {
        if (jsonl_alike_parse(l, p, to, to, 0, begin)) {
            n += JSONL_LANES;
            begin[0] = begin[JSONL_LANES];
            continue;
        }
        lf = jsonl_line_parse(l, p, begin[0], 0);
        if (!lf)
            return -1;
        jsonl_alike_passed(l, begin[0], lf);
        begin[0] = lf + 1;
    }
    return n;
}

static int n_together(const char *text)
{
    struct text_col col = {.key = 1};
    struct jsonl_reader r = {.cols = &col, .n_cols = 1, .line_col = -1};
    struct jsonl_line *l = NULL;
    struct bp_err err = {0};
    uint8_t room[1000];
    int n = -1;

    memset(room, ' ', sizeof room);
    memcpy(room + 1, text, strlen(text));
    if (jsonl_keys_add(&r.keys, (const uint8_t *)"a", 1, &err) == 0 &&
        jsonl_keys_add(&r.keys, (const uint8_t *)"b", 1, &err) == 0 &&
        jsonl_line_new(&l, &r, &err) == 0)
        n = count_together(l, room, room + 1 + strlen(text));
    jsonl_line_free(l);
    jsonl_keys_release(&r.keys);
    return n;
}

static void lines_of_one_shape_are_read_together(void)
{
#define A "{\"a\":1,\"b\":\"x\"}\n"
#define B "{\"b\": 12.5}\n"
    CHECK(n_together(A A A A A) == 4);
    CHECK(n_together(A A A A) == 0);               /* the first is learned */
    CHECK(n_together(A A A A A B A A A A) == 8);   /* one odd line is passed */
    CHECK(n_together(A B B B B B B B B B B) == 8); /* the second B is */
    CHECK(n_together(A B A B A B A B A B A B A B A B A B) == 0);
#undef A
#undef B
}

UNIT_MAIN(T(lines_read_together_are_as_lines_read_alone), T(lines_of_one_shape_are_read_together))
