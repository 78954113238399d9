/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/pipe.h"

#include <fcntl.h>

#define MOST_BYTES (4 << 20)
#define LEAST_BYTES (1 << 20)

void bp_pipe_widen(int fd)
{
    for (int n = MOST_BYTES; n >= LEAST_BYTES && fcntl(fd, F_SETPIPE_SZ, n) < 0; n /= 2)
        ;
}
