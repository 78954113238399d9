/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in marks and footers: read strictly, written compact with sorted keys, so
 * that equal things are equal bytes. The values are jansson's; json_decref()
 * frees them.
 */
#ifndef BP_FLOW_JSON_H
#define BP_FLOW_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* what: the mark's name, for messages. Duplicate keys, NUL in strings, and
 * anything behind the value are BP_EDATA. */
int bp_json_read(const char *text, const char *what, json_t **out, struct bp_err *err) BP_MUST;
/* Appends to out, without a NUL. */
int bp_json_write(const json_t *v, struct bp_buf *out, struct bp_err *err) BP_MUST;
/* A new string value; NULL with *err filled (text that is not UTF-8 is BP_EUSAGE). */
json_t *bp_json_string(const char *s, struct bp_err *err) BP_MUST;
/* Put v (taken over, also on error; NULL is out of memory) into an object or at
 * the end of an array. */
int bp_json_set(json_t *object, const char *key, json_t *v, struct bp_err *err) BP_MUST;
int bp_json_add(json_t *array, json_t *v, struct bp_err *err) BP_MUST;
/* object[key] as an integer in [min, max]; else BP_EDATA. */
int bp_json_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
                const char *what, struct bp_err *err) BP_MUST;

#endif
