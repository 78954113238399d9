# SPDX-License-Identifier: Apache-2.0
"""Tables written to SQLite and PostgreSQL databases, and read from PostgreSQL. Prints TAP.

SQLite is asked by Python's sqlite3, PostgreSQL (postgres.py: a server of the test's own) by psql.
"""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import postgres  # noqa: E402
import tap  # noqa: E402

BIN = pathlib.Path(os.path.abspath(os.environ["BP_BUILD"])) / "bin"
os.chdir(tempfile.mkdtemp(prefix="bp-databases-"))
TYPES = ("id bigint not null, i integer, s smallint, f double precision, r real, p decimal(10,2), note text, "
         "ok boolean, d date, t time, ts timestamp, tz timestamptz, b bytea, iv interval")
ROWS = ("id,i,s,f,r,p,note,ok,d,t,ts,tz,b,iv\n"
        '1,2147483647,-32768,0.1,1.5,1.50,"a\t\\x\n""q""\r",true,2020-02-29,01:02:03.000004,'
        "2020-01-01 12:00:00.5,2020-07-01 10:00:00+00,\\x00ff5c,1 day 02:00:00\n"
        "9007199254740993,,,,,,,,,,,,,\n"
        '-3,0,0,1e+300,-2,99999999.99,"",false,1999-12-31,23:59:59,1960-01-01 00:00:00,1960-01-01 00:00:00+00,\\x,-1 mons\n')
pathlib.Path("in.csv").write_text(ROWS, newline="")
READ = f"bp-read -s '{TYPES}' in.csv"


def sh(script, **env):
    env = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}", **env)
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode()


def write(table, **env):
    """Everything that holds of any database. table: as a word of the shell."""
    tap.same("a table that is not there is made", sh(f"{READ} | bp-write {table}", **env), (0, "", ""))
    code, out, err = sh(f"{READ} | bp-write {table}", **env)
    tap.claim("one that has rows is refused", code == 1 and "the table has rows: --replace" in err and
              err.count("\n") == 2 and "did not take it" in err, err)
    code, out, err = sh(f"{READ} | bp-head -n 1 | bp-write --replace {table} && bp-read {table} | bp-map id | bp-write", **env)
    tap.same("--replace puts other rows in their place", (code, out, err), (0, "id\n1\n", ""))
    code, out, err = sh(f"{READ} | head -c 900 | bp-write --replace {table}", **env)
    tap.claim("a stream that ends early", code == 1 and "ended early" in err, err)
    code, out, err = sh(f"({READ}; bp-read --nonsense) | bp-filter '1/(id-1) > 0' | bp-write --replace {table}", **env)
    tap.claim("a producer that fails", code == 1, err)
    tap.same("change nothing", sh(f"bp-read {table} | bp-map id | bp-write", **env), (0, "id\n1\n", ""))
    for _ in range(5):
        p = subprocess.Popen(["bash", "-c", f"(bp-read -s 'n bigint' <(echo n; seq 300000) | bp-map 'n AS id'; sleep 9) | "
                                            f"exec bp-write --replace {table}"],
                             env=dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}", **env), start_new_session=True)
        time.sleep(0.3)
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
    tap.same("nor does being killed", sh(f"bp-read {table} | bp-map id | bp-write", **env), (0, "id\n1\n", ""))
    code, out, err = sh(f"{READ} | bp-map 'id, note AS other' | bp-write --replace {table}", **env)
    tap.claim("a column that is not in the table", code == 1 and "other" in err, err)
    code, out, err = sh(f"{READ} | bp-write -f csv {table}", **env)
    tap.claim("other options are refused", code == 2 and "only --replace" in err, err)


# ---- SQLite ----

write("'x y.db#t \"1'")
with sqlite3.connect("x y.db") as db:
    tap.same("columns are declared by their types", db.execute("SELECT sql FROM sqlite_master").fetchone()[0],
             'CREATE TABLE "t ""1" ("id" INTEGER NOT NULL, "i" INTEGER, "s" INTEGER, "f" REAL, "r" REAL, "p" TEXT, '
             '"note" TEXT, "ok" BOOLEAN, "d" TEXT, "t" TEXT, "ts" TEXT, "tz" TEXT, "b" BLOB, "iv" TEXT)')
