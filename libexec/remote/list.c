/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectsV2, page after page, each with the token of the one before. Of its XML only
 * the texts of <Key>, <Prefix> within <CommonPrefixes>, <IsTruncated> and
 * <NextContinuationToken> are wanted; none of them has elements within.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "remote.h"
#include "s3.h"

struct list {
    struct net_request r;
    struct asked *a;
    list_done look;       /* NULL: names are wanted */
    char *prefix;         /* of keys */
    struct bp_buf tokens; /* of pages that were asked for: hashes, uint64_t each */
    struct bp_buf names;
};

static void list_free(struct list *l)
{
    net_clear(&l->r);
    bp_mem_free(l->r.address);
    bp_mem_free(l->r.url);
    bp_mem_free(l->prefix);
    bp_buf_release(&l->names);
    bp_buf_release(&l->tokens);
    bp_mem_free(l);
}

static void end(struct list *l, char kind, const struct bp_err *err)
{
    if (l->look)
        l->look(l->a, kind, err);
    else if (err)
        answer_failed(l->a, err);
    else {
        objects_expect(l->a->url, &l->names);
        answer(l->a, l->names.data, l->names.len, 0, 0);
    }
    list_free(l);
}

static void page_came(struct net_request *r);

static int ask_page(struct list *l, const char *token, struct bp_err *err)
{
    struct bp_buf q = {0};
    int rc;

    /* in the order of the alphabet, as the signature wants them */
    if (token && *token) {
        BP_GO(bp_buf_puts(&q, "continuation-token=", err));
        BP_GO(s3_escape(&q, token, false, err));
        BP_GO(bp_buf_puts(&q, "&", err));
    }
    if (!l->look && !l->a->head.a)
        BP_GO(bp_buf_puts(&q, "delimiter=%2F&", err));
    BP_GO(bp_buf_printf(&q, err, "list-type=2&max-keys=%d&prefix=", l->look ? 2 : 1000));
    BP_GO(s3_escape(&q, l->prefix, false, err));
    if (!bp_buf_str(&q, err))
        BP_GO(err->code);
    bp_mem_free(l->r.address);
    l->r.address = s3_address(l->r.url, true, (const char *)q.data, err);
    if (!l->r.address)
        BP_GO(err->code);
    net_clear(&l->r);
    net_start(&l->r, true);
out:
    bp_buf_release(&q);
    return rc;
}

/* &amp; and the like, in place. */
static void unescape(char *s)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char *out = s;

    while (*s) {
        unsigned code;
        int used = 0;
        size_t i = 0;

        while (*s == '&' && i < 5 && strncmp(s, names[i].name, strlen(names[i].name)) != 0)
            i++;
        if (*s == '&' && i < 5) {
            *out++ = names[i].c;
            s += strlen(names[i].name);
        } else if ((sscanf(s, "&#x%x;%n", &code, &used) == 1 ||
                    sscanf(s, "&#%u;%n", &code, &used) == 1) &&
                   used && code && code < 128) {
            *out++ = (char)code;
            s += used;
        } else {
            *out++ = *s++;
        }
    }
    *out = '\0';
}

/* The text of the next <tag> at or behind *at, cut off in place; NULL: none. */
static char *next_text(char **at, const char *tag)
{
    char open[40], *p, *q;

    snprintf(open, sizeof open, "<%s>", tag);
    p = strstr(*at, open);
    q = p ? strchr(p + strlen(open), '<') : NULL;
    if (!q)
        return NULL;
    *q = '\0';
    *at = q + 1;
    unescape(p + strlen(open));
    return p + strlen(open);
}

static int add_name(struct list *l, const char *key, struct bp_err *err)
{
    size_t n = strlen(l->prefix);

    if (strncmp(key, l->prefix, n) != 0 || !key[n]) /* the mark of a directory itself */
        return 0;
    return bp_buf_append(&l->names, key + n, strlen(key + n) + 1, err);
}

