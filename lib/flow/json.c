/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "col/text.h"

/* jansson does not tell a text that is wrong from memory that was refused, and goes
 * on with a token cut short. So once it was refused some, nothing of it is believed. */
static _Thread_local bool refused;

static void *json_new(size_t n)
{
    struct bp_err err;
    void *p;

    err.code = 0;
    p = bp_mem_grow(NULL, n, 1, &err);
    if (!p)
        refused = true;
    return p;
}

__attribute__((constructor)) static void watch_memory(void)
{
    json_set_alloc_funcs(json_new, bp_mem_free);
}

int bp_json_read(const char *text, const char *what, json_t **out, struct bp_err *err)
{
    json_error_t why;

    *out = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (*out && !refused)
        return 0;
    json_decref(*out);
    *out = NULL;
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
    int rc = json_dump_callback(v, write_some, &w, JSON_COMPACT | JSON_SORT_KEYS);

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