sh(f"{READ} | bp-write all.sqlite#t")
with sqlite3.connect("all.sqlite") as db:
    tap.same("values", db.execute("SELECT id, f, p, note, ok, d, ts, b FROM t").fetchall(), [
        (1, 0.1, "1.50", 'a\t\\x\n"q"\r', 1, "2020-02-29", "2020-01-01 12:00:00.5", b"\0\xff\\"),
        (9007199254740993, None, None, None, None, None, None, None),
        (-3, 1e300, "99999999.99", "", 0, "1999-12-31", "1960-01-01 00:00:00", b"")])
code, out, err = sh(f"{READ} | head -c -20 | bp-write new.db#t")
tap.claim("no table is in a new file", code == 1 and not (os.path.exists("new.db") and os.path.getsize("new.db")),
          os.listdir())
code, out, err = sh(f"({READ} | head -c -20; sleep 2) | bp-write two.db#t & sleep 1; {READ} | bp-write two.db#u; "
                    "a=$?; wait; bp-reduce 'count(*) AS n' two.db#u | bp-write; exit $a")
tap.same("one that failed takes nothing from one that waited for it", (code, out), (0, "n\n3\n"))
code, out, err = sh("printf 'f\nNaN\n' >nan.csv; bp-read -s 'f double precision' nan.csv | bp-write nan.db#t")
tap.claim("no value is changed on the way", code == 1 and "has no NaN" in err, err)

# ---- PostgreSQL ----

if postgres.programs() is None:
    tap.skip("PostgreSQL", "it is not installed")
    sys.exit(tap.done())
with postgres.running() as (server, room):
    url = f"postgresql://oracle@/postgres?host={room}"
    write(f"'{url}#t'")
    sh(f"{READ} | bp-write '{url}#public.Every one'")
    tap.same("columns have their types", server.sql(
        "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = '\"Every one\"'::regclass AND attnum > 0").strip(),
        '"id bigint, i integer, s smallint, f double precision, r real, p numeric(10,2), note text, ok boolean, d date, '
        't time without time zone, ts timestamp without time zone, tz timestamp with time zone, b bytea, iv interval"')
    tap.same("values", server.sql("SELECT md5(string_agg(e::text, '|')) FROM (SELECT * FROM \"Every one\" ORDER BY id) e"),
             server.sql('CREATE TABLE want (LIKE "Every one");\n\\copy want FROM \'in.csv\' CSV HEADER\n'
                        "SELECT md5(string_agg(e::text, '|')) FROM (SELECT * FROM want ORDER BY id) e"))
    tap.same("and come back", sh(f"bp-read '{url}#Every one' | bp-write"),
             (0, ROWS, ""))
    server.sql("CREATE VIEW v AS SELECT 1.50 AS n, numeric(5,2) '1.5' AS p, ARRAY[1,2] AS a, 'x'::varchar(3) AS c, "
               "'{}'::json AS j, interval '1 day' AS iv")
    tap.same("types that we have not are text", sh(f"bp-read '{url}#v' | bp-write"),
             (0, "n,p,a,c,j,iv\n1.50,1.50,\"{1,2}\",x,{},1 day\n", ""))
    server.sql("CREATE VIEW far AS SELECT date 'infinity' AS d")
    code, out, err = sh(f"bp-read '{url}#far' | bp-write out.csv")
    tap.claim("a value that has no place is an error", code == 1 and "row 1: column d: 'infinity'" in err and
              not os.path.exists("out.csv"), err)
    code, out, err = sh(f"bp-read '{url}#nothing' >/dev/null")
    tap.claim("a table that is not there", code == 1 and 'relation "nothing" does not exist' in err, err)
    server.sql("CREATE TABLE small (n smallint)")
    code, out, err = sh(f"printf 'n\n70000\n' >n.csv; bp-read n.csv | bp-write '{url}#small'")
    tap.claim("what the server refuses is refused whole", code == 1 and "smallint" in err and
              server.sql("SELECT count(*) FROM small").strip() == "0", err)
    tap.same("many rows", sh(f"bp-read -s 'n bigint' <(echo n; seq 200000) | bp-write '{url}#many' && "
                             f"bp-reduce 'count(*), sum(n)' '{url}#many' | bp-write --header no"), (0, "200000,20000100000\n", ""))
code, out, err = sh("bp-read 'postgresql://me:secret@host/db#t'")
tap.claim("a password in the name is refused", code == 2 and "secret" not in err and "PGPASSWORD" in err, err)
code, out, err = sh("bp-read 'postgresql://me@host/db'")
tap.claim("a name without a table", code == 2 and "#TABLE" in err, err)
sys.exit(tap.done())
