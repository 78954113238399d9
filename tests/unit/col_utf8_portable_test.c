/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of col_text_test.c for UTF-8 as it is checked on a machine without AVX2. */
#undef __SSE2__
#include "../../lib/col/utf8.c"

#include "col_text_test.c"
