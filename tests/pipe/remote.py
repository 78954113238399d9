# SPDX-License-Identifier: Apache-2.0
"""http and s3: an HTTP server of ours with every bad habit, and a real S3-compatible server
(versitygw, built by `make check` where there is go; it serves a folder) behind a proxy that
breaks connections and answers 503. The result is right, or exit 1 and nothing half-written.
Prints TAP."""

import gzip
import hashlib
import http.server
import os
import pathlib
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
import tap  # noqa: E402

BUILD = pathlib.Path(os.environ["BP_BUILD"])
BIN = BUILD / "bin"
SERVER = pathlib.Path(__file__).resolve().parents[2] / "build/go/bin/versitygw"
ENV = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}", BP_REMOTE_ATTEMPTS="5")
for name in list(ENV):
    if name.startswith("AWS_"):
        del ENV[name]
ENV["HOME"] = "/nonexistent"
WORK = pathlib.Path(tempfile.mkdtemp(prefix="bp-remote-"))


def sh(script, status=0, env=None, **more):
    """stdout of the script, a pipeline in bash; its stderr is in sh.err."""
    p = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=WORK, env=env or ENV, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more)
    sh.err = p.stderr.decode()
    assert p.returncode == status, f"status {p.returncode}: {script}\n{sh.err}"
    return p.stdout


def says(text):
    assert text in sh.err, f"no '{text}' in: {sh.err}"


def same(a, b):
    assert a == b, f"{len(a)} bytes, {len(b)} wanted; {a[:200]} {b[:200]}"


# ---- a server with habits ----

