/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 4096 /* session tokens are long */

static struct {
    bool read;
    char id[256], secret[256], token[VALUE_BYTES], region[64];
} key;

static void copy(char *out, size_t n, const char *text)
{
    if (text && strlen(text) < n)
        strcpy(out, text);
}

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (*s == ' ' || *s == '\t')
        s++;
    while (end > s && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    return s;
}

/* [default], or [profile NAME] as the config file has it. */
static bool is_section(const char *line, const char *profile)
{
    size_t n = strlen(profile);

    line += strncmp(line, "[profile ", 9) == 0 ? 9 : 1;
    return strncmp(line, profile, n) == 0 && line[n] == ']';
}

static void take(const char *name, const char *value)
{
    if (strcmp(name, "aws_access_key_id") == 0)
        copy(key.id, sizeof key.id, value);
    else if (strcmp(name, "aws_secret_access_key") == 0)
        copy(key.secret, sizeof key.secret, value);
    else if (strcmp(name, "aws_session_token") == 0)
        copy(key.token, sizeof key.token, value);
    else if (strcmp(name, "region") == 0 && !key.region[0])
        copy(key.region, sizeof key.region, value);
}

static void read_file(const char *variable, const char *name, bool only_region)
{
    const char *path = getenv(variable), *home = getenv("HOME"), *profile = getenv("AWS_PROFILE");
    char built[PATH_MAX], line[VALUE_BYTES + 64];
    bool mine = false;
    FILE *f;

    if (!path && home && snprintf(built, sizeof built, "%s/.aws/%s", home, name) < PATH_MAX)
        path = built;
    f = path ? fopen(path, "re") : NULL;
    while (f && fgets(line, sizeof line, f)) {
        char *at = trim(line), *equals = strchr(at, '=');

        if (*at == '[') {
            mine = is_section(at, profile && *profile ? profile : "default");
        } else if (mine && equals && *at != '#') {
            *equals = '\0';
            at = trim(at);
            if (!only_region || strcmp(at, "region") == 0)
                take(at, trim(equals + 1));
        }
    }
    if (f)
        (void)fclose(f); /* read only */
}

static void read_all(void)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *region = getenv("AWS_REGION");

    if (key.read)
        return;
    key.read = true;
    copy(key.region, sizeof key.region, region ? region : getenv("AWS_DEFAULT_REGION"));
    if (id && *id && secret) {
        copy(key.id, sizeof key.id, id);
        copy(key.secret, sizeof key.secret, secret);
        copy(key.token, sizeof key.token, getenv("AWS_SESSION_TOKEN"));
    } else {
        read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", false);
    }
    read_file("AWS_CONFIG_FILE", "config", key.id[0]);
    if (!key.region[0])
        copy(key.region, sizeof key.region, "us-east-1");
}

bool key_is_known(void)
{
    read_all();
    return key.id[0] && key.secret[0];
}

const char *key_region(void)
{
    read_all();
    return key.region;
}

struct curl_slist *key_sign(CURL *c, struct curl_slist *headers)
{
    char text[VALUE_BYTES + 64];
    struct curl_slist *grown;

    if (!key_is_known())
        return headers;
    snprintf(text, sizeof text, "aws:amz:%s:s3", key.region);
    curl_easy_setopt(c, CURLOPT_AWS_SIGV4, text);
    curl_easy_setopt(c, CURLOPT_USERNAME, key.id);
    curl_easy_setopt(c, CURLOPT_PASSWORD, key.secret);
    /* libcurl 7.88 signs this value in the place of the body's hash, and no other will do */
    grown = curl_slist_append(headers, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
    headers = grown ? grown : headers;
    if (key.token[0]) {
        snprintf(text, sizeof text, "x-amz-security-token: %s", key.token);
        grown = curl_slist_append(headers, text);
        headers = grown ? grown : headers;
    }
    return headers;
}