static int add_names(struct list *l, const char *tag, const char *within, struct bp_err *err)
{
    struct bp_buf copy = {0};
    char *at, *text;
    int rc;

    BP_GO(bp_buf_append(&copy, l->r.out.data, l->r.out.len + 1, err));
    at = (char *)copy.data;
    if (within && !(at = strstr(at, within)))
        goto out;
    while ((text = next_text(&at, tag)))
        BP_GO(add_name(l, text, err));
out:
    bp_buf_release(&copy);
    return rc;
}

/* A page that was asked for is not asked for again: a server that leads back to it would
 * make a list without end. */
static int remember_token(struct list *l, const char *token, struct bp_err *err)
{
    uint64_t hash = bp_xxh3(token, strlen(token)), seen;

    for (size_t at = 0; at < l->tokens.len; at += sizeof seen) {
        memcpy(&seen, l->tokens.data + at, sizeof seen);
        if (seen == hash)
            return bp_fail(err, BP_EDATA,
                           "cannot list '%s': the server gives the same continuation token again",
                           l->r.url);
    }
    return bp_buf_append(&l->tokens, &hash, sizeof hash, err);
}

/* The answer has a NUL behind it. */
static int take_page(struct list *l, char **token, struct bp_err *err)
{
    char *at;

    if (l->r.status != 200)
        return net_fail(&l->r, "list", err);
    if (!bp_buf_str(&l->r.out, err))
        return err->code;
    if (!strstr((const char *)l->r.out.data, "<ListBucketResult"))
        return bp_fail(err, BP_EDATA, "cannot list '%s': the server's answer is no list", l->r.url);
    BP_TRY(add_names(l, "Key", NULL, err));
    BP_TRY(add_names(l, "Prefix", "<CommonPrefixes>", err));
    at = (char *)l->r.out.data;
    *token = NULL;
    if (strstr(at, "<IsTruncated>true<")) {
        *token = next_text(&at, "NextContinuationToken");
        if (!*token || !**token)
            return bp_fail(err, BP_EDATA, "cannot list '%s': the list is cut off", l->r.url);
    }
    return 0;
}

static void page_came(struct net_request *r)
{
    struct list *l = r->arg;
    struct bp_err err = r->err;
    char *token = NULL;

    if (l->look && !err.code && r->status == 404) /* no such bucket, or nothing in it */
        return end(l, 'n', NULL);
    if (err.code || take_page(l, &token, &err) < 0)
        return end(l, 0, &err);
    if (l->look)
        return end(l, l->names.len ? 'd' : 'n', NULL);
    if (!token)
        return end(l, 0, NULL);
    if (remember_token(l, token, &err) < 0 || ask_page(l, token, &err) < 0)
        end(l, 0, &err);
}

static void start(struct asked *a, list_done look)
{
    struct bp_err err = {0};
    struct list *l = bp_mem_new(1, sizeof *l, &err);
    size_t n = strlen(a->url);
    struct bp_buf prefix = {0};

    if (!l) {
        if (look)
            look(a, 0, &err);
        else
            answer_failed(a, &err);
        return;
    }
    l->a = a;
    l->look = look;
    l->r = (struct net_request){
        .method = "GET", .is_s3 = true, .max_bytes = (size_t)64 << 20, .done = page_came, .arg = l};
    l->r.url = bp_mem_str(a->url, &err);
    if (l->r.url && bp_buf_puts(&prefix, s3_key(a->url), &err) == 0 && look && prefix.len &&
        a->url[n - 1] != '/')
        (void)!bp_buf_puts(&prefix, "/", &err);
    if (!err.code && bp_buf_str(&prefix, &err))
        l->prefix = (char *)prefix.data;
    if (err.code || ask_page(l, NULL, &err) < 0)
        end(l, 0, &err);
}

void list_names(struct asked *a)
{
    start(a, NULL);
}

void list_look(struct asked *a, list_done done)
{
    start(a, done);
}
