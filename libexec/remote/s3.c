/* SPDX-License-Identifier: Apache-2.0 */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key.h"

bool s3_is(const char *url)
{
    return strncmp(url, "s3://", 5) == 0;
}

const char *s3_key(const char *url)
{
    const char *slash = strchr(url + 5, '/');

    return slash ? slash + 1 : "";
}

int s3_escape(struct bp_buf *out, const char *text, bool keep_slash, struct bp_err *err)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (; *text; text++) {
        if (strchr(plain, *text) || (keep_slash && *text == '/'))
            BP_TRY(bp_buf_append(out, text, 1, err));
        else
            BP_TRY(bp_buf_printf(out, err, "%%%02X", (unsigned char)*text));
    }
    return 0;
}

static const char *endpoint(void)
{
    const char *e = getenv("AWS_ENDPOINT_URL_S3");

    if (!e || !*e)
        e = getenv("AWS_ENDPOINT_URL");
    return e && *e ? e : NULL;
}

/* Amazon's certificates are for BUCKET.s3..., which a bucket with points breaks. */
static int put_host(struct bp_buf *b, const char *bucket, size_t n, struct bp_err *err)
{
    const char *e = endpoint();
    size_t len = e ? strlen(e) : 0;

    while (len && e[len - 1] == '/')
        len--;
    if (e)
        return bp_buf_printf(b, err, "%s%.*s/%.*s", strstr(e, "://") ? "" : "https://", (int)len, e,
                             (int)n, bucket);
    if (memchr(bucket, '.', n))
        return bp_buf_printf(b, err, "https://s3.%s.amazonaws.com/%.*s", key_region(), (int)n,
                             bucket);
    return bp_buf_printf(b, err, "https://%.*s.s3.%s.amazonaws.com", (int)n, bucket, key_region());
}

char *s3_address(const char *url, bool no_key, const char *query, struct bp_err *err)
{
    const char *bucket = url + 5;
    size_t n = strcspn(bucket, "/");
    struct bp_buf b = {0};

    if (!n ||
        strspn(bucket, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != n) {
        bp_fail(err, BP_EUSAGE, "'%s' names no bucket: s3://BUCKET/KEY", url);
        return NULL;
    }
    if (put_host(&b, bucket, n, err) < 0 || bp_buf_puts(&b, "/", err) < 0 ||
        (!no_key && s3_escape(&b, s3_key(url), true, err) < 0) ||
        (query && bp_buf_printf(&b, err, "?%s", query) < 0) || !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}
