# SPDX-License-Identifier: Apache-2.0
"""What the machine could do at all: rates from gen/floor-probe.c, taken in the same run, and from
them the least time a job can take."""

import subprocess


class Floors:
    def __init__(self, build, file):
        probe = build / "bench" / "bin" / "floor-probe"
        scratch = build / "bench" / "probe.tmp"
        text = subprocess.run([probe, file, scratch], capture_output=True, text=True,
                              check=True).stdout
        self.gb_per_s = {name: float(rate) for name, rate in (l.split() for l in text.splitlines())}

    def __str__(self):
        return ", ".join(f"{name} {rate:.1f}" for name, rate in self.gb_per_s.items()) + " GB/s"

    def of(self, in_bytes, out_bytes, hops, cores):
        """The longest of: the input read once by all cores, the output written and on disk, the
        input through so many pipes (both ends are busy, so two cores carry one hop at a time)."""
        read = in_bytes / 1e9 / (self.gb_per_s["pread"] * cores)
        write = out_bytes / 1e9 / self.gb_per_s["write"]
        piped = hops * in_bytes / 1e9 / self.gb_per_s["pipe"]
        floor_s, why = max((read, "pread"), (write, "write"), (piped, "pipe"))
        return floor_s, why
