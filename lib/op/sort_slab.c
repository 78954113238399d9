/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_slab.h"

#include <string.h>

#include "base/num.h"

#define MOST_BYTES ((size_t)32 << 20)
#define LIMIT_SHARE 16 /* of a memory limit, for a block */

void bp_slab_init(struct bp_slab *s, int64_t limit_bytes)
{
    memset(s, 0, sizeof *s);
    s->most_bytes = MOST_BYTES;
    if (limit_bytes)
        s->most_bytes = BP_MIN(s->most_bytes, (size_t)limit_bytes / LIMIT_SHARE);
}

void bp_slab_release(struct bp_slab *s)
{
    for (int i = 0; i < s->n_blocks; i++)
        bp_block_unref(s->blocks[i]);
    bp_mem_free(s->blocks);
    memset(s, 0, sizeof *s);
}

static int add_block(struct bp_slab *s, size_t bytes, struct bp_err *err)
{
    struct bp_block **bigger =
        bp_mem_grow(s->blocks, (size_t)s->n_blocks + 1, sizeof(struct bp_block *), err);

    if (!bigger)
        return err->code;
    s->blocks = bigger;
    BP_TRY(bp_block_new(&bigger[s->n_blocks], bytes, err));
    bp_block_huge(bigger[s->n_blocks]);
    s->all_bytes += bigger[s->n_blocks++]->cap_bytes;
    s->used_bytes = 0;
    return 0;
}

int bp_slab_take(struct bp_slab *s, size_t bytes, uint8_t **out, struct bp_err *err)
{
    size_t room = s->n_blocks ? s->blocks[s->n_blocks - 1]->cap_bytes - s->used_bytes : 0;

    if (bytes > room)
        BP_TRY(add_block(s, BP_MAX(bytes, BP_MIN(s->all_bytes, s->most_bytes)), err));
    *out = s->blocks[s->n_blocks - 1]->data + s->used_bytes;
    s->used_bytes += (bytes + BP_SLAB_ALIGN_BYTES - 1) & ~(size_t)(BP_SLAB_ALIGN_BYTES - 1);
    s->used_bytes = BP_MIN(s->used_bytes, s->blocks[s->n_blocks - 1]->cap_bytes);
    return 0;
}
