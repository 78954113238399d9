/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow files by hand, as lib/stage uses them: places, checksums, shares, damage. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/marks.h"
#include "ipc/ipc.h"
#include "unit.h"

enum { N_BATCHES = 7 };

static struct bp_ipc_place places[N_BATCHES];

static void make_batch(struct bp_batch *out, int i)
{
    struct bp_err err = {0};
    struct bp_builder n, t;
    char text[16];

    bp_builder_init(&n, BP_TYPE(BP_INT32));
    bp_builder_init(&t, BP_TYPE(BP_TEXT));
    for (int32_t k = 0; k < 10 + i; k++) {
        int32_t v = i * 100 + k;

        snprintf(text, sizeof text, "word %d", v % 20);
        CHECK(bp_builder_add(&n, &v, &err) == 0);
        CHECK(bp_builder_add_bytes(&t, text, strlen(text), &err) == 0);
    }
    CHECK(bp_batch_init(out, 2, &err) == 0);
    out->n_rows = 10 + i;
    CHECK(bp_builder_finish(&n, &out->cols[0], &err) == 0);
    CHECK(bp_builder_finish(&t, &out->cols[1], &err) == 0);
}

/* N_BATCHES blocks and a footer entry; the text is a dictionary field. */
static uint8_t *write_file(size_t *n_bytes)
{
    static char key[] = "bp.index", value[] = "anything";
    struct bp_meta meta = {key, value};
    int fd = memfd_create("file", 0);
    struct bp_err err = {0};
    struct bp_schema schema = {0};
    struct bp_ipc_writer *w;
    struct bp_outfile f;
    uint8_t *p = NULL;

    CHECK(bp_schema_add(&schema, "n", BP_TYPE(BP_INT32), &err) == 0);
    CHECK(bp_schema_add(&schema, "t", BP_TYPE(BP_TEXT), &err) == 0);
    schema.fields[1].dict = BP_DICT_KNOWN;
    CHECK(bp_outfile_borrow(&f, dup(fd), "memory", &err) == 0);
    CHECK(bp_ipc_writer_open(&w, &f, true, &schema, &err) == 0);
    for (int i = 0; i < N_BATCHES; i++) {
        struct bp_batch b;

        make_batch(&b, i);
        CHECK(bp_ipc_writer_put(w, &b, &places[i], &err) == 0);
        bp_batch_release(&b);
    }
    CHECK(bp_ipc_writer_finish(w, &meta, 1, &err) == 0);
    *n_bytes = (size_t)f.pos_bytes;
    CHECK(bp_outfile_commit(&f, &err) == 0);
    bp_outfile_abort(&f);
    bp_ipc_writer_free(w);
    bp_schema_release(&schema);
    p = malloc(*n_bytes);
    CHECK(p && pread(fd, p, *n_bytes, 0) == (ssize_t)*n_bytes);
    close(fd);
    return p;
}

static int open_file(struct bp_ipc_file **f, const uint8_t *p, size_t n, struct bp_err *err)
{
    struct bp_input in;

    BP_TRY(bp_input_from_memory(&in, "memory", p, n, err));
    return bp_ipc_file_open(f, &in, err);
}

static void batches_are_read_in_any_order(void)
{
    size_t n, len;
    uint8_t *p = write_file(&n);
    struct bp_err err = {0};
    struct bp_ipc_file *f;

    NEED(open_file(&f, p, n, &err) == 0);
    CHECK(bp_ipc_file_n_batches(f) == N_BATCHES);
    CHECK_STR(bp_ipc_file_meta(f, "bp.index"), "anything");
    CHECK_STR(bp_ipc_file_meta(f, "bp.rows"), "91");
    CHECK(bp_ipc_file_meta(f, "nothing") == NULL);
    for (int i = N_BATCHES - 1; i >= 0; i--) {
        struct bp_batch b;
        const uint8_t *s;
        char want[16];

        NEED(bp_ipc_file_read(f, i, &places[i].checksum, &b, &err) == 0);
        CHECK(b.n_rows == 10 + i && places[i].n_rows == b.n_rows);
        CHECK(((const int32_t *)b.cols[0].data)[3] == i * 100 + 3);
        snprintf(want, sizeof want, "word %d", (i * 100 + 3) % 20);
        s = bp_column_bytes(&b.cols[1], 3, &len);
        CHECK(len == strlen(want) && memcmp(s, want, len) == 0);
        bp_batch_release(&b);
    }
    bp_ipc_file_free(f);
    free(p);
}

