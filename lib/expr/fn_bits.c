/* SPDX-License-Identifier: Apache-2.0 */
/* Bits and bytes: & | # ~ << >>, digests, hash(), bytes by number; counts of NULLs. */
#include <stdlib.h>
#include <string.h>

#include "base/sha2.h"
#include "col/key.h"
#include "col/text.h"
#include "expr/function.h"
#include "expr/text_arg.h"

/* ---- operators of whole numbers ---- */

enum bits { B_AND, B_OR, B_XOR, B_NOT, B_LEFT, B_RIGHT };

/* The shift is taken modulo the width, as the processors that PostgreSQL runs on do. */
#define BITS(S, T, U)                                                                              \
    static int bits_##S(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)        \
    {                                                                                              \
        const T *a = args[0].c.data, *b = r->node->n_args > 1 ? args[1].c.data : a;                \
        const int64_t *by = args[r->node->n_args - 1].c.data;                                      \
        int64_t sa = !args[0].one, sb = !args[r->node->n_args - 1].one;                            \
        int64_t wide = (int64_t)sizeof(T) * 8 < 32 ? 31 : (int64_t)sizeof(T) * 8 - 1;              \
        enum bits op = (enum bits)r->node->op;                                                     \
        T *v;                                                                                      \
        void *data;                                                                                \
        BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));                         \
        v = data;                                                                                  \
        for (int64_t i = 0; i < r->n; i++) {                                                       \
            T x = a[i * sa];                                                                       \
            switch (op) {                                                                          \
            case B_AND: v[i] = (T)(x & b[i * sb]); break;                                          \
            case B_OR: v[i] = (T)(x | b[i * sb]); break;                                           \
            case B_XOR: v[i] = (T)(x ^ b[i * sb]); break;                                          \
            case B_NOT: v[i] = (T)~x; break;                                                       \
            case B_LEFT: v[i] = (T)(U)((uint64_t)(U)x << (by[i * sb] & wide)); break;              \
            default: v[i] = (T)((int64_t)x >> (by[i * sb] & wide)); break;                         \
            }                                                                                      \
        }                                                                                          \
        return 0;                                                                                  \
    }
BITS(i8, int8_t, uint8_t)
BITS(i16, int16_t, uint16_t)
BITS(i32, int32_t, uint32_t)
BITS(i64, int64_t, uint64_t)
BITS(u8, uint8_t, uint8_t)
BITS(u16, uint16_t, uint16_t)
BITS(u32, uint32_t, uint32_t)

static int bits_u64(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const uint64_t *a = args[0].c.data;
    const int64_t *by = args[r->node->n_args - 1].c.data;
    int64_t sb = !args[r->node->n_args - 1].one;
    uint64_t *v;
    void *data;

    if (r->node->op != B_RIGHT)
        return bits_i64(r, args, out);
    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = a[args[0].one ? 0 : i] >> (by[i * sb] & 63);
    return 0;
}

static bp_kernel bits_kernel(int kind)
{
    static const bp_kernel kernels[BP_N_KINDS] = {
        [BP_INT8] = bits_i8,    [BP_INT16] = bits_i16,  [BP_INT32] = bits_i32,
        [BP_INT64] = bits_i64,  [BP_UINT8] = bits_u8,   [BP_UINT16] = bits_u16,
        [BP_UINT32] = bits_u32, [BP_UINT64] = bits_u64,
    };

    return kernels[kind];
}

/* Both sides as one type; a shift keeps the left one's. */
static int bind_bits(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_type t = args[0]->type;

    if (c->op == B_LEFT || c->op == B_RIGHT) {
        BP_TRY(bp_coerce(b, &args[1], BP_TYPE(BP_INT64)));
    } else if (*n > 1) {
        t = bp_promote_numbers(args[0]->type, args[1]->type);
        if (!bp_type_is_int(t))
            return bp_bind_fail(b, tok,
                                "ubigint and a signed type have no bits in common: cast one");
        BP_TRY(bp_coerce(b, &args[0], t));
        BP_TRY(bp_coerce(b, &args[1], t));
    }
    c->type = t;
    c->run = bits_kernel(t.kind);
    return 0;
}

/* ---- digests ---- */

/* op: bytes of the digest. Text as hexadecimal, bytes as bytes. */
static int row_sha(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                   size_t *used)
{
    int bytes = r->node->op;
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t digest[64], *to;

    if (bytes <= 32)
        bp_sha256(s, n, bytes, digest);
    else
        bp_sha512(s, n, bytes, digest);
    BP_TRY(bp_text_out_room(o, 2 * (size_t)bytes, &to, r->ev->err));
    *used = (size_t)bytes;
    if (r->node->type.kind == BP_BINARY) {
        memcpy(to, digest, *used);
        return 0;
    }
    for (size_t k = 0; k < *used; k++) {
        to[2 * k] = (uint8_t) "0123456789abcdef"[digest[k] >> 4];
        to[2 * k + 1] = (uint8_t) "0123456789abcdef"[digest[k] & 15];
    }
    *used *= 2;
    return 0;
}

/* A bare literal is bytea, as in PostgreSQL. */
static int bind_sha(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)n;
    if (args[0]->kind == BP_N_LITERAL)
        BP_TRY(bp_coerce(b, &args[0], BP_TYPE(BP_BINARY)));
    if (!bp_type_is_bytes(args[0]->type))
        return bp_bind_fail(b, tok, "digests are of text or bytea");
    c->type = args[0]->type;
    return 0;
}

/* ---- hash: the key hash of stages ---- */

