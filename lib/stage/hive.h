/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of Hive directories, COLUMN=VALUE, and of files with values in their names.
 * The escapes are Hive's and Spark's: control characters and the bytes
 * " # % ' * / : = ? [ \ ] ^ { and DEL become %XX, so that a name never holds a slash
 * and reads back as it was; NULL is __HIVE_DEFAULT_PARTITION__. A text that is just
 * that has its last byte escaped; empty text is nothing at all: "a=".
 */
#ifndef BP_STAGE_HIVE_H
#define BP_STAGE_HIVE_H

#include "base/buf.h"
#include "col/column.h"

#define BP_HIVE_NULL "__HIVE_DEFAULT_PARTITION__"
#define BP_HIVE_NAME_MAX 255 /* bytes that a file system takes for one name */

/* Appends p[0, n) escaped. */
int bp_hive_escape(const void *p, size_t n, struct bp_buf *out, struct bp_err *err) BP_MUST;
/* Appends the text of row i of c, escaped; a float's -0 is 0, as keys are compared. */
int bp_hive_value(const struct bp_column *c, int64_t i, struct bp_buf *out,
                  struct bp_err *err) BP_MUST;
/* Appends p[0, n) without its escapes; a broken escape stands for itself. */
int bp_hive_unescape(const char *p, size_t n, struct bp_buf *out, struct bp_err *err) BP_MUST;
/* Is name COLUMN=VALUE? Then both without escapes (value: its bytes, which may hold
 * NUL); *is_null for NULL. */
int bp_hive_parse(const char *name, struct bp_buf *column, struct bp_buf *value, bool *is_hive,
                  bool *is_null, struct bp_err *err) BP_MUST;

#endif
