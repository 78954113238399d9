/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of fmt_jsonl_alike_test.c for the reader as it is built for a machine without SSE2. */
#undef __SSE2__
#include "../../lib/fmt/jsonl_alike.c"
#include "../../lib/fmt/jsonl_line.c"
#define wrong token_wrong
#include "../../lib/fmt/jsonl_token.c"

#include "fmt_jsonl_alike_test.c"
