/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's side of a body in shared memory: when it pays, and what stands in the pipe instead.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/writer.h"

/* What is shorter is copied by the kernel in less time than a slot takes to come back. */
#define BODY_LEAST_BYTES ((int64_t)64 << 10)
/* A stream of less is through before memory for a ring has been touched for the first time. */
#define BEFORE_BYTES ((int64_t)2 << 20)
/* Who has not begun to read after so many bodies is none of ours: they fill any pipe. */
#define TRIES_MOST 32

static void decide(struct bp_ipc_handover *h, const struct bp_ipc_writer *w)
{
    const char *says = getenv("BP_RING");

    h->decided = true;
    h->all = says && strcmp(says, "all") == 0; /* for tests */
    h->may = w->f->is_pipe && !w->f->encoder.self && !w->f->far_self && bp_ring_may(w->f->fd);
}

/* Is there a ring, or one now? */
static bool find_reader(struct bp_ipc_handover *h, const struct bp_ipc_writer *w)
{
    if (h->ring)
        return true;
    h->ring = bp_ring_out_open(w->f->fd);
    if (!h->ring && ++h->n_tries == TRIES_MOST)
        h->may = false;
    return h->ring != NULL;
}

static void fill(uint8_t *to, const struct bp_ipc_parts *p)
{
    for (int i = 1; i < p->n_iov; i++) {
        memcpy(to, p->iov[i].iov_base, p->iov[i].iov_len);
        to += p->iov[i].iov_len;
    }
}

bool bp_ipc_handover_pays(struct bp_ipc_handover *h, const struct bp_ipc_writer *w, int64_t n_bytes)
{
    if (!h->decided)
        decide(h, w);
    if (h->may && n_bytes > 0 && n_bytes <= (int64_t)BP_RING_SLOT_BYTES &&
        (h->all || (n_bytes >= BODY_LEAST_BYTES && h->seen_bytes >= BEFORE_BYTES)) &&
        find_reader(h, w))
        return true;
    h->seen_bytes += n_bytes;
    return false;
}

int bp_ipc_hand_over(struct bp_ipc_handover *h, struct bp_ipc_writer *w, struct bp_err *err)
{
    int64_t n = w->parts.body_bytes;
    uint32_t mark = BP_IPC_HANDED, handed[2];
    uint8_t *slot;

    if (n > (int64_t)BP_RING_SLOT_BYTES)
        return 0;
    BP_TRY(bp_buf_reserve(&w->head, sizeof handed, err));
    slot = bp_ring_out_slot(h->ring, &handed[1]);
    if (!slot) {
        h->may = false;
        bp_ring_out_free(h->ring);
        h->ring = NULL;
        return 0;
    }
    fill(slot, &w->parts);
    if (!h->begun) /* what earlier bodies were converted in is not needed again */
        bp_mem_drop_free(0);
    h->begun = true;
    handed[0] = bp_ring_out_token(h->ring);
    memcpy(w->head.data, &mark, sizeof mark);
    memcpy(w->head.data + w->head.len, handed, sizeof handed);
    w->head.len += sizeof handed;
    BP_TRY(bp_ipc_writer_bytes(w, w->head.data, w->head.len, err));
    w->f->pos_bytes += n - (int64_t)sizeof handed; /* as if it had gone there */
    return 1;
}

void bp_ipc_handover_release(struct bp_ipc_handover *h)
{
    bp_ring_out_free(h->ring);
    *h = (struct bp_ipc_handover){0};
}
