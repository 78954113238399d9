/* SPDX-License-Identifier: Apache-2.0 */
/* What an s3://BUCKET/KEY is to libcurl. */
#ifndef BP_REMOTE_S3_H
#define BP_REMOTE_S3_H

#include <stdbool.h>

#include "base/buf.h"

bool s3_is(const char *url);
/* The key in url; "" if there is none. */
const char *s3_key(const char *url);
/* The address of url, or with no_key of its bucket, and ?query. AWS_ENDPOINT_URL_S3 or
 * AWS_ENDPOINT_URL, else Amazon's. A string to be freed, or NULL. */
char *s3_address(const char *url, bool no_key, const char *query, struct bp_err *err);
/* Appends text as a query wants it (only letters, digits and -_.~ stand for themselves). */
int s3_escape(struct bp_buf *out, const char *text, bool keep_slash, struct bp_err *err) BP_MUST;

#endif
