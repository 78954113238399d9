/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/json.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "col/text.h"

/*
 * While jansson reads a text it passes over memory that it was refused: it goes on with a
 * token cut short, puts back bytes that it never took, and stops at its own assertions, or
 * writes behind what it has. So it is left at once, by a jump, and what it had taken is
 * given back: every piece has two links in front, in a ring that holds those of a reading
 * on this thread.
 */
struct piece {
    struct piece *before, *after; /* NULL: of no reading, or of one that has ended */
};
_Static_assert(sizeof(struct piece) % 16 == 0, "what is behind is aligned for anything");

static _Thread_local bool reading, refused;
static _Thread_local jmp_buf leave;
static _Thread_local struct piece ring;

static void *json_new(size_t n)
{
    struct bp_err err;
    struct piece *p = NULL;

    err.code = 0;
    if (n <= SIZE_MAX - sizeof *p)
        p = bp_mem_grow(NULL, n + sizeof *p, 1, &err);
    if (!p) {
        refused = true;
        if (reading)
            longjmp(leave, 1);
        return NULL;
    }
    *p = (struct piece){0};
    if (reading) {
        *p = (struct piece){&ring, ring.after};
        ring.after->before = p;
        ring.after = p;
    }
    return p + 1;
}

static void json_gone(void *mem)
{
    struct piece *p = mem;

    if (!p)
        return;
    p--;
    if (p->after) {
        p->before->after = p->after;
        p->after->before = p->before;
    }
    bp_mem_free(p);
}

__attribute__((constructor)) static void watch_memory(void)
{
    json_set_alloc_funcs(json_new, json_gone);
}

/* Ends a reading: its pieces are anybody's now, or go. */
static void end_reading(bool keep)
{
    struct piece *p = ring.after, *after;

    reading = false;
    for (; p != &ring; p = after) {
        after = p->after;
        *p = (struct piece){0};
        if (!keep)
            bp_mem_free(p);
    }
}

/* NULL and *why, or, where memory was refused, `refused` is set. */
static json_t *read_text(const char *text, json_error_t *why)
{
    json_t *v;

    ring = (struct piece){&ring, &ring};
    refused = false;
    reading = true;
    if (setjmp(leave)) {
        end_reading(false);
        return NULL;
    }
    v = json_loads(text, JSON_REJECT_DUPLICATES, why);
    end_reading(true);
    return v;
}

int bp_json_read(const char *text, const char *what, json_t **out, struct bp_err *err)
{
    json_error_t why = {0};

    *out = read_text(text, &why);
    if (*out)
        return 0;
    if (refused || json_error_code(&why) == json_error_out_of_memory)
        return bp_fail_oom(err, strlen(text));
    return bp_fail(err, BP_EDATA, "%s is not JSON: %s at byte %d", what, why.text, why.position);
}

struct writing {
    struct bp_buf *out;
    struct bp_err *err;
    bool failed; /* jansson passes over it between some pieces */
};

static int write_some(const char *p, size_t n, void *arg)
{
    struct writing *w = arg;

    w->failed |= bp_buf_append(w->out, p, n, w->err) < 0;
    return w->failed ? -1 : 0;
}

int bp_json_write(const json_t *v, struct bp_buf *out, struct bp_err *err)
{
    struct writing w = {out, err, false};
    int rc;

    refused = false;
    rc = json_dump_callback(v, write_some, &w, JSON_COMPACT | JSON_SORT_KEYS);

    if (w.failed)
        return err->code;
    return rc == 0 && !refused ? 0 : bp_fail_oom(err, out->len);
}

json_t *bp_json_string(const char *s, struct bp_err *err)
{
    size_t n = strlen(s), bad_at;
    json_t *v;

    if (!bp_utf8_check((const uint8_t *)s, n, &bad_at)) {
        bp_fail(err, BP_EUSAGE, "'%.*s': byte %zu is not UTF-8", (int)bad_at, s, bad_at + 1);
        return NULL;
    }
    v = json_stringn_nocheck(s, n);
    if (!v)
        bp_fail_oom(err, n);
    return v;
}

int bp_json_set(json_t *object, const char *key, json_t *v, struct bp_err *err)
{
    if (v && json_object_set_new_nocheck(object, key, v) == 0)
        return 0;
    return err->code ? err->code : bp_fail_oom(err, sizeof(json_t));
}

int bp_json_add(json_t *array, json_t *v, struct bp_err *err)
{
    if (v && json_array_append_new(array, v) == 0)
        return 0;
    return err->code ? err->code : bp_fail_oom(err, sizeof(json_t));
}

int bp_json_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                const char *what, struct bp_err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return bp_fail(err, BP_EDATA, "%s: \"%s\" is not a number from %lld to %lld", what, key,
                       (long long)min, (long long)max);
    *out = json_integer_value(v);
    return 0;
}
