/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command and its helper bp-remote speak (libexec/remote). Both run on one machine
 * and are of one build: numbers are as the machine has them, and nothing is versioned.
 *
 * `bp-remote serve`: descriptor 3 is a stream socket. The command sends requests, a head
 * and a payload each, any number at a time; each but WANT gets one answer with its id,
 * in any order. The helper ends when the socket does.
 *
 *   op       payload        a        b         c          answer: payload    a        b
 *   LOOK     URL            afresh   -         -          kind, version      size     mtime (ns)
 *   READ     URL            offset   n bytes   hint       the bytes          -        -
 *   LIST     URL prefix     deep     -         -          names, NUL each    -        -
 *   WANT     URL            offset   n bytes   -          none
 *   REMOVE   URL            -        -         -          -                  -        -
 *
 * kind is one byte: 'f' can be read at any place, 's' from its start to its end only (size
 * -1: not known), 'd' a directory, 'n' is not there. The version is up to 16 hex digits,
 * or nothing. READ gives fewer bytes only at the end; hint says how many will be wanted
 * from offset on, soon. LIST gives what follows the prefix, up to and with the next '/'
 * unless deep. All reads of a URL are of one version of it; a change is an error. But a look
 * afresh asks the server whatever is known, and reads behind it are of what was seen then.
 *
 * `bp-remote put URL`: descriptor 0 has the bytes, descriptor 3 is the socket. After the
 * end of the bytes the command sends one byte, 'c': then, and only then, the object is
 * made. An answer says how it went, also when the helper gives up before (and closes 0).
 */
#ifndef BP_SYS_WIRE_H
#define BP_SYS_WIRE_H

#include <stdint.h>

enum bp_wire_op {
    BP_WIRE_LOOK = 1,
    BP_WIRE_READ,
    BP_WIRE_LIST,
    BP_WIRE_REMOVE,
    BP_WIRE_WANT,
    BP_WIRE_OK = 16,
    BP_WIRE_FAIL, /* a: enum bp_code; payload: the message */
};

#define BP_WIRE_FD 3
#define BP_WIRE_REQUEST_BYTES ((uint32_t)1 << 16) /* a URL at most */
#define BP_WIRE_READ_BYTES ((int64_t)4 << 20)     /* b at most */

struct bp_wire_head {
    uint32_t op, n_bytes; /* of the payload */
    uint64_t id;
    int64_t a, b, c;
};

#endif
