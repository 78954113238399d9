/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/footer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "flow/json.h"
#include "flow/marks.h"

#define VERSION_MAX 2

#define KEY_STAGE "bp.stage"
#define KEY_BLOCKS "bp.blocks"
#define KEY_LEDGER BP_MARK_LEDGER
#define KEY_CHECKSUM "bp.checksum"

void bp_stage_foot_release(struct bp_stage_foot *f)
{
    for (int i = 0; f->keys && i < f->n_keys; i++)
        bp_mem_free(f->keys[i]);
    bp_mem_free(f->keys);
    bp_mem_free(f->classes);
    bp_mem_free(f->range);
    bp_mem_free(f->blocks);
    bp_ledger_release(&f->ledger);
    *f = (struct bp_stage_foot){0};
}

/* ---- the checksum ---- */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct bp_meta *const *)a)->key,
                  (*(const struct bp_meta *const *)b)->key);
}

static int put_meta(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err)
{
    const struct bp_meta **sorted = bp_mem_new((size_t)s->n_meta, sizeof(struct bp_meta *), err);
    int rc = 0;

    if (!sorted)
        return err->code;
    for (int i = 0; i < s->n_meta; i++)
        sorted[i] = &s->meta[i];
    if (s->n_meta)
        qsort(sorted, (size_t)s->n_meta, sizeof *sorted, by_key);
    for (int i = 0; i < s->n_meta && rc == 0; i++)
        rc = bp_buf_printf(out, err, "%s=%s\n", sorted[i]->key, sorted[i]->value);
    bp_mem_free(sorted);
    return rc;
}

/* A line per column: name, SQL type, and NOT NULL if so, with tabs between. */
static int put_columns(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];

    for (int i = 0; i < s->n_fields; i++)
        BP_TRY(bp_buf_printf(out, err, "%s\t%s%s\n", s->fields[i].name,
                             bp_type_name(s->fields[i].type, type),
                             s->fields[i].nullable ? "" : "\tNOT NULL"));
    return 0;
}

static int checksum(const char *stage, const char *blocks, const char *ledger,
                    const struct bp_schema *s, char out[17], struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc;

    BP_GO(bp_buf_puts(&b, stage, err));
    BP_GO(bp_buf_puts(&b, "\n", err));
    BP_GO(bp_buf_puts(&b, blocks, err));
    BP_GO(bp_buf_puts(&b, ledger, err));
    BP_GO(bp_buf_puts(&b, "\n", err));
    BP_GO(put_columns(s, &b, err));
    BP_GO(put_meta(s, &b, err));
    snprintf(out, 17, "%016" PRIx64, bp_xxh3(b.data, b.len));
out:
    bp_buf_release(&b);
    return rc;
}

bool bp_stage_foot_alike(const struct bp_stage_foot *a, const struct bp_stage_foot *b)
{
    if (a->n_keys != b->n_keys || a->parts != b->parts || a->even != b->even ||
        a->split != b->split || a->copied != b->copied || strcmp(a->hot, b->hot) != 0 ||
        strcmp(a->borders, b->borders) != 0 || !a->range != !b->range ||
        (a->range && strcmp(a->range, b->range) != 0))
        return false;
    for (int i = 0; i < a->n_keys; i++)
        if (a->classes[i] != b->classes[i] || strcmp(a->keys[i], b->keys[i]) != 0)
            return false;
    return true;
}

/* ---- writing ---- */

static int fill_keys(json_t *v, const struct bp_stage_foot *f, struct bp_err *err)
{
    json_t *keys = json_array(), *classes;

    BP_TRY(bp_json_set(v, "keys", keys, err));
    classes = json_array();
    BP_TRY(bp_json_set(v, "classes", classes, err));
    for (int i = 0; i < f->n_keys; i++) {
        BP_TRY(bp_json_add(keys, bp_json_string(f->keys[i], err), err));
        BP_TRY(bp_json_add(classes, json_integer(f->classes[i]), err));
    }
    return 0;
}

/* A reader that does not know of ranges, split and copied keys must not take the stage
 * for one by hash: then the version is another. */
static int64_t version_of(const struct bp_stage_foot *f)
{
    return f->range || f->split || f->copied ? VERSION_MAX : 1;
}