class Web(http.server.BaseHTTPRequestHandler):
    """/HABIT/NAME: the file NAME of WORK/web, served in the manner of HABIT."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    lock = threading.Lock()
    asked = {}  # by path: requests
    sent = {}  # by path: bytes

    def log_message(self, *_):
        pass

    def reset(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def status(self, code, **headers):
        self.send_response(code)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()

    def range_of(self, size):
        text = self.headers.get("Range")
        if not text or not text.startswith("bytes="):
            return None
        a, b = text[6:].split("-")
        return int(a), min(int(b) + 1, size)

    def list_again(self):
        """A page that leads to itself, or to one before it."""
        with self.lock:
            self.asked["list"] = n = self.asked.get("list", 0) + 1
        body = ("<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>d/%d.csv</Key></Contents>"
                "<NextContinuationToken>%s</NextContinuationToken></ListBucketResult>" % (n, "ab"[n % 2])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if "list-type=2" in self.path:
            return self.list_again()
        habit, name = path[1:].split("/", 1)
        file = WORK / "web" / name
        with self.lock:
            n = self.asked[path] = self.asked.get(path, 0) + 1
        if not file.is_file():
            return self.status(404, Content_Length=0)
        data = file.read_bytes()
        if habit == "mixes" and n > 1:
            data = data.replace(b"old", b"new")
        tag = '"%s"' % hashlib.md5(data).hexdigest()
        if habit == "changes" and n > 2:
            tag = '"another"'
        if habit == "busy" and n % 3 == 2:
            return self.status(503, Content_Length=0)
        if self.headers.get("If-Match") not in (None, tag):
            return self.status(412, Content_Length=0)
        part = self.range_of(len(data))
        if habit in ("whole", "chunked", "cut", "endless", "forgets"):  # unended: with ranges
            part = None if habit != "forgets" or n > 1 else part
        if part and part[0] >= len(data):
            return self.status(416, Content_Length=0, Content_Range=f"bytes */{len(data)}")
        body = data[part[0]:part[1]] if part else data
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{len(data)}")
        self.send_header("ETag", tag)
        if habit in ("chunked", "cut", "unended"):
            self.send_header("Transfer-Encoding", "chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in
                            (body[i:i + 50000] for i in range(0, len(body), 50000)))
            if habit == "cut":
                body = body[:len(body) // 2]
            elif habit != "unended" or n > 1:
                body += b"0\r\n\r\n"
        elif habit == "endless":
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if (habit == "breaks" and n % 2 == 0 and len(body) > 1) or (habit == "mixes" and n == 1):
            body = body[:len(body) // 2]
            self.wfile.write(body)
            return self.reset()
        try:
            self.wfile.write(body)
            with self.lock:
                self.sent[path] = self.sent.get(path, 0) + len(body)
            if habit == "cut" or (habit == "unended" and n == 1):
                self.reset()
        except OSError:
            self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


def web(habit, name):
    return f"http://127.0.0.1:{web.port}/{habit}/{name}"


def make_data():
    (WORK / "web").mkdir()
    sh("taxi-gen --rows 30000 >web/trips.csv; gzip -kf web/trips.csv")
    sh("bp-read web/trips.csv | bp-write want.csv")
    sh("bp-read web/trips.csv | bp-write --row-group-rows 4000 web/trips.parquet")
    sh("bp-read web/trips.csv | bp-write web/trips.jsonl")
    sh("bp-read web/trips.csv | bp-write web/trips.arrow; : >web/empty.csv")
    sh("bp-read web/trips.csv | bp-write web/wide.parquet")


def http_formats():
    want = (WORK / "want.csv").read_bytes()
    for name in ("trips.csv", "trips.csv.gz", "trips.parquet", "trips.arrow"):
        same(sh(f"bp-read {web('good', name)} | bp-write"), want)
    same(sh(f"bp-read {web('good', 'trips.jsonl')} | bp-write"), sh("bp-read web/trips.jsonl | bp-write"))
    same(sh(f"bp-read {web('good', 'trips.csv')} {web('good', 'trips.csv')}?x=1 | bp-reduce 'count(*)' | bp-write"),
         b"count(*)\n60000\n")


def http_shares():
    for name in ("trips.csv", "trips.parquet"):
        sh(f"for t in 0 1 2; do bp-read --task $t/3 {web('good', name)} | "
           f"bp-shuffle --task $t/3 -k PULocationID -n 4 st-{name}; done")
        same(sh(f"bp-sort PULocationID,tpep_pickup_datetime,total_amount st-{name} | bp-write"),
             sh(f"bp-sort PULocationID,tpep_pickup_datetime,total_amount web/{name} | bp-write"))


def http_without_ranges():
    want = (WORK / "want.csv").read_bytes()
    for habit in ("whole", "chunked"):
        same(sh(f"bp-read {web(habit, 'trips.csv')} | bp-write"), want)
        same(sh(f"bp-read {web(habit, 'trips.csv.gz')} | bp-write"), want)
    sh(f"bp-read {web('whole', 'trips.parquet')}", status=1)
    says("must be a plain file")
    sh(f"bp-read {web('cut', 'trips.csv')} | bp-write out.csv", status=1)
    assert not (WORK / "out.csv").exists()
    sh(f"bp-read {web('endless', 'trips.csv')}", status=1)
    says("could not be told from a broken connection")


def http_many_whole():
    """More small files than the helper keeps, none of which can be had in parts."""
    (WORK / "web/small").mkdir()
    text = "".join(f"{i}\n" for i in range(12000))
    for i in range(900):
        (WORK / f"web/small/{i}.csv").write_text(f"x\n{i}\n{text}")
    names = " ".join(web("whole", f"small/{i}.csv") for i in range(900))
    same(sh(f"bp-reduce 'count(*), sum(x)' {names} | bp-write"),
         b"count(*),sum(x)\n10800900,%d\n" % (900 * sum(range(12000)) + sum(range(900))))
    asked = [n for path, n in Web.asked.items() if path.startswith("/whole/small/")]
    assert len(asked) == 900 and sum(asked) <= 3600, (len(asked), sum(asked))
    # one that is read from its end
    sh("bp-read -c x web/small/1.csv | bp-head -n 2000 | bp-write web/small.parquet")
    assert (WORK / "web/small.parquet").stat().st_size < 60000
    same(sh(f"bp-reduce 'count(*)' {web('whole', 'small.parquet')} | bp-write"), b"count(*)\n2000\n")


def http_forgets_ranges():
    """The first answer was a part, and later ones are all of it."""
    (WORK / "web/forget.csv").write_text("x\n" + "1\n" * 60000)
    sh(f"bp-read {web('forgets', 'forget.csv')} | bp-write out.csv", status=1)
    says("all of it where a part was asked for")
    assert not (WORK / "out.csv").exists()


def http_faults():
    want = (WORK / "want.csv").read_bytes()
    for habit in ("breaks", "busy"):
        for name in ("trips.csv", "trips.parquet"):
            same(sh(f"bp-read {web(habit, name)} | bp-write"), want)
    assert Web.asked["/breaks/trips.csv"] > 2 and Web.asked["/busy/trips.csv"] > 2


def http_first_look():
    """Its answer breaks: all of it has come, or the next answer is of another version."""
    (WORK / "web/v.csv").write_text("v\n" + "old\n" * 300)
    for habit, want in ("unended", b"v,n\nold,300\n"), ("mixes", b"v,n\nnew,300\n"):
        same(sh(f"bp-reduce -k v 'count(*) AS n' {web(habit, 'v.csv')} | bp-write"), want)
        assert Web.asked[f"/{habit}/v.csv"] > 1


def http_changes():
    sh(f"bp-read {web('changes', 'trips.csv')} | bp-write out.csv", status=1)
    says("was changed while it was read")
    assert not (WORK / "out.csv").exists()


def http_columns():
    sh(f"bp-read -c total_amount {web('few', 'wide.parquet')} | bp-write")
    size = (WORK / "web/wide.parquet").stat().st_size
    sent = Web.sent["/few/wide.parquet"]
    assert Web.asked["/few/wide.parquet"] <= 8, Web.asked["/few/wide.parquet"]
    assert sent < size / 3, f"{sent} of {size} bytes"


def https():
    """A server with a certificate of its own is trusted where it is said so."""
    key, cert = WORK / "key.pem", WORK / "cert.pem"
    sh(f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {cert} -days 2 -subj /CN=localhost "
       "-addext subjectAltName=IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = Server(("127.0.0.1", 0), Web)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{serve(server)}/good/trips.parquet"
    sh(f"bp-read {url}", status=1)
    says("cannot reach")
    same(sh(f"bp-read {url} | bp-write", env=dict(ENV, AWS_CA_BUNDLE=str(cert))), (WORK / "want.csv").read_bytes())


def http_names():
    sh(f"bp-read {web('good', 'nothing.csv')}", status=1)
    says("there is no such object")
    sh("bp-read http://me:word@127.0.0.1:1/a.csv", status=2)
    says("no place for a password")
    sh(f"bp-read {web('good', 'empty.csv')}", status=1)
    out = sh(f"bp-read '{web('good', 'trips.csv')}?X-Amz-Signature=hidden'")
    assert b"trips.csv?..." in out and b"hidden" not in out
    sh(f"bp-read '{web('good', 'nothing.csv')}?sig=hidden'", status=1)
    assert "hidden" not in sh.err
    sh(f"bp-read web/trips.csv | bp-write '{web('good', 'a.csv')}?sig=hidden'", status=2)
    says("http can be read, not written")
    assert "hidden" not in sh.err
    sh(f"bp-todo -n 2 out/ '{web('good', 'nothing.csv')}?sig=hidden'", status=1)
    assert "hidden" not in sh.err
    sh(f"bp-read '{web('good', 'n' * 1500)}?sig=hidden'", status=1)
    assert "hidden" not in sh.err


def list_without_end():
    sh("bp-read 's3://lake/d/*.csv'", status=1, env=dict(ENV, AWS_ENDPOINT_URL=f"http://127.0.0.1:{web.port}"))
    says("the same continuation token again")
    assert Web.asked["list"] < 9


# ---- S3 ----

class Proxy(socketserver.BaseRequestHandler):
    """One request a connection, handed on to the server but for the faults."""

    lock = threading.Lock()
    n = 0
    busy = breaks = 0  # every busy-th request is a 503, every breaks-th is broken in its middle
    lose = None  # a piece of a request line: its answer is lost, once
    forbid = None  # a piece of a request line: 403
    kill_after = None  # bytes of requests, then the server is killed
    seen = 0
    moving = 0  # answers that came of moving.csv

    def head(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(65536)
            if not piece:
                return None, None
            data += piece
        head, rest = data.split(b"\r\n\r\n", 1)
        return head, rest

    def reset(self):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()

    def handle(self):
        cls = Proxy
        head, body = self.head()
        if head is None:
            return
        with cls.lock:
            cls.n += 1
            n = cls.n
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        first = head.split(b"\r\n")[0]
        breaks = cls.breaks and n % cls.breaks == 0
        while len(body) < length:
            piece = self.request.recv(min(1 << 18, length - len(body)))
            if not piece:
                return
            body += piece
            cls.seen += len(piece)
            if cls.kill_after and cls.seen > cls.kill_after:
                cls.kill_after = None
                S3.stop()
            if breaks and n % (2 * cls.breaks) == 0 and len(body) > length // 2:
                return self.reset()
        if cls.busy and n % cls.busy == 0:
            self.request.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if cls.forbid and cls.forbid in first:
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        answer = self.forward(head, body)
        if answer is None:
            return self.reset()
        cls.moving += first.startswith(b"GET /lake/moving.csv ")
        with cls.lock:
            lost = cls.lose and cls.lose in first
            if lost:
                cls.lose = None
        if lost:
            return self.reset()
        if breaks and len(answer) > 1:
            self.request.sendall(answer[:len(answer) // 2])
            return self.reset()
        try:
            self.request.sendall(answer)
        except OSError:
            pass

    def forward(self, head, body):
        lines = [l for l in head.split(b"\r\n") if not l.lower().startswith(b"connection:")]
        try:
            with socket.create_connection(("127.0.0.1", S3.port), timeout=20) as s:
                try:
                    s.sendall(b"\r\n".join(lines + [b"Connection: close"]) + b"\r\n\r\n" + body)
                except OSError:
                    pass  # it may have answered before it had read everything
                out = b""
                while piece := s.recv(1 << 18):
                    out += piece
        except OSError:
            return None
        head, _, rest = out.partition(b"\r\n\r\n")
        lines = [l for l in head.split(b"\r\n") if not l.lower().startswith(b"connection:")]
        return b"\r\n".join(lines + [b"Connection: close"]) + b"\r\n\r\n" + rest


class S3:
    port = 0
    process = None
    root = WORK / "s3"

    @classmethod
    def start(cls):
        if not cls.port:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                cls.port = s.getsockname()[1]
        (cls.root / "lake").mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, ROOT_ACCESS_KEY="mykeyid", ROOT_SECRET_KEY="mysecretword")
        cls.process = subprocess.Popen([SERVER, "--quiet", "--port", f"127.0.0.1:{cls.port}", "posix", cls.root],
                                       env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       stdin=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", cls.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("versitygw does not listen")

    @classmethod
    def stop(cls):
        if cls.process:
            cls.process.kill()
            cls.process.wait()
            cls.process = None

    @classmethod
    def leftovers(cls):
        """Parts of uploads that were neither completed nor aborted. The server may be removing
        directories meanwhile: os.walk passes over what is gone."""
        return [os.path.join(d, f) for d, _, files in os.walk(cls.root / "lake/.sgwtmp") for f in files]


def faults(busy=0, breaks=0, lose=None, kill_after=None):
    Proxy.n = Proxy.seen = 0
    Proxy.busy, Proxy.breaks, Proxy.lose, Proxy.kill_after = busy, breaks, lose, kill_after


def lake(name):
    return S3.root / "lake" / name


def s3_formats():
    want = (WORK / "want.csv").read_bytes()
    for name in ("a b+c%20é'.csv", "t.csv.gz", "t.parquet", "t.arrow"):
        sh(f'bp-read web/trips.csv | bp-write "s3://lake/in/{name}"')
        same(sh(f'bp-read "s3://lake/in/{name}" | bp-write'), want)
    same(lake("in/a b+c%20é'.csv").read_bytes(), want)
    sh("head -n 1 web/trips.csv | bp-read - | bp-write s3://lake/none.csv")
    same(sh("bp-read s3://lake/none.csv | bp-write"), want.split(b"\n")[0] + b"\n")
    sh("bp-read s3://lake/missing.csv", status=1)
    says("there is no such object")
    sh("head -n 9 web/trips.csv | bp-read - | bp-write s3://nowhere/a.csv", status=1)
    says("NoSuchBucket")


def s3_names():
    (lake("many/y=1")).mkdir(parents=True)
    (lake("many/y=2/.x")).mkdir(parents=True)
    for i in range(1300):
        lake(f"many/y=1/{i:04}.csv").write_bytes(b"x\n%d\n" % i)
    for name in ("_SUCCESS", "a.csv", ".b.csv"):
        lake(f"many/y=2/{name}").write_bytes(b"x\n5000\n")
    want = b"y,count(*),sum(x)\n1,1300,844350\n2,1,5000\n"
    same(sh("bp-read s3://lake/many | bp-reduce -k y 'count(*), sum(x)' | bp-sort y | bp-write"), want)
    same(sh("bp-read 's3://lake/many/y=1/12*.csv' | bp-reduce 'count(*)' | bp-write"), b"count(*)\n100\n")
    same(sh("bp-read 's3://lake/ma*/y=[2-9]/*.csv' | bp-reduce 'sum(x)' | bp-write"), b"sum(x)\n5000\n")


def s3_job(out):
    """The revenue job, its stage and its output on the store."""
    sh(f"""for t in 0 1 2; do
             bp-read --task $t/3 s3://lake/in/t.csv.gz s3://lake/raw/trips.csv |
               bp-reduce --partial -k PULocationID 'sum(total_amount) AS revenue, count(*) AS n' |
               bp-shuffle --task $t/3 -n 8 s3://lake/{out}/stage
           done
           [ -z "$(bp-todo -n 3 s3://lake/{out}/stage)" ]
           for t in 0 1; do
             bp-reduce --task $t/2 --final s3://lake/{out}/stage | bp-write --task $t/2 -f parquet s3://lake/{out}/rev/
           done
           bp-sort 'revenue DESC, PULocationID' s3://lake/{out}/rev | bp-write -f csv s3://lake/{out}/all/""")
    return sh(f"bp-read s3://lake/{out}/all | bp-write")


