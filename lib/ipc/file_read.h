/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/ipc: an open Arrow file. */
#ifndef BP_IPC_FILE_READ_H
#define BP_IPC_FILE_READ_H

#include <pthread.h>

#include "ipc/ipc.h"
#include "ipc/stream_read.h"
#include "ipc/wire.h"

struct bp_ipc_file {
    struct bp_input in;
    int64_t footer_at;
    struct bp_buf footer;
    struct bp_fb fb; /* over the footer */
    struct bp_fb_vector blocks, dict_blocks;
    struct bp_schema schema;
    struct bp_meta *meta;
    int n_meta;
    pthread_mutex_t lock; /* over the loading of dictionaries */
    uint32_t n_loaded;
    struct bp_ipc_fields fields;
};

#endif
