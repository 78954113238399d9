/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"
#include "base/num.h"
#include "unit.h"

#define MOST (5 * BP_CHAIN_MOST_BYTES)

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 2654435761u >> 13);
}

/* Appends n bytes, of which the first is number c->len. */
static void put(struct bp_chain *c, size_t n)
{
    static uint8_t bytes[MOST];
    struct bp_err err = {0};

    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_at(c->len + i);
    NEED(bp_chain_put(c, bytes, n, &err) == 0);
}

static void need_same(const struct bp_chain *c)
{
    size_t at = 0;

    for (int i = 0; i < c->n; i++) {
        size_t n = bp_chain_block_bytes(c, i);

        NEED(n > 0 && n <= BP_CHAIN_MOST_BYTES);
        NEED(n <= c->blocks[i]->cap_bytes);
        for (size_t k = 0; k < n; k++)
            NEED(c->blocks[i]->data[k] == byte_at(at + k));
        at += n;
    }
    NEED(at == c->len);
    NEED(bp_chain_bytes(c) >= c->len && bp_chain_bytes(c) < c->len + BP_CHAIN_MOST_BYTES);
}

static void what_was_put_is_there(void)
{
    static const size_t sizes[] = {0,
                                   1,
                                   4095,
                                   BP_CHAIN_MOST_BYTES - 1,
                                   BP_CHAIN_MOST_BYTES,
                                   BP_CHAIN_MOST_BYTES + 1,
                                   3 * BP_CHAIN_MOST_BYTES};
    struct bp_chain c = {0};

    for (size_t i = 0; i < BP_COUNT_OF(sizes); i++) {
        for (size_t k = 0; k < BP_COUNT_OF(sizes); k++) {
            put(&c, sizes[i]);
            put(&c, sizes[k]);
            NEED(c.len == sizes[i] + sizes[k]);
            need_same(&c);
            bp_chain_clear(&c);
            NEED(c.len == 0 && c.n == 0);
        }
    }
    bp_chain_release(&c);
    NEED(!c.blocks);
}

/* Blocks double up to the largest; one that is full is not followed by an empty one. */
static void few_bytes_take_little(void)
{
    struct bp_chain c = {0};
    size_t room = BP_CHAIN_LEAST_BYTES;

    for (int i = 0; i < 40; i++) { /* more than the list begins with */
        put(&c, 1);
        NEED(c.n == i + 1 && bp_chain_bytes(&c) - c.len == room - 1);
        put(&c, room - 1);
        NEED(c.n == i + 1 && bp_chain_bytes(&c) == c.len);
        room = BP_MIN(room * 2, BP_CHAIN_MOST_BYTES);
    }
    need_same(&c);
    bp_chain_release(&c);
}

UNIT_MAIN(T(what_was_put_is_there), T(few_bytes_take_little))
