/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"

#include <string.h>

#include "base/num.h"

#define LIST_STEP 16

static size_t block_room(int i)
{
    size_t bytes = BP_CHAIN_LEAST_BYTES;

    for (; i && bytes < BP_CHAIN_MOST_BYTES; i--)
        bytes *= 2;
    return bytes;
}

static int add_block(struct bp_chain *c, struct bp_err *err)
{
    if (c->n == c->cap) {
        struct bp_block **blocks =
            bp_mem_grow(c->blocks, (size_t)c->cap + LIST_STEP, sizeof *blocks, err);

        if (!blocks)
            return err->code;
        c->blocks = blocks;
        c->cap += LIST_STEP;
    }
    BP_TRY(bp_block_new(&c->blocks[c->n], block_room(c->n), err));
    c->room += block_room(c->n++);
    return 0;
}

int bp_chain_put(struct bp_chain *c, const void *p, size_t n, struct bp_err *err)
{
    const uint8_t *from = p;

    while (n) {
        size_t some;

        if (c->len == c->room)
            BP_TRY(add_block(c, err));
        some = BP_MIN(n, c->room - c->len);
        memcpy(c->blocks[c->n - 1]->data + bp_chain_block_bytes(c, c->n - 1), from, some);
        c->len += some;
        from += some;
        n -= some;
    }
    return 0;
}

size_t bp_chain_block_bytes(const struct bp_chain *c, int i)
{
    return block_room(i) - (i < c->n - 1 ? 0 : c->room - c->len);
}

size_t bp_chain_bytes(const struct bp_chain *c)
{
    return c->room;
}

void bp_chain_clear(struct bp_chain *c)
{
    for (int i = 0; i < c->n; i++)
        bp_block_unref(c->blocks[i]);
    c->n = 0;
    c->len = c->room = 0;
}

void bp_chain_release(struct bp_chain *c)
{
    bp_chain_clear(c);
    bp_mem_free(c->blocks);
    *c = (struct bp_chain){0};
}
