/* SPDX-License-Identifier: Apache-2.0 */
/* PCRE2, with our memory and with limits. Bytes that are not UTF-8 never match. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "expr/regex.h"

#include <pcre2.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

#define MAX_STEPS 10000000
#define MAX_DEPTH 100000
#define MAX_HEAP_KIB (64 << 10)

struct bp_regex {
    pcre2_code *code;
    bool machine; /* translated */
};

struct bp_regex_match {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static void *take(PCRE2_SIZE n, void *self)
{
    struct bp_err err = {0};

    (void)self;
    return bp_mem_new(n, 1, &err);
}

static void give(void *p, void *self)
{
    (void)self;
    bp_mem_free(p);
}

bool bp_regex_flags(const char *s, size_t n, struct bp_regex_flags *f, char *bad)
{
    uint32_t o = PCRE2_DOTALL;

    f->global = false;
    for (size_t i = 0; i < n; i++)
        switch (s[i]) {
        case 'g': f->global = true; break;
        case 'i': o |= PCRE2_CASELESS; break;
        case 'c': o &= ~PCRE2_CASELESS; break;
        case 'x': o |= PCRE2_EXTENDED; break;
        case 's': o = (o | PCRE2_DOTALL) & ~PCRE2_MULTILINE; break;
        case 'm':
        case 'n': o = (o | PCRE2_MULTILINE) & ~PCRE2_DOTALL; break;
        case 'p': o &= ~(PCRE2_DOTALL | PCRE2_MULTILINE); break;
        case 'w': o |= PCRE2_DOTALL | PCRE2_MULTILINE; break;
        case 'q': o |= PCRE2_LITERAL; break;
        default: *bad = s[i]; return false;
        }
    /* A literal takes no other options but case. */
    f->options =
        o & PCRE2_LITERAL ? o & (PCRE2_LITERAL | PCRE2_CASELESS) : o | PCRE2_DOLLAR_ENDONLY;
    return true;
}

int bp_regex_new(struct bp_regex **out, const void *pattern, size_t n, struct bp_regex_flags f,
                 bool often, struct bp_err *err)
{
    pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
    pcre2_compile_context *how = memory ? pcre2_compile_context_create(memory) : NULL;
    struct bp_regex *re = bp_mem_new(1, sizeof *re, err);
    PCRE2_UCHAR why[160] = "no memory";
    int code = 0, rc = 0;
    PCRE2_SIZE at = 0;

    *out = re;
    if (re && how)
        re->code = pcre2_compile(pattern, n, f.options | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code,
                                 &at, how);
    if (!re) {
        rc = err->code;
    } else if (!re->code) {
        if (code)
            pcre2_get_error_message(code, why, sizeof why);
        rc = bp_fail(err, BP_EDATA, "the pattern '%.*s': %s, at its byte %zu", (int)BP_MIN(n, 200),
                     (const char *)pattern, (const char *)why, (size_t)at + 1);
        bp_mem_free(re);
        *out = NULL;
    } else {
        re->machine = often && pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
    }
    pcre2_compile_context_free(how);
    pcre2_general_context_free(memory);
    return rc;
}

void bp_regex_free(struct bp_regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    bp_mem_free(re);
}

int bp_regex_groups(const struct bp_regex *re)
{
    uint32_t n = 0;

    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return (int)n;
}

int bp_regex_match_new(struct bp_regex_match **out, const struct bp_regex *re, struct bp_err *err)
{
    pcre2_general_context *memory = pcre2_general_context_create(take, give, NULL);
    struct bp_regex_match *m = bp_mem_new(1, sizeof *m, err);

    *out = m;
    if (m && memory) {
        m->data = pcre2_match_data_create_from_pattern(re->code, memory);
        m->limits = pcre2_match_context_create(memory);
    }
    pcre2_general_context_free(memory);
    if (!m)
        return err->code;
    if (!m->data || !m->limits) {
        bp_regex_match_free(m);
        *out = NULL;
        return bp_fail(err, BP_EDATA, "there is no memory for a regular expression's match");
    }
    pcre2_set_match_limit(m->limits, MAX_STEPS);
    pcre2_set_depth_limit(m->limits, MAX_DEPTH);
    pcre2_set_heap_limit(m->limits, MAX_HEAP_KIB);
    return 0;
}

void bp_regex_match_free(struct bp_regex_match *m)
{
    if (!m)
        return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
    bp_mem_free(m);
}

int bp_regex_find(const struct bp_regex *re, struct bp_regex_match *m, const void *s, size_t n,
                  size_t from, const size_t **spans)
{
    int rc = pcre2_match(re->code, s, n, from, 0, m->data, m->limits);

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(re->code, s, n, from, PCRE2_NO_JIT, m->data, m->limits);
    *spans = pcre2_get_ovector_pointer(m->data);
    return rc > 0 ? 1 : rc == PCRE2_ERROR_NOMATCH || rc == PCRE2_ERROR_BADUTFOFFSET ? 0 : -1;
}
