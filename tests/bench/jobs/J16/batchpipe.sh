bp-read $yellow | bp-write "$out"