static void bodies_begin_at_multiples_of_64(void)
{
    size_t n;
    uint8_t *p = write_file(&n);

    for (int i = 0; i < N_BATCHES; i++)
        CHECK((places[i].offset_bytes + places[i].metadata_bytes) % 64 == 0 &&
              places[i].body_bytes % 64 == 0);
    free(p);
}

/* Reads everything, with checksums; 0 or the error. */
static int read_everything(const uint8_t *p, size_t n, struct bp_err *err)
{
    struct bp_ipc_file *f;
    int rc = open_file(&f, p, n, err);

    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && i < bp_ipc_file_n_batches(f); i++) {
        struct bp_batch b;

        rc = bp_ipc_file_read(f, i, &places[i].checksum, &b, err);
        if (rc == 0)
            bp_batch_release(&b);
    }
    bp_ipc_file_free(f);
    return rc;
}

static void a_flipped_bit_of_a_message_is_found_by_its_checksum(void)
{
    size_t n;
    uint8_t *p = write_file(&n);
    size_t from = (size_t)places[0].offset_bytes;
    const struct bp_ipc_place *last = &places[N_BATCHES - 1];
    size_t to = (size_t)(last->offset_bytes + last->metadata_bytes + last->body_bytes);

    for (size_t i = from; i < to; i++) {
        struct bp_err err = {0};

        p[i] ^= (uint8_t)(1u << (i % 8));
        CHECK(read_everything(p, n, &err) == BP_EDATA);
        p[i] ^= (uint8_t)(1u << (i % 8));
    }
    free(p);
}

static void a_flipped_bit_anywhere_never_crashes(void)
{
    size_t n;
    uint8_t *p = write_file(&n);

    for (size_t i = 0; i < n * 8; i += 3) {
        struct bp_err err = {0};

        p[i / 8] ^= (uint8_t)(1u << (i % 8));
        (void)!read_everything(p, n, &err);
        p[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    free(p);
}

static void a_cut_file_is_refused(void)
{
    size_t n;
    uint8_t *p = write_file(&n);

    for (size_t i = 0; i < n; i++) {
        struct bp_err err = {0};
        uint8_t *part = malloc(i ? i : 1);

        NEED(part);
        memcpy(part, p, i);
        CHECK(read_everything(part, i, &err) == BP_EDATA);
        free(part);
    }
    free(p);
}

static void shares_take_each_batch_once(void)
{
    size_t n;
    uint8_t *p = write_file(&n);

    for (int tasks = 1; tasks < 12; tasks++) {
        int64_t rows = 0;

        for (int task = 0; task < tasks; task++) {
            struct bp_ipc_opts o = {.task = task, .n_tasks = tasks};
            struct bp_err err = {0};
            struct bp_source src;
            struct bp_input in;
            struct bp_batch b;
            struct bp_share share;
            bool first = true;
            int rc;

            NEED(bp_input_from_memory(&in, "memory", p, n, &err) == 0);
            NEED(bp_ipc_file_source(&src, &in, &o, &err) == 0);
            CHECK(bp_mark_task(&src.schema, &share, &err) == 0);
            CHECK(share.i == task && share.n == tasks);
            while ((rc = bp_source_next(&src, &b, &err)) == 0) {
                CHECK(b.share.i == task && b.share.n == tasks);
                CHECK(!first || b.n_rows == 0);
                first = false;
                rows += b.n_rows;
                bp_batch_release(&b);
            }
            CHECK(rc == BP_DONE && !first);
            bp_source_free(&src);
        }
        CHECK(rows == 91);
    }
    free(p);
}

static void wanted_columns_come_in_the_wanted_order(void)
{
    static const int twice[] = {1, 0, 1};
    size_t n;
    uint8_t *p = write_file(&n);
    struct bp_err err = {0};
    struct bp_ipc_file *f;
    struct bp_batch b;

    NEED(open_file(&f, p, n, &err) == 0);
    NEED(bp_ipc_file_read_columns(f, 2, NULL, twice, 3, &b, &err) == 0);
    CHECK(b.n_cols == 3 && b.cols[0].dict && b.cols[1].type.kind == BP_INT32 && b.cols[2].dict);
    CHECK(((const int32_t *)b.cols[1].data)[0] == 200);
    bp_batch_release(&b);
    bp_ipc_file_free(f);
    free(p);
}

UNIT_MAIN(T(batches_are_read_in_any_order), T(bodies_begin_at_multiples_of_64),
          T(a_flipped_bit_of_a_message_is_found_by_its_checksum),
          T(a_flipped_bit_anywhere_never_crashes), T(a_cut_file_is_refused),
          T(shares_take_each_batch_once), T(wanted_columns_come_in_the_wanted_order))
