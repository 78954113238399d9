/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/sys/ring_*.c: what both sides agree on. */
#ifndef BP_SYS_RING_WIRE_H
#define BP_SYS_RING_WIRE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys/ring.h"

/* More let a writer run further ahead, and take memory. */
#define BP_RING_SLOTS 4
/* A slot's bytes, and as many as wide loads may see behind them; a multiple of a page. */
#define BP_RING_STRIDE_BYTES (BP_RING_SLOT_BYTES + 4096)

/* The writer's first message, with the descriptor of the memory. Later ones are from the reader,
 * one byte each: a slot that is free again. */
struct bp_ring_hello {
    char magic[8];
    uint32_t token;
    uint32_t n_slots;
    uint64_t stride_bytes;
};
#define BP_RING_MAGIC "bpring2"

/* The address of the pipe fd. False: it is none. It has a number, of this way of doing it all: who
 * does it in another way is not found. */
bool bp_ring_address(int fd, struct sockaddr_un *out, socklen_t *len);
/* Is the other end of the same user? */
bool bp_ring_is_own(int socket);

#endif
