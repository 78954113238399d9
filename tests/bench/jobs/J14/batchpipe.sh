# k pipes: bp-read and k times a filter that keeps all rows; the last writes to nowhere
set -- bp-read $yellow
case $hops in
1) "$@" | bp-filter true >/dev/null ;;
2) "$@" | bp-filter true | bp-filter true >/dev/null ;;
3) "$@" | bp-filter true | bp-filter true | bp-filter true >/dev/null ;;
4) "$@" | bp-filter true | bp-filter true | bp-filter true | bp-filter true >/dev/null ;;
5) "$@" | bp-filter true | bp-filter true | bp-filter true | bp-filter true |
    bp-filter true >/dev/null ;;
6) "$@" | bp-filter true | bp-filter true | bp-filter true | bp-filter true |
    bp-filter true | bp-filter true >/dev/null ;;
esac