def s3_jobs():
    lake("raw").mkdir()
    shutil.copy(WORK / "web/trips.csv", lake("raw/trips.csv"))
    sh("""bp-reduce -k PULocationID 'sum(total_amount) AS revenue, count(*) AS n' web/trips.csv.gz web/trips.csv |
          bp-sort 'revenue DESC, PULocationID' | bp-write want-job.csv""")
    want = (WORK / "want-job.csv").read_bytes()
    same(s3_job("job1"), want)
    assert (lake("job1/all/_SUCCESS")).exists()
    faults(busy=5, breaks=7)
    same(s3_job("job2"), want)
    faults()
    lake("job1/stage/00001-of-00003.arrow").unlink()
    sh("bp-reduce --final s3://lake/job1/stage", status=1)
    says("task 1 of 3 is missing")
    same(sh("bp-todo -n 3 s3://lake/job1/stage"), b"1/3\n")


def big(name, env=None, status=0):
    """Enough for several parts."""
    return sh(f"bp-read big.csv | bp-write {name}", status=status, env=env)


def s3_multipart():
    sh("for i in $(seq 12); do cat web/trips.csv; done | bp-read --on-error skip -q -s 'VendorID int, *' - | "
       "bp-write big.csv")
    want = sh("bp-read big.csv | bp-write")
    assert len(want) > 20 << 20
    # nine requests of twenty fail: of five attempts all may, where others are counted between them
    stubborn = dict(ENV, BP_REMOTE_ATTEMPTS="10")
    faults(busy=5, breaks=4)
    big("s3://lake/big.csv", env=stubborn)
    same(lake("big.csv").read_bytes(), want)
    same(sh("bp-read s3://lake/big.csv | bp-write", env=stubborn), want)
    for lose in (b"POST /lake/big2.csv?uploadId=", b"partNumber=1&"):
        faults(lose=lose)
        big("s3://lake/big2.csv")
        same(lake("big2.csv").read_bytes(), want)
        assert Proxy.lose is None
    faults()
    for left in S3.leftovers():
        pathlib.Path(left).unlink(missing_ok=True)


