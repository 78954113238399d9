/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/value_dict.h"

#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define SLOTS_LEAST 256u
/* With fewer values at once there are so many columns, or so few rows, that the array for small
 * integers would take more than it spares. */
#define SMALL_WORTH 2048

static inline uint32_t hash_word(uint64_t v)
{
    return (uint32_t)((v * 0x9e3779b97f4a7c15u) >> 32);
}

static inline uint32_t hash_bytes(const uint8_t *p, size_t n)
{
    return (uint32_t)XXH3_64bits(p, n);
}

static inline const uint64_t *words_of(const struct bp_pq_value_dict *d)
{
    return (const uint64_t *)(const void *)d->words.data;
}

static inline const int32_t *offsets_of(const struct bp_pq_value_dict *d)
{
    return (const int32_t *)(const void *)d->offsets.data;
}

static uint32_t hash_of(const struct bp_pq_value_dict *d, int64_t code)
{
    const int32_t *o = offsets_of(d);

    if (d->words.len)
        return hash_word(words_of(d)[code]);
    return hash_bytes(d->bytes.data + o[code], (size_t)(o[code + 1] - o[code]));
}

static int hash_again(struct bp_pq_value_dict *d, uint32_t n, struct bp_err *err)
{
    uint32_t *slots = bp_mem_new(n, sizeof *slots, err);

    if (!slots)
        return err->code;
    bp_mem_free(d->slots);
    d->slots = slots;
    d->n_slots = n;
    for (int64_t code = 0; code < d->n; code++) {
        uint32_t at = hash_of(d, code) & (n - 1);

        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)code + 1;
    }
    return 0;
}

/* At most half of the slots are taken. */
static int make_room(struct bp_pq_value_dict *d, struct bp_err *err)
{
    if ((uint64_t)d->n * 2 < d->n_slots)
        return 0;
    return hash_again(d, d->n_slots ? d->n_slots * 2 : SLOTS_LEAST, err);
}

int bp_pq_value_dict_rebuild(struct bp_pq_value_dict *d, int64_t n, struct bp_err *err)
{
    uint32_t n_slots = SLOTS_LEAST;

    d->n = n;
    while ((uint64_t)n * 2 >= n_slots)
        n_slots *= 2;
    return hash_again(d, n_slots, err);
}

static int word_code(struct bp_pq_value_dict *d, uint64_t v, int32_t *out, struct bp_err *err)
{
    uint32_t at;

    BP_TRY(make_room(d, err));
    at = hash_word(v) & (d->n_slots - 1);
    for (; d->slots[at]; at = (at + 1) & (d->n_slots - 1))
        if (words_of(d)[d->slots[at] - 1] == v) {
            *out = (int32_t)d->slots[at] - 1;
            return 0;
        }
    BP_TRY(bp_buf_append(&d->words, &v, sizeof v, err));
    *out = (int32_t)d->n++;
    d->slots[at] = (uint32_t)d->n;
    return 0;
}

static int add_bytes(struct bp_pq_value_dict *d, const uint8_t *p, size_t n, struct bp_err *err)
{
    static const int32_t zero;
    int32_t end;

    if (d->bytes.len + n > INT32_MAX)
        return bp_fail(err, BP_EDATA, "a dictionary of more than 2 GiB");
    if (!d->offsets.len)
        BP_TRY(bp_buf_append(&d->offsets, &zero, sizeof zero, err));
    BP_TRY(bp_buf_append(&d->bytes, p, n, err));
    end = (int32_t)d->bytes.len;
    return bp_buf_append(&d->offsets, &end, sizeof end, err);
}

static int bytes_code(struct bp_pq_value_dict *d, const uint8_t *p, size_t n, int32_t *out,
                      struct bp_err *err)
{
    uint32_t at;

    BP_TRY(make_room(d, err));
    at = hash_bytes(p, n) & (d->n_slots - 1);
    for (; d->slots[at]; at = (at + 1) & (d->n_slots - 1)) {
        const int32_t *o = offsets_of(d) + d->slots[at] - 1;

        if ((size_t)(o[1] - o[0]) == n && (!n || memcmp(d->bytes.data + o[0], p, n) == 0)) {
            *out = (int32_t)d->slots[at] - 1;
            return 0;
        }
    }
    BP_TRY(add_bytes(d, p, n, err));
    *out = (int32_t)d->n++;
    d->slots[at] = (uint32_t)d->n;
    return 0;
}

static int encode_words(struct bp_pq_value_dict *d, const uint64_t *words, int64_t n, int32_t *out,
                        struct bp_err *err)
{
    uint64_t n_small;

    if (!d->small && n >= SMALL_WORTH) {
        d->small = bp_mem_new(BP_PQ_SMALL, sizeof *d->small, err);
        if (!d->small)
            return err->code;
    }
    n_small = d->small ? BP_PQ_SMALL : 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t v = words[i];

        if (v < n_small && d->small[v]) {
            out[i] = d->small[v] - 1;
        } else if (i && v == words[i - 1]) {
            out[i] = out[i - 1];
        } else {
            BP_TRY(word_code(d, v, &out[i], err));
            if (v < n_small && out[i] < UINT16_MAX)
                d->small[v] = (uint16_t)(out[i] + 1);
        }
    }
    return 0;
}

int bp_pq_value_dict_encode(struct bp_pq_value_dict *d, const struct bp_pq_words *w, int32_t *out,
                            struct bp_err *err)
{
    if (w->words)
        return encode_words(d, w->words, w->n, out, err);
    for (int64_t i = 0; i < w->n; i++)
        BP_TRY(bytes_code(d, w->bytes + w->offsets[i], (size_t)(w->offsets[i + 1] - w->offsets[i]),
                          &out[i], err));
    return 0;
}

int64_t bp_pq_value_dict_bytes(const struct bp_pq_value_dict *d, const struct bp_pq_layout *l)
{
    if (l->width)
        return d->n * l->width;
    return (int64_t)d->bytes.len + 4 * d->n;
}

void bp_pq_value_dict_words(const struct bp_pq_value_dict *d, struct bp_pq_words *out)
{
    static const int32_t none[1];
    static const uint8_t nothing[1];

    *out = (struct bp_pq_words){.n = d->n};
    if (d->words.len)
        out->words = (uint64_t *)(void *)d->words.data;
    out->bytes = d->bytes.len ? d->bytes.data : nothing;
    out->offsets = d->offsets.len ? offsets_of(d) : none;
}

void bp_pq_value_dict_clear(struct bp_pq_value_dict *d)
{
    d->n = 0;
    d->words.len = d->bytes.len = d->offsets.len = 0;
    if (d->slots)
        memset(d->slots, 0, d->n_slots * sizeof *d->slots);
    if (d->small)
        memset(d->small, 0, BP_PQ_SMALL * sizeof *d->small);
}

void bp_pq_value_dict_release(struct bp_pq_value_dict *d)
{
    bp_buf_release(&d->words);
    bp_buf_release(&d->bytes);
    bp_buf_release(&d->offsets);
    bp_mem_free(d->slots);
    bp_mem_free(d->small);
    *d = (struct bp_pq_value_dict){0};
}