static int fill_head(json_t *v, const struct bp_stage_foot *f, struct bp_err *err)
{
    BP_TRY(bp_json_set(v, "version", json_integer(version_of(f)), err));
    if (f->range) {
        BP_TRY(bp_json_set(v, "range", bp_json_string(f->range, err), err));
        BP_TRY(bp_json_set(v, "borders", bp_json_string(f->borders, err), err));
    }
    if (f->split)
        BP_TRY(bp_json_set(v, "split", json_boolean(true), err));
    if (f->copied)
        BP_TRY(bp_json_set(v, "copied", json_boolean(true), err));
    if (f->hot[0])
        BP_TRY(bp_json_set(v, "hot", bp_json_string(f->hot, err), err));
    BP_TRY(fill_keys(v, f, err));
    BP_TRY(bp_json_set(v, "parts", json_integer(f->parts), err));
    BP_TRY(bp_json_set(v, "even", json_boolean(f->even), err));
    BP_TRY(bp_json_set(v, "task", json_integer(f->task), err));
    BP_TRY(bp_json_set(v, "tasks", json_integer(f->n_tasks), err));
    BP_TRY(bp_json_set(v, "identity", bp_json_string(f->identity, err), err));
    BP_TRY(bp_json_set(v, "rows", json_integer(f->n_rows), err));
    return bp_json_set(v, "blocks", json_integer(f->n_blocks), err);
}

static int print_head(const struct bp_stage_foot *f, struct bp_buf *out, struct bp_err *err)
{
    json_t *v = json_object();
    int rc;

    if (!v)
        return bp_fail_oom(err, sizeof *v);
    rc = fill_head(v, f, err);
    if (rc == 0)
        rc = bp_json_write(v, out, err);
    json_decref(v);
    return rc;
}

static int by_part(const void *a, const void *b)
{
    const struct bp_stage_block *x = a, *y = b;

    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int print_blocks(struct bp_stage_foot *f, struct bp_buf *out, struct bp_err *err)
{
    if (f->n_blocks)
        qsort(f->blocks, (size_t)f->n_blocks, sizeof *f->blocks, by_part);
    for (int64_t i = 0; i < f->n_blocks; i++) {
        const struct bp_stage_block *b = &f->blocks[i];

        BP_TRY(bp_buf_printf(
            out, err,
            "%" PRIu32 " %" PRId32 " %" PRId64 " %" PRId64 " %" PRId64 " %016" PRIx64 "\n", b->part,
            b->index, b->n_rows, b->offset_bytes, b->n_bytes, b->checksum));
    }
    return 0;
}

int bp_stage_foot_write(struct bp_stage_foot *foot, const struct bp_schema *schema,
                        struct bp_ledger *ledger, struct bp_ipc_writer *w, struct bp_err *err)
{
    struct bp_buf stage = {0}, blocks = {0}, read = {0};
    struct bp_meta meta[4];
    char sum[17];
    int rc;

    BP_GO(print_head(foot, &stage, err));
    BP_GO(print_blocks(foot, &blocks, err));
    BP_GO(bp_ledger_write(ledger, &read, err));
    if (!bp_buf_str(&stage, err) || !bp_buf_str(&blocks, err) || !bp_buf_str(&read, err))
        BP_GO(err->code);
    meta[0] = (struct bp_meta){(char[]){KEY_STAGE}, (char *)stage.data};
    meta[1] = (struct bp_meta){(char[]){KEY_BLOCKS}, (char *)blocks.data};
    meta[2] = (struct bp_meta){(char[]){KEY_LEDGER}, (char *)read.data};
    meta[3] = (struct bp_meta){(char[]){KEY_CHECKSUM}, sum};
    BP_GO(checksum(meta[0].value, meta[1].value, meta[2].value, schema, sum, err));
    rc = bp_ipc_writer_finish(w, meta, 4, err);
out:
    bp_buf_release(&stage);
    bp_buf_release(&blocks);
    bp_buf_release(&read);
    return rc;
}

/* ---- reading ---- */

bool bp_stage_foot_is(const struct bp_ipc_file *f)
{
    const char *mark = bp_schema_meta(bp_ipc_file_schema(f), BP_STAGE_MARK);

    return bp_ipc_file_meta(f, KEY_STAGE) || bp_ipc_file_meta(f, KEY_CHECKSUM) ||
           (mark && strcmp(mark, BP_STAGE_MARK_VALUE) == 0);
}

static int damaged(const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "the footer is damaged: %s; run this task again", what);
}

