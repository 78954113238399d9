# SPDX-License-Identifier: Apache-2.0
"""TAP for the oracles of tests/pipe: one numbered line a claim, what is wrong below it."""
import sys

count = failed = 0
LINES = 12  # of an explanation


def report(name, problem=None):
    """One claim; problem is what is wrong, None: it holds."""
    global count, failed
    count += 1
    failed += problem is not None
    print(f"{'not ok' if problem is not None else 'ok'} {count} - {name}".replace("#", "\\#"))
    for line in str(problem or "").splitlines()[:LINES]:
        print(f"# {line[:400]}")
    sys.stdout.flush()


def claim(name, ok, why=""):
    """The same of a truth value."""
    report(name, None if ok else why or "it does not hold")


def equal(name, got, want):
    """Two lists of rows are the same."""
    claim(name, got == want, f"{len(got)} rows, not {len(want)}; missing {[x for x in want if x not in got][:5]}, "
                             f"unexpected {[x for x in got if x not in want][:5]}")


def same(name, got, want):
    """Two values are the same."""
    claim(name, got == want, f"got  {got!r}\nwant {want!r}")


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}", flush=True)


def check(name):
    """Decorator: runs at once; an exception is the failure."""
    def run(fn):
        try:
            fn()
        except Exception as e:  # noqa: BLE001: any failure is a result
            report(name, f"{type(e).__name__}: {e}")
        else:
            report(name)
        return fn
    return run


def done():
    """The plan; what the program exits with."""
    print(f"1..{count}")
    return 1 if failed else 0