static int run_hash(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column **cols;
    struct bp_column *wide;
    void *data;
    int n = r->node->n_args, made = 0, rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    cols = bp_mem_new((size_t)n, sizeof *cols + sizeof *wide, r->ev->err);
    if (!cols)
        return r->ev->err->code;
    wide = (struct bp_column *)(void *)(cols + n);
    for (; made < n; made++) {
        struct bp_vec v = {.one = args[made].one};

        bp_column_ref(&v.c, &args[made].c);
        BP_GO(bp_vec_expand(&wide[made], &v, r->n, r->ev->err));
        cols[made] = &wide[made];
    }
    BP_GO(bp_key_hash(cols, n, r->n, data, r->ev->err));
out:
    for (int i = 0; i < made; i++)
        bp_column_release(&wide[i]);
    bp_mem_free(cols);
    return rc;
}

/* ---- bytes ---- */

static int run_get(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t at = arg_int64(&args[1], i), per = r->node->op ? 8 : 1;
        size_t n;
        const uint8_t *s = arg_bytes(&args[0], i, &n);

        v[i] = 0;
        if (at >= 0 && at / per < (int64_t)n)
            v[i] = r->node->op ? s[at / 8] >> (at % 8) & 1 : s[at];
        else if (bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "there is no place %lld among %zu bytes", (long long)at, n));
    }
    return 0;
}

static int run_bit_count(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;
        const uint8_t *s = arg_bytes(&args[0], i, &n);
        int64_t bits = 0;

        for (size_t k = 0; k < n; k++)
            bits += __builtin_popcount(s[k]);
        ((int64_t *)data)[i] = bits;
    }
    return 0;
}

/* convert_to, convert_from: UTF-8 only; op: from */
static int row_convert(struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    size_t n, bad;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t *to;

    if (r->node->op && (!bp_utf8_check(s, n, &bad) || (n && memchr(s, 0, n))))
        return bp_run_fail(r, i, "the bytes are not UTF-8");
    BP_TRY(bp_text_out_room(o, n, &to, r->ev->err));
    if (n)
        memcpy(to, s, n);
    *used = n;
    return 0;
}

static int bind_utf8(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    const char *s;
    size_t len;

    (void)tok, (void)c;
    if (!bp_node_const_text(args[1], &s, &len) || !((len == 4 && strncasecmp(s, "utf8", 4) == 0) ||
                                                    (len == 5 && strncasecmp(s, "utf-8", 5) == 0)))
        return bp_bind_fail(b, args[1]->tok, "the only encoding is 'UTF8'");
    *n = 1;
    return 0;
}

/* ---- num_nulls, num_nonnulls (op 1) ---- */

static int run_nulls(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = 0;
        for (int a = 0; a < r->node->n_args; a++)
            v[i] += bp_column_is_null(&args[a].c, args[a].one ? 0 : i) != r->node->op;
    }
    return 0;
}

BP_TEXT_KERNEL(run_sha, row_sha)
BP_TEXT_KERNEL(run_convert, row_convert)

#define BIT_OP(NAME, OP, ...)                                                                      \
    {                                                                                              \
        .name = NAME, .result = BP_ANY, .op = OP, .bind = bind_bits, .flags = BP_FN_CHEAP,         \
        .args = {                                                                                  \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define SHA(NAME, OP)                                                                              \
    {                                                                                              \
        .name = NAME, .result = BP_ANY, .op = OP, .bind = bind_sha, .run = run_sha, .args = {      \
            BP_RAW                                                                                 \
        }                                                                                          \
    }
#define FN(NAME, RESULT, RUN, OP, FLAGS, ...)                                                      \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .op = OP, .flags = FLAGS, .args = {            \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct bp_fn fns[] = {
    BIT_OP("&", B_AND, BP_INT, BP_INT),
    BIT_OP("|", B_OR, BP_INT, BP_INT),
    BIT_OP("#", B_XOR, BP_INT, BP_INT),
    BIT_OP("~", B_NOT, BP_INT),
    BIT_OP("<<", B_LEFT, BP_INT, BP_INT),
    BIT_OP(">>", B_RIGHT, BP_INT, BP_INT),
    SHA("sha224", 28),
    SHA("sha256", 32),
    SHA("sha384", 48),
    SHA("sha512", 64),
    FN("hash", BP_UINT64, run_hash, 0, BP_FN_LAX, BP_ANY, BP_MORE),
    FN("get_byte", BP_INT32, run_get, 0, BP_FN_FALLIBLE, BP_BINARY, BP_INT64),
    FN("get_bit", BP_INT32, run_get, 1, BP_FN_FALLIBLE, BP_BINARY, BP_INT64),
    FN("bit_count", BP_INT64, run_bit_count, 0, 0, BP_BINARY),
    {.name = "convert_to",
     .result = BP_BINARY,
     .run = run_convert,
     .bind = bind_utf8,
     .args = {BP_TEXT, BP_TEXT}},
    {.name = "convert_from",
     .result = BP_TEXT,
     .run = run_convert,
     .bind = bind_utf8,
     .op = 1,
     .flags = BP_FN_FALLIBLE,
     .args = {BP_BINARY, BP_TEXT}},
    FN("num_nulls", BP_INT32, run_nulls, 0, BP_FN_LAX, BP_ANY, BP_MORE),
    FN("num_nonnulls", BP_INT32, run_nulls, 1, BP_FN_LAX, BP_ANY, BP_MORE),
};

const struct bp_fn_table bp_fns_bits = {fns, BP_COUNT_OF(fns)};