static int read_keys(const json_t *v, struct bp_stage_foot *f, struct bp_err *err)
{
    const json_t *keys = json_object_get(v, "keys"), *classes = json_object_get(v, "classes");
    size_t n = json_array_size(keys);

    if (!json_is_array(keys) || json_array_size(classes) != n || n > INT32_MAX)
        return damaged("keys and classes do not agree", err);
    f->keys = bp_mem_new(n, sizeof *f->keys, err);
    f->classes = bp_mem_new(n, sizeof *f->classes, err);
    if (!f->keys || !f->classes)
        return err->code;
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(keys, i));
        json_int_t class = json_integer_value(json_array_get(classes, i));

        if (!name || class < 1 || class > 255)
            return damaged("a key has no name or no class", err);
        f->keys[i] = bp_mem_str(name, err);
        if (!f->keys[i])
            return err->code;
        f->n_keys = (int)i + 1;
        f->classes[i] = (int)class;
    }
    return 0;
}

/* By range; with hot keys spread. */
static int read_way(const json_t *v, struct bp_stage_foot *f, struct bp_err *err)
{
    const json_t *range = json_object_get(v, "range"), *borders = json_object_get(v, "borders");
    const json_t *split = json_object_get(v, "split"), *copied = json_object_get(v, "copied");
    const json_t *hot = json_object_get(v, "hot");

    if ((split && !json_is_true(split)) || (copied && !json_is_true(copied)) || (split && copied))
        return damaged("not said whether keys are split", err);
    f->split = split != NULL;
    f->copied = copied != NULL;
    if ((split || copied) != json_is_string(hot) ||
        !bp_borders_parse(json_string_value(hot), f->hot))
        return damaged("not said which keys are hot", err);
    if (!range && !borders)
        return 0;
    if (!json_is_string(range) || !json_is_string(borders) ||
        !bp_borders_parse(json_string_value(borders), f->borders) || !f->n_keys || f->even)
        return damaged("no range", err);
    f->range = bp_mem_str(json_string_value(range), err);
    return f->range ? 0 : err->code;
}

static int read_head(const json_t *v, struct bp_stage_foot *f, struct bp_err *err)
{
    const char *identity = json_string_value(json_object_get(v, "identity"));
    const json_t *even = json_object_get(v, "even");
    int64_t version, parts, task, n_tasks, n_blocks;

    BP_TRY(bp_json_int(v, "version", 1, INT32_MAX, &version, KEY_STAGE, err));
    if (version > VERSION_MAX)
        return bp_fail(err, BP_EDATA, "a stage of version %lld: a newer bp-shuffle wrote it",
                       (long long)version);
    BP_TRY(bp_json_int(v, "parts", 1, BP_PARTS_MAX, &parts, KEY_STAGE, err));
    BP_TRY(bp_json_int(v, "tasks", 1, INT32_MAX, &n_tasks, KEY_STAGE, err));
    BP_TRY(bp_json_int(v, "task", 0, n_tasks - 1, &task, KEY_STAGE, err));
    BP_TRY(bp_json_int(v, "rows", 0, INT64_MAX, &f->n_rows, KEY_STAGE, err));
    BP_TRY(bp_json_int(v, "blocks", 0, INT32_MAX, &n_blocks, KEY_STAGE, err));
    if (!identity || strlen(identity) != 32 || !json_is_boolean(even))
        return damaged("no identity or not said whether even", err);
    memcpy(f->identity, identity, sizeof f->identity);
    f->even = json_is_true(even);
    f->parts = (uint32_t)parts;
    f->task = (int)task;
    f->n_tasks = (int)n_tasks;
    f->n_blocks = n_blocks;
    BP_TRY(read_keys(v, f, err));
    BP_TRY(read_way(v, f, err));
    if (version != version_of(f))
        return damaged("its version is not that of its contents", err);
    return 0;
}

/* One number without sign or leading blank, then one byte `end`. */
static const char *read_number(const char *p, int base, int64_t max, char end, uint64_t *out)
{
    char *stop;

    if (!((*p >= '0' && *p <= '9') || (base == 16 && *p >= 'a' && *p <= 'f')))
        return NULL;
    *out = strtoull(p, &stop, base);
    return *stop == end && *out <= (uint64_t)max ? stop + 1 : NULL;
}

