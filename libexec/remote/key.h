/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are for S3, by the usual places, first found: AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; the file AWS_SHARED_CREDENTIALS_FILE
 * (~/.aws/credentials), section AWS_PROFILE (default). Else requests are not signed. The
 * region: AWS_REGION, AWS_DEFAULT_REGION, the file AWS_CONFIG_FILE (~/.aws/config), else
 * us-east-1. Keys go nowhere but into the signature.
 */
#ifndef BP_REMOTE_KEY_H
#define BP_REMOTE_KEY_H

#include <curl/curl.h>
#include <stdbool.h>

bool key_is_known(void);
const char *key_region(void);
/* Adds what signs c, whose other options are set, to headers; gives them. */
struct curl_slist *key_sign(CURL *c, struct curl_slist *headers);

#endif
