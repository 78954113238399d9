/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of a stage: no crash in reading the footer, and what it lists is
 * within the file's batches and adds up. Where the file opens but its checksum is wrong
 * the checksum is set right first, or no change of the texts would get past it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "stage/footer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct bp_meta *const *)a)->key,
                  (*(const struct bp_meta *const *)b)->key);
}

static void put_schema(const struct bp_schema *s, struct bp_buf *b, struct bp_err *err)
{
    const struct bp_meta **m = bp_mem_new((size_t)s->n_meta, sizeof(struct bp_meta *), err);
    char type[BP_TYPE_NAME_MAX];

    must(m != NULL);
    for (int i = 0; i < s->n_fields; i++)
        must(bp_buf_printf(b, err, "%s\t%s%s\n", s->fields[i].name,
                           bp_type_name(s->fields[i].type, type),
                           s->fields[i].nullable ? "" : "\tNOT NULL") == 0);
    for (int i = 0; i < s->n_meta; i++)
        m[i] = &s->meta[i];
    if (s->n_meta)
        qsort(m, (size_t)s->n_meta, sizeof *m, by_key);
    for (int i = 0; i < s->n_meta; i++)
        must(bp_buf_printf(b, err, "%s=%s\n", m[i]->key, m[i]->value) == 0);
    bp_mem_free(m);
}

/* As bp-stage(5) says, in place: the reader's own copy of the footer is overwritten. */
static void set_checksum_right(struct bp_ipc_file *f)
{
    const char *stage = bp_ipc_file_meta(f, "bp.stage");
    const char *blocks = bp_ipc_file_meta(f, "bp.blocks");
    const char *ledger = bp_ipc_file_meta(f, "bp.ledger");
    const char *sum = bp_ipc_file_meta(f, "bp.checksum");
    struct bp_err err = {0};
    struct bp_buf b = {0};
    char right[17];

    if (!stage || !blocks || !ledger || !sum || strlen(sum) != 16)
        return;
    must(bp_buf_printf(&b, &err, "%s\n%s%s\n", stage, blocks, ledger) == 0);
    put_schema(bp_ipc_file_schema(f), &b, &err);
    snprintf(right, sizeof right, "%016" PRIx64, bp_xxh3(b.data, b.len));
    memcpy((char *)(uintptr_t)sum, right, 16);
    bp_buf_release(&b);
}

static void check_foot(const struct bp_ipc_file *f, int64_t first, int64_t last)
{
    struct bp_stage_foot foot;
    struct bp_err err = {0};
    int64_t n_rows = 0;
    int rc = bp_stage_foot_read(f, first, last, &foot, &err);

    if (rc < 0) {
        must(err.code == rc && err.msg[0]);
        return;
    }
    must(foot.n_blocks <= bp_ipc_file_n_batches(f) && foot.task < foot.n_tasks);
    for (int64_t i = 0; i < foot.n_blocks; i++) {
        const struct bp_stage_block *k = &foot.blocks[i];

        must(k->part < foot.parts && k->index >= 0 && k->index < bp_ipc_file_n_batches(f));
        must(first < 0 || (k->part >= first && k->part <= last));
        must(k->n_rows >= 0 && k->n_bytes >= 0 && k->offset_bytes >= 0);
        n_rows += k->n_rows;
    }
    must(first < 0 ? n_rows == foot.n_rows : n_rows <= foot.n_rows);
    bp_stage_foot_release(&foot);
}

static void read_blocks(struct bp_ipc_file *f)
{
    struct bp_stage_foot foot;
    struct bp_err err = {0};
    struct bp_batch b;

    if (bp_stage_foot_read(f, -1, -1, &foot, &err) < 0)
        return;
    for (int64_t i = 0; i < foot.n_blocks; i++) {
        bp_err_clear(&err);
        if (bp_ipc_file_read(f, foot.blocks[i].index, &foot.blocks[i].checksum, &b, &err) == 0)
            bp_batch_release(&b);
    }
    bp_stage_foot_release(&foot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bp_err err = {0};
    struct bp_ipc_file *f;
    struct bp_input in;

    must(bp_input_from_memory(&in, "fuzz.arrow", data, size, &err) == 0);
    if (bp_ipc_file_open(&f, &in, &err) < 0) {
        must(err.msg[0] != 0);
        return 0;
    }
    check_foot(f, -1, -1);
    set_checksum_right(f);
    check_foot(f, -1, -1);
    check_foot(f, 1, 2);
    read_blocks(f);
    bp_ipc_file_free(f);
    return 0;
}
