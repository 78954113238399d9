/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON Lines. What a line is, jansson decides as well: what one takes as
 * JSON the other takes too, but for numbers out of jansson's range. And the whole
 * reader gives the same rows, and the same errors, whatever the chunks and whether it
 * reads a file or a stream; what it tolerates, likewise.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "col/text.h"
#include "fmt/jsonl_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- one line ---- */

static bool is_ours(const uint8_t *p, size_t n, uint8_t *room)
{
    struct jsonl_bad bad;
    const uint8_t *q;
    size_t at;

    if (!bp_utf8_check(p, n, &at))
        return false;
    memcpy(room, p, n);
    room[n] = '\n';
    memset(room + n + 1, ' ', JSONL_PAD_BYTES);
    q = jsonl_value_end(jsonl_blanks(room), &bad);
    return q && *jsonl_blanks(q) == '\n';
}

static void compare_line(const uint8_t *p, size_t n, uint8_t *room)
{
    bool ours = is_ours(p, n, room);
    json_error_t e;
    json_t *v = json_loadb((const char *)p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    enum json_error_code code = v ? json_error_unknown : json_error_code(&e);

    json_decref(v);
    if (memchr(p, 0, n)) /* behind a number jansson passes over it */
        return;
    if (!v && (code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
               code == json_error_stack_overflow))
        return;
    if ((v != NULL) != ours) {
        fprintf(stderr, "ours %d, jansson %d (%s): %.*s\n", ours, v != NULL, e.text, (int)n,
                (const char *)p);
        abort();
    }
}

/* ---- the reader ---- */

struct outcome {
    struct bp_buf rows;
    int rc;
    int64_t n_rejected;
    char msg[2048];
};

static void say(struct outcome *o, const struct bp_batch *b)
{
    struct bp_err err = {0};

    for (int64_t i = 0; i < b->n_rows; i++)
        for (int c = 0; c < b->n_cols; c++) {
            if (bp_column_is_null(&b->cols[c], i)) {
                if (bp_buf_puts(&o->rows, "|", &err) < 0)
                    abort();
                continue;
            }
            if (bp_text_append(&b->cols[c], i, &o->rows, &err) < 0 ||
                bp_buf_puts(&o->rows, ",", &err) < 0)
                abort();
        }
}

static void run(struct outcome *o, const uint8_t *p, size_t n, const struct bp_schema *schema,
                int chunk_bytes, bool stream, int mode)
{
    struct bp_rejects rejects = {.skip = mode == 1, .max_errors = -1};
    struct bp_jsonl_opts opts = {.schema = schema,
                                 .star = schema != NULL,
                                 .rejects = mode ? &rejects : NULL,
                                 .chunk_bytes = chunk_bytes};
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 100};
    struct bp_source src = {0};
    struct bp_input in;
    struct bp_batch b;
    struct bp_err err = {0};

    *o = (struct outcome){.rc = 0};
    if (bp_input_from_memory(&in, "x", p, n, &err) < 0)
        abort();
    in.is_file = !stream;
    o->rc = bp_jsonl_source(&src, &in, 1, &opts, &ctx, &err);
    while (o->rc == 0 && (o->rc = bp_source_next(&src, &b, &err)) == 0) {
        say(o, &b);
        bp_batch_release(&b);
    }
    if (o->rc < 0 && (err.code != o->rc || !err.msg[0]))
        abort();
    memcpy(o->msg, err.msg, sizeof o->msg);
    o->n_rejected = rejects.n_rows + rejects.n_values;
    bp_source_free(&src);
    bp_rejects_free(&rejects);
}

static void compare_readers(const uint8_t *p, size_t n, const struct bp_schema *schema,
                            int chunk_bytes, int mode)
{
    struct outcome a, b;

    run(&a, p, n, schema, 0, false, mode);
    for (int stream = 0; stream < 2; stream++) {
        run(&b, p, n, schema, chunk_bytes, stream, mode);
        if (a.rc != b.rc || strcmp(a.msg, b.msg) != 0 || a.n_rejected != b.n_rejected ||
            (a.rc > 0 && (a.rows.len != b.rows.len ||
                          (a.rows.len && memcmp(a.rows.data, b.rows.data, a.rows.len) != 0)))) {
            fprintf(stderr, "chunks show: %d '%s' / %d '%s'\n", a.rc, a.msg, b.rc, b.msg);
            abort();
        }
        bp_buf_release(&b.rows);
    }
    bp_buf_release(&a.rows);
}

/* Input: one byte of options, then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const schemas[] = {NULL, "a int, *", "a decimal(9,2), b date NOT NULL, *",
                                          "b boolean, a double precision, *"};
    struct bp_schema schema = {0};
    struct bp_err err = {0};
    const uint8_t *p, *lf;
    const char *text;
    uint8_t *room;
    bool star;

    if (size < 1 || !(room = malloc(size + 1 + JSONL_PAD_BYTES)))
        return 0;
    text = schemas[data[0] & 3];
    if (text && bp_schema_parse(text, &schema, &star, &err) < 0)
        abort();
    compare_readers(data + 1, size - 1, text ? &schema : NULL, 1 + (data[0] >> 4) * 5,
                    (data[0] >> 2) % 3);
    for (p = data + 1; (lf = memchr(p, '\n', (size_t)(data + size - p))); p = lf + 1)
        compare_line(p, (size_t)(lf - p), room);
    compare_line(p, (size_t)(data + size - p), room);
    bp_schema_release(&schema);
    free(room);
    return 0;
}
