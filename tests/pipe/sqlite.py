# SPDX-License-Identifier: Apache-2.0
"""Tables of SQLite databases, made by Python's sqlite3. Prints TAP."""

import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BIN = pathlib.Path(os.environ["BP_BUILD"]) / "bin"
os.chdir(tempfile.mkdtemp(prefix="bp-sqlite-"))


def sh(script):
    env = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode()


def make(name, *statements):
    with sqlite3.connect(name) as db:
        for s in statements:
            db.execute(*s) if isinstance(s, tuple) else db.execute(s)


make("shop.db", "CREATE TABLE orders (id INTEGER PRIMARY KEY, price DOUBLE, note VARCHAR(9), paid BOOLEAN, "
     "pic BLOB, amount DECIMAL(10,2), day DATE)",
     ("INSERT INTO orders VALUES (1, 1.5, ?, 1, x'0001', 2.50, '2024-01-02')", ("a'b\u00e9",)),
     "INSERT INTO orders VALUES (9007199254740993, 2, NULL, 0, NULL, 0.1, NULL), (-3, NULL, '', NULL, x'', 'x', '')",
     "CREATE VIEW big AS SELECT id, price * 2 AS twice FROM orders WHERE id > 1")
make("one 'x'.db", "CREATE TABLE t (a INT)",
     "INSERT INTO t WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 49999) SELECT i FROM n")
make("bad.db", "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), ('word')")
make("empty.db", "CREATE TABLE t (a INT, b TEXT)")

tap.same("types by declaration, values as they are", sh("bp-read 'shop.db#orders' | bp-write"),
         (0, "id,price,note,paid,pic,amount,day\n-3,,\"\",,\\x,x,\"\"\n1,1.5,a'b\u00e9,true,\\x0001,2.5,2024-01-02\n"
       "9007199254740993,2,,false,,0.1,\n", ""))
tap.same("a view", sh("bp-read 'shop.db#big' | bp-write"), (0, "id,twice\n9007199254740993,4\n", ""))
tap.same("the only table needs no name", sh("""bp-reduce 'count(*), sum(a)' "one 'x'.db" "one 'x'.db#t" "one 'x'.db" | bp-write"""),
         (0, "count(*),sum(a)\n150000,3749925000\n", ""))
tap.same("-c and -w", sh("""bp-read -c a -w 'a > 49998' "one 'x'.db" | bp-write"""), (0, "a\n49999\n", ""))
tap.same("no rows", sh("bp-read empty.db | bp-write"), (0, "a,b\n", ""))
tap.same("several tables want a name", sh("bp-read shop.db >/dev/null"),
         (1, "", "bp-sqlite: shop.db: the database holds 2 tables (big, orders): name one: 'shop.db#TABLE'\n"))
tap.same("no such table", sh("bp-read 'shop.db#nope' >/dev/null"), (1, "", "bp-sqlite: shop.db: no such table: nope\n"))
code, out, err = sh("bp-read bad.db | bp-write out.csv")
tap.same("a value of another type is an error, and nothing is written",
         (code, "row 2: column a: 'word' is text, where INT is declared" in err, os.path.exists("out.csv")), (1, True, False))
data = pathlib.Path("one 'x'.db").read_bytes()
pathlib.Path("cut.db").write_bytes(data[:len(data) // 2])
code, out, err = sh("bp-read cut.db | bp-write out.csv")
tap.same("a damaged database is an error", (code, "bp-sqlite: cut.db" in err, os.path.exists("out.csv")), (1, True, False))
make("wide.db", "CREATE TABLE t (b BLOB)",
     "INSERT INTO t WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 299) "
     "SELECT zeroblob(300000) FROM n")
code, out, err = sh("bp-read wide.db | bp-map --mem 32M --stats 'length(b) AS n' | bp-reduce 'count(*), sum(n)' | bp-write --header no")
tap.claim("wide values come in small batches", (code, out) == (0, "300,90000000\n") and
          ("/san-" in str(BIN) or json.loads(err)["peak_bytes"] < 48 << 20), err)
sys.exit(tap.done())
