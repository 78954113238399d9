/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file's columns stand on the wire in the form that we write. */
#include "ipc/file_read.h"

static bool as_written(const struct bp_ipc_field *f)
{
    struct bp_type t = f->type;
    enum bp_ipc_convert convert = t.kind == BP_TIME && t.unit <= BP_MILLI ? BP_IPC_WIDEN
                                  : bp_type_is_decimal64(t)               ? BP_IPC_DECIMAL128
                                                                          : BP_IPC_AS_IS;
    enum bp_ipc_layout layout = t.kind == BP_BOOL     ? BP_IPC_BITS
                                : bp_type_is_bytes(t) ? BP_IPC_OFF32
                                : t.kind == BP_LIST   ? BP_IPC_LIST
                                : t.kind == BP_STRUCT ? BP_IPC_STRUCT
                                                      : BP_IPC_FIXED;

    for (int i = 0; i < f->n_kids; i++)
        if (!as_written(&f->kids[i]))
            return false;
    if (t.kind == BP_LIST && f->width != 4)
        return false;

    return f->dict < 0 && f->layout == layout && f->convert == convert;
}

bool bp_ipc_file_as_written(const struct bp_ipc_file *f)
{
    for (int i = 0; i < f->fields.n_fields; i++)
        if (!as_written(&f->fields.fields[i]))
            return false;
    return true;
}
