if [ -n "$out" ]; then
    bp-read $yellow | bp-write "$out"
else
    bp-read $yellow >/dev/null
fi