static const char *read_block(const char *p, uint32_t parts, struct bp_stage_block *b)
{
    uint64_t v[6];

    if (!(p = read_number(p, 10, parts - 1, ' ', &v[0])) ||
        !(p = read_number(p, 10, INT32_MAX, ' ', &v[1])) ||
        !(p = read_number(p, 10, INT64_MAX, ' ', &v[2])) ||
        !(p = read_number(p, 10, INT64_MAX, ' ', &v[3])) ||
        !(p = read_number(p, 10, INT64_MAX, ' ', &v[4])) ||
        !(p = read_number(p, 16, -1, '\n', &v[5])))
        return NULL;
    *b = (struct bp_stage_block){.part = (uint32_t)v[0],
                                 .index = (int32_t)v[1],
                                 .n_rows = (int64_t)v[2],
                                 .offset_bytes = (int64_t)v[3],
                                 .n_bytes = (int64_t)v[4],
                                 .checksum = v[5]};
    return p;
}

static int keep_block(struct bp_stage_foot *f, const struct bp_stage_block *b, struct bp_err *err)
{
    struct bp_stage_block *grown;

    if ((f->n_blocks & (f->n_blocks - 1)) == 0) { /* full at powers of two */
        grown =
            bp_mem_grow(f->blocks, (size_t)(f->n_blocks ? f->n_blocks * 2 : 1), sizeof *grown, err);
        if (!grown)
            return err->code;
        f->blocks = grown;
    }
    f->blocks[f->n_blocks++] = *b;
    return 0;
}

/* Each block of the file is listed once, in order, and the rows add up. */
static int read_blocks(const char *p, int n_batches, int64_t first, int64_t last,
                       struct bp_stage_foot *f, struct bp_err *err)
{
    struct bp_stage_block b, before = {.index = -1};
    int64_t n_listed = 0, n_rows = 0, claimed = f->n_blocks;
    uint8_t *seen = bp_mem_new(bp_bits_bytes(n_batches), 1, err);
    int rc = 0;

    if (!seen)
        return err->code;
    f->n_blocks = 0;
    for (; *p; n_listed++) {
        p = read_block(p, f->parts + (f->copied ? 1 : 0), &b);
        if (!p)
            BP_GO(damaged("a line of " KEY_BLOCKS " is not readable", err));
        if (b.index >= n_batches || bp_bit_get(seen, b.index) ||
            (n_listed && by_part(&before, &b) >= 0))
            BP_GO(damaged(KEY_BLOCKS " does not list each block once, by partition", err));
        if (__builtin_add_overflow(n_rows, b.n_rows, &n_rows))
            BP_GO(damaged("rows do not add up", err));
        bp_bit_set(seen, b.index);
        if (first < 0 || (b.part >= first && b.part <= last) || b.part == f->parts)
            BP_GO(keep_block(f, &b, err));
        before = b;
    }
    if (n_listed != n_batches || n_listed != claimed || n_rows != f->n_rows)
        BP_GO(damaged("blocks or rows do not add up", err));
out:
    bp_mem_free(seen);
    return rc < 0 ? rc : 0;
}

int bp_stage_foot_read(const struct bp_ipc_file *f, int64_t first, int64_t last,
                       struct bp_stage_foot *out, struct bp_err *err)
{
    const char *stage = bp_ipc_file_meta(f, KEY_STAGE), *blocks = bp_ipc_file_meta(f, KEY_BLOCKS);
    const char *ledger = bp_ipc_file_meta(f, KEY_LEDGER);
    const char *sum = bp_ipc_file_meta(f, KEY_CHECKSUM);
    char want[17];
    json_t *v = NULL;
    int rc;

    *out = (struct bp_stage_foot){0};
    if (!bp_stage_foot_is(f))
        return bp_fail(err, BP_EDATA, "this Arrow file is not of a stage");
    if (!stage || !blocks || !ledger || !sum)
        return damaged("a key is missing", err);
    if (!bp_ipc_file_as_written(f)) /* a bit of the schema's encoding, which no text shows */
        return damaged("a column is not encoded as stages are", err);
    BP_TRY(checksum(stage, blocks, ledger, bp_ipc_file_schema(f), want, err));
    if (strcmp(sum, want) != 0)
        return damaged("its checksum is wrong", err);
    BP_TRY(bp_json_read(stage, KEY_STAGE, &v, err));
    rc = read_head(v, out, err);
    json_decref(v);
    if (rc == 0)
        rc = bp_ledger_read(&out->ledger, ledger, err);
    if (rc == 0)
        rc = read_blocks(blocks, bp_ipc_file_n_batches(f), first, last, out, err);
    if (rc < 0)
        bp_stage_foot_release(out);
    return rc;
}