def s3_killed():
    lake("keep.csv").write_bytes(b"old\n1\n")
    sh("(bp-read big.csv | head -c 20000000) | bp-write s3://lake/keep.csv", status=1)
    same(lake("keep.csv").read_bytes(), b"old\n1\n")
    wait_until(lambda: not S3.leftovers())
    # SIGKILL, when at least two parts were sent
    faults()
    p = subprocess.Popen(["bash", "-c", "exec bp-write -f csv s3://lake/keep.csv"], cwd=WORK, env=ENV,
                         stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stream = sh("bp-read big.csv")
    threading.Thread(target=feed, args=(p.stdin, stream[:len(stream) * 9 // 10]), daemon=True).start()
    wait_until(lambda: Proxy.seen > 9 << 20)
    p.kill()
    p.wait()
    wait_until(lambda: not S3.leftovers())
    same(lake("keep.csv").read_bytes(), b"old\n1\n")


def tree(top):
    return {str(f.relative_to(top)): f.read_bytes() for f in top.rglob("*") if f.is_file()}


def s3_files_in_a_directory():
    """By value and in parts: the bytes that a disk gets, or nothing."""
    outputs = [("-f csv --by payment_type OUT/", "by"), ("-f parquet --parts 3 OUT/", "parts"),
               ("-f csv --target-size 600K OUT/", "size"), ("'OUT/{VendorID}/{payment_type}.csv'", "pattern"),
               ("-f csv --by 'payment_type, RatecodeID' OUT/", "by2")]
    for i, (options, name) in enumerate(outputs):
        faults(*((7, 11) if i < 2 else ()))
        for out in (f"disk/{name}", f"s3://lake/dirs/{name}"):
            sh(f"bp-read web/trips.csv | bp-write {options.replace('OUT', out)}")
        assert tree(lake(f"dirs/{name}")) == tree(WORK / "disk" / name), name
    faults()
    for name in ("by", "parts", "by2"):
        sh(f"bp-stat --fingerprint s3://lake/dirs/{name} >a; bp-stat --fingerprint disk/{name} >b")
        same((WORK / "a").read_bytes(), (WORK / "b").read_bytes())
    # what cannot be done says so, and does nothing
    before = tree(lake("dirs"))
    for options, status, text in (("'s3://lake/dirs/pattern/{VendorID}/{payment_type}.csv'", 1, "cannot put files of the same"),
                                  ("--replace 's3://lake/dirs/pattern/{VendorID}.csv'", 1, "cannot put files of the same"),
                                  ("--task 0/2 --replace -f csv --by payment_type s3://lake/dirs/by/", 2, "write to a new prefix"),
                                  ("'s3://{VendorID}.csv'", 2, "names no bucket")):
        sh(f"bp-read web/trips.csv | bp-write {options}", status=status)
        says(text)
    assert tree(lake("dirs")) == before
    # a stream that is cut off: nothing stays
    for options in ("-f csv --target-size 200K OUT/", "-f csv --by payment_type OUT/"):
        sh(f"(bp-read web/trips.csv | head -c 2000000) | bp-write {options.replace('OUT', 's3://lake/dirs/cut')}",
           status=1)
        assert not lake("dirs/cut").exists() or not tree(lake("dirs/cut"))


def s3_directories_again():
    """What is in a directory is replaced, or stays beside a run, as on a disk."""
    every = "bp-read web/trips.csv"
    some = f"{every} | bp-filter 'payment_type = 1 AND trip_distance > 2'"
    hive = "-f csv --by 'payment_type, VendorID' OUT/"
    steps = [(every, hive), (some, hive), (every, f"--replace-parts {hive}"), (some, f"--replace-parts {hive}"),
             (every, f"--run b {hive}"), (some, f"--run b-00 {hive}"), (some, f"--run b {hive}"),
             (every, f"--run b {hive}"), (some, f"--replace {hive}"),
             (every, "-f csv --parts 3 --replace OUT/"), (some, "-f csv --parts 2 OUT/"),
             (every, "-f csv --run one OUT/"), (some, "-f csv --run two OUT/"), (some, "-f csv --run one OUT/")]
    rows_of = {}
    for rows, options in steps:
        faults(busy=9)
        for out in ("disk/again", "s3://lake/again"):
            sh(f"{rows} | bp-write {options.replace('OUT', out)}")
        faults()
        for out in ("disk/again", "s3://lake/again"):
            rows_of[out[0]] = sorted(sh(f"bp-read {out} | bp-write").splitlines())
        assert rows_of["s"] == rows_of["d"], options
        far, near = tree(lake("again")), tree(WORK / "disk/again")
        assert "_UNFINISHED" not in far
        assert sorted(v for k, v in far.items() if k != "_SUCCESS") == sorted(v for k, v in near.items() if k != "_SUCCESS")
    # refused, and nothing changed: a stranger; runs of others; other columns
    before = tree(lake("again"))
    sh(f"{some} | bp-write -f csv --parts 2 s3://lake/again/", status=1)
    says("holds files of other runs ('one')")
    sh(f"{some} | bp-map VendorID | bp-write -f csv --run three s3://lake/again/", status=1)
    says("holds files with other columns than these")
    assert tree(lake("again")) == before
    lake("again/stranger.csv").write_text("a\n1\n")
    for options in ("--parts 2", "--run three"):
        sh(f"{some} | bp-write -f csv {options} s3://lake/again/", status=1)
        says("holds 1 file that bp-write did not write there as one output ('stranger.csv')")
    # a stream that is cut off: all is as it was
    lake("again/stranger.csv").unlink()
    for options in ("--run one", "--run three", "--replace --parts 2"):
        sh(f"({every} | head -c 2000000) | bp-write -f csv {options} s3://lake/again/", status=1)
        assert tree(lake("again")) == before, options
    # a killed one: no table, until one is written; what it left does not count
    for sign in ("killed", "after the list"):
        if sign == "killed":
            p = subprocess.Popen(["bash", "-c", "exec bp-write -f csv --replace --target-size 200K s3://lake/again/"],
                                 cwd=WORK, env=ENV, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            stream = sh(every)
            threading.Thread(target=feed, args=(p.stdin, stream[:len(stream) * 3 // 4]), daemon=True).start()
            wait_until(lambda: lake("again/00001.csv").exists())
            p.kill()
            p.wait()
        else:  # the old files of its run had not gone yet
            lake("again/_UNFINISHED").write_text("another\n")
            lake("again/one-00017.csv").write_text("a\n1\n")
        assert all(tree(lake("again")).get(k) == v for k, v in before.items())
        sh("bp-read s3://lake/again", status=1)
        says("is not complete: its writer has not ended, or died")
        sh(f"{some} | bp-write -f csv --parts 2 s3://lake/again/", status=1)
        says("holds files of other runs")
        sh(f"{some} | bp-write -f csv --run one s3://lake/again/")
        assert sorted(sh("bp-read s3://lake/again | bp-write").splitlines()) == rows_of["d"]
        before = tree(lake("again"))
        assert len(before) == 5, sorted(before)
    # a mark of another: it is not ours any more, and nothing of what is there is taken back
    p = subprocess.Popen(["bash", "-c", "exec bp-write -f csv --run one s3://lake/again/"], cwd=WORK, env=ENV,
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    stream = sh(some)
    p.stdin.write(stream[:len(stream) // 2])
    p.stdin.flush()
    wait_until(lambda: lake("again/_UNFINISHED").exists())
    lake("again/_UNFINISHED").write_text("another\n")
    err = p.communicate(stream[len(stream) // 2:])[1].decode()
    assert p.returncode == 1 and "was begun anew by another bp-write meanwhile" in err, err
    assert all(tree(lake("again")).get(k) == v for k, v in before.items())


def s3_tasks_by_value():
    """A directory of each task, repeated ones too; a task that is missing, or has not ended, is told."""
    for out in ("disk/tasks", "s3://lake/tasks"):
        for i in (0, 1, 1, 2):
            if i == 2:
                sh(f"bp-read {out}", status=1)
                says("1 of 3 tasks are missing, the first is 2/3")
            sh(f"bp-read --task {i}/3 web/trips.csv | bp-write --task {i}/3 -f csv --by payment_type {out}/")
    same(sh("bp-read s3://lake/tasks | bp-stat --fingerprint -"), sh("bp-read disk/tasks | bp-stat --fingerprint -"))
    lake("tasks/00001-of-00003/_UNFINISHED").write_text("another\n")
    sh("bp-read s3://lake/tasks", status=1)
    says("00001-of-00003' is not complete: its writer has not ended, or died")
    same(sh("bp-todo -n 3 s3://lake/tasks"), b"1/3\n")
    sh("bp-read --task 1/3 web/trips.csv | bp-write --task 1/3 -f csv --by payment_type s3://lake/tasks/")
    same(sh("bp-read s3://lake/tasks | bp-stat --fingerprint -"), sh("bp-read disk/tasks | bp-stat --fingerprint -"))


def s3_unfinished():
    """SIGKILL among the files of a directory: it is no table, until it is written again."""
    write = "bp-write -f csv --target-size 200K s3://lake/killed/"
    p = subprocess.Popen(["bash", "-c", f"exec {write}"], cwd=WORK, env=ENV, stdin=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    stream = sh("bp-read web/trips.csv")
    threading.Thread(target=feed, args=(p.stdin, stream[:len(stream) * 3 // 4]), daemon=True).start()
    wait_until(lambda: lake("killed/00002.csv").exists())
    p.kill()
    p.wait()
    for name in ("killed", "killed/", "killed/*.csv", "kill*/*.csv", "kill*"):
        sh(f"bp-read 's3://lake/{name}'", status=1)
        says("is not complete: its writer has not ended, or died")
    sh("bp-read web/trips.csv | bp-write -f csv s3://lake/killed/", status=1)
    says("is not complete")
    sh(f"bp-read web/trips.csv | {write}; bp-read web/trips.csv | bp-write -f csv --target-size 200K disk/killed/")
    assert tree(lake("killed")) == tree(WORK / "disk/killed")
    same(sh("bp-read 's3://lake/kill*/*.csv' | bp-reduce 'count(*)' | bp-write"), b"count(*)\n30000\n")
    # a COLUMN=VALUE directory is looked at with what holds it
    lake("dirs/by/_UNFINISHED").write_text("another\n")
    sub = sorted(f for f in lake("dirs/by").iterdir() if "=" in f.name)[0]
    sh(f"bp-read 's3://lake/dirs/by/{sub.name}'", status=1)
    says("is not complete")
    # and where nobody tells whether it is there, it may be
    Proxy.forbid = b"_UNFINISHED"
    for name in ("dirs/by", f"dirs/by/{sub.name}"):
        sh(f"bp-read 's3://lake/{name}'", status=1)
        says("_UNFINISHED")
    Proxy.forbid = None
    lake("dirs/by/_UNFINISHED").unlink()
    sh(f"bp-read 's3://lake/dirs/by/{sub.name}'")


def s3_example():
    """examples/taxi/16-s3.sh gives what 14-hive.sh, which was held against DuckDB, gives on a disk."""
    taxi = pathlib.Path(__file__).resolve().parents[2] / "examples/taxi"
    env = dict(ENV, TAXI_ROWS="20000", TAXI_DATA=str(WORK / "taxi"), TAXI_OUT=str(WORK / "taxi-out"))
    faults(busy=9)
    shown = sh(f"sh {taxi}/16-s3.sh s3://lake/taxi", env=env)
    faults()
    sh(f"sh {taxi}/14-hive.sh", env=env)
    assert b"2020-01-17" in shown
    same((WORK / "taxi-out/one-day-s3.csv").read_bytes(), (WORK / "taxi-out/one-day.csv").read_bytes())
    same(sh("bp-read s3://lake/taxi/revenue-by-day | bp-write"), sh("bp-read taxi-out/revenue-by-day | bp-write"))
    same((WORK / "taxi-out/appended-s3.csv").read_bytes(), (WORK / "taxi-out/appended.csv").read_bytes())
    assert not lake("taxi/revenue-by-day/_UNFINISHED").exists()


def feed(pipe, data):
    try:
        pipe.write(data)
        pipe.flush()
        time.sleep(60)
    except OSError:
        pass


def wait_until(true):
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to pass in 30 s")


def s3_server_dies():
    quick = dict(ENV, BP_REMOTE_ATTEMPTS="3")
    faults(kill_after=10 << 20)
    big("s3://lake/new.csv", env=quick, status=1)
    says("cannot reach 's3://lake/new.csv'")
    says("not written")
    assert not lake("new.csv").exists()
    sh("bp-read s3://lake/big.csv | bp-write out.csv", env=quick, status=1)
    assert not (WORK / "out.csv").exists()
    S3.start()


def s3_changes():
    """The object is replaced while a reader is in its midst."""
    body = b"x\n" + b"1\n" * (40 << 20)
    lake("moving.csv").write_bytes(body)
    p = subprocess.Popen(["bash", "-o", "pipefail", "-c", "bp-read -s 'x int' s3://lake/moving.csv | (until [ -e go ]; do sleep 0.02; done; cat) | "
                          "bp-reduce 'count(*)'"], cwd=WORK, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: Proxy.moving > 2)  # it reads ahead of what is taken from it, but not so far
    sh("printf 'x\\n1\\n' | bp-read - | bp-write s3://lake/moving.csv")
    (WORK / "go").touch()
    _, err = p.communicate(timeout=30)
    assert p.returncode == 1 and b"was changed while it was read" in err, (p.returncode, err)


def s3_keys():
    home = WORK / "home/.aws"
    home.mkdir(parents=True)
    (home / "credentials").write_text("[default]\naws_access_key_id = no\naws_secret_access_key = no\n"
                                      "[lake]\naws_access_key_id = mykeyid\naws_secret_access_key=mysecretword\n")
    env = {k: v for k, v in ENV.items() if not k.startswith("AWS_")}
    env |= {"HOME": str(WORK / "home"), "AWS_PROFILE": "lake"}
    url = ENV["AWS_ENDPOINT_URL"]
    out = sh(f"bp-read --endpoint {url} s3://lake/in/t.parquet", env=env)
    for word in (b"mysecretword", b"mykeyid"):
        assert word not in out
    env["AWS_PROFILE"] = "default"
    sh(f"bp-read --endpoint {url} s3://lake/in/t.parquet", env=env, status=1)
    assert "mysecretword" not in sh.err
    env["HOME"] = "/nonexistent"
    sh(f"bp-read --endpoint {url} s3://lake/in/t.parquet", env=env, status=1)
    says("no access key was found")


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    web.port = serve(Server(("127.0.0.1", 0), Web))
    make_data()
    tap.check("http: every format, as from a file")(http_formats)
    tap.check("http: shares of tasks")(http_shares)
    tap.check("http: a server without ranges is read as a stream, to its end or not at all")(http_without_ranges)
    tap.check("http: 900 small files of a server without ranges")(http_many_whole)
    tap.check("http: a server that forgets ranges in the midst")(http_forgets_ranges)
    tap.check("http: broken connections and 503 do not show")(http_faults)
    tap.check("http: a first answer that breaks is asked for again, of one version")(http_first_look)
    tap.check("http: what changes while it is read is an error")(http_changes)
    tap.check("http: only the columns that are wanted are fetched")(http_columns)
    if shutil.which("openssl"):
        tap.check("https: certificates are checked")(https)
    tap.check("http: names, and what does not belong into them")(http_names)
    tap.check("s3: a list that leads back to itself is an error")(list_without_end)
    s3 = [("s3: every format, odd names", s3_formats),
          ("s3: directories, patterns, lists of several pages", s3_names),
          ("s3: the job, stage and output on the store, right in spite of faults", s3_jobs),
          ("s3: a large object in parts, in spite of faults and lost answers", s3_multipart),
          ("s3: a writer that fails or is killed leaves the old object and no parts", s3_killed),
          ("s3: files by value and in parts, as on a disk", s3_files_in_a_directory),
          ("s3: directories that are replaced, and runs, as on a disk", s3_directories_again),
          ("s3: tasks by value", s3_tasks_by_value),
          ("s3: files of a writer that was killed are no table", s3_unfinished),
          ("s3: the example, from and to the store", s3_example),
          ("s3: the server is killed in the midst of a transfer", s3_server_dies),
          ("s3: an object that is replaced while it is read", s3_changes),
          ("s3: keys by file and profile, and nowhere to be seen", s3_keys)]
    if not SERVER.exists():
        for name, _ in s3:
            tap.skip(name, "no S3 server: `make check` builds versitygw where go is installed")
    else:
        S3.start()
        port = serve(Server(("127.0.0.1", 0), Proxy))
        ENV.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_ACCESS_KEY_ID="mykeyid",
                   AWS_SECRET_ACCESS_KEY="mysecretword")
        try:
            for name, run in s3:
                tap.check(name)(run)
        finally:
            S3.stop()
    shutil.rmtree(WORK, ignore_errors=True)
    return tap.done()


sys.exit(main())
