/* SPDX-License-Identifier: Apache-2.0 */
/* Which cast is meant; and the words for values that cannot be cast. */
#include "expr/cast.h"

#include <stdio.h>
#include <string.h>

#include "col/text.h"

bool bp_cast_find(struct bp_type from, struct bp_type to, struct bp_call *c)
{
    *c = (struct bp_call){.type = to};
    return bp_cast_number(from, to, c) || bp_cast_moment(from, to, c) || bp_cast_text(from, to, c);
}

int bp_bind_cast(struct bp_bind *b, int tok, struct bp_node *a, struct bp_type to,
                 struct bp_node **out)
{
    char from_name[BP_TYPE_NAME_MAX], to_name[BP_TYPE_NAME_MAX];
    struct bp_call c;

    if (a->kind == BP_N_LITERAL) {
        *out = a;
        if (bp_type_is_nested(to) && a->literal)
            return bp_bind_fail(b, tok, "text cannot be cast to %s: string_to_array() makes lists",
                                bp_type_name(to, to_name));
        return bp_literal_as(b, out, to, true);
    }
    if (bp_type_equal(a->type, to)) {
        *out = a;
        return 0;
    }
    if (!bp_cast_find(a->type, to, &c))
        return bp_bind_fail(b, tok, "%s cannot be cast to %s", bp_type_name(a->type, from_name),
                            bp_type_name(to, to_name));
    return bp_node_call(b, tok, &c, &a, 1, out);
}

void bp_show_value(const struct bp_column *c, int64_t i, char *out, size_t cap)
{
    char text[BP_TEXT_MAX];
    size_t n;

    if (bp_type_is_bytes(c->type)) {
        const uint8_t *s = bp_column_bytes(c, i, &n);
        size_t show = n > 80 ? 80 : n;

        while (show < n && show > 0 && (s[show] & 0xc0) == 0x80)
            show--;
        snprintf(out, cap, "'%.*s%s'", (int)show, (const char *)s, show < n ? "..." : "");
        return;
    }
    if (bp_type_is_nested(c->type)) {
        snprintf(out, cap, "the %s", bp_type_name(c->type, text));
        return;
    }
    if (c->type.kind == BP_BOOL) {
        snprintf(out, cap, "%s", bp_bit_get(c->data, i) ? "true" : "false");
        return;
    }
    n = bp_text_format(c->type, (const uint8_t *)c->data + (size_t)i * bp_type_width_bytes(c->type),
                       text);
    snprintf(out, cap, "%.*s", (int)n, text);
}

int bp_cast_fail(struct bp_run *r, int64_t i, const struct bp_vec *a, bool range)
{
    char value[BP_TEXT_MAX + 8], name[BP_TYPE_NAME_MAX];

    bp_show_value(&a->c, a->one ? 0 : i, value, sizeof value);
    bp_type_name(r->node->type, name);
    if (range)
        return bp_run_fail(r, i, "%s is out of range for %s", value, name);
    return bp_run_fail(r, i, "%s is not %s %s", value, strchr("aeiou", name[0]) ? "an" : "a", name);
}
