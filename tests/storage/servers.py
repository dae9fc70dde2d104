"""Real servers for tests, on this machine alone, and a proxy before them that spoils answers."""

import contextlib
import http.client
import http.server
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time

NGINX = os.path.abspath("../nginx")
MOTO = os.path.abspath("../moto")
HOST = "127.0.0.1"

# What this machine is set to must not lead a test elsewhere.
CLEAN = {name: value for name, value in os.environ.items()
         if not re.match(r"(?i)(aws_|.*_proxy$|ssl_cert|curl_)", name)}


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"a server ended: {process.args}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    sys.exit(f"no server at port {port}")


def nginx_environment():
    libraries = [f"{NGINX}/{folder}/x86_64-linux-gnu" for folder in ("usr/lib", "lib")]
    return dict(CLEAN, LD_LIBRARY_PATH=":".join(libraries))


def make_certificate(folder, name):
    """A key and a certificate for a host, signed by itself: paths of both."""
    key, certificate, config = (f"{folder}/{name}.{end}" for end in ("key", "crt", "cnf"))
    with open(config, "w") as file:
        file.write(f"[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN={name}\n"
                   f"[ext]\nsubjectAltName=DNS:{name}\n")
    subprocess.run([f"{NGINX}/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-config", config, "-keyout", key, "-out", certificate],
                   check=True, env=nginx_environment(), stderr=subprocess.DEVNULL)
    return key, certificate


class Nginx:
    """nginx, serving a folder; with a (key, certificate) by TLS."""

    def __init__(self, folder, work, tls=None):
        self.port = free_port()
        os.makedirs(f"{work}/logs", exist_ok=True)
        self._log = f"{work}/access.log"
        listen = f"{HOST}:{self.port}"
        if tls:
            listen += f" ssl; ssl_certificate_key {tls[0]}; ssl_certificate {tls[1]}"
        scratch = " ".join(f"{kind}_temp_path {work}/{kind};"
                           for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{work}/nginx.conf", "w") as file:
            file.write(f"daemon off; pid {work}/pid; error_log {work}/error.log; {user()}"
                       f"events {{ worker_connections 256; }}\n"
                       f"http {{ {scratch}\n"
                       f"log_format short '$status $body_bytes_sent $uri $http_range';\n"
                       f"access_log {self._log} short;\n"
                       f"server {{ listen {listen}; root {folder}; }} }}\n")
        self._process = subprocess.Popen([f"{NGINX}/usr/sbin/nginx", "-p", work, "-e", f"{work}/error.log",
                                          "-c", f"{work}/nginx.conf"], env=nginx_environment())
        wait_for_port(self.port, self._process)

    def requests(self):
        """(status, bytes sent, path, range) of each so far."""
        with open(self._log) as file:
            rows = [line.split() for line in file]
        return [(int(status), int(count), path, asked) for status, count, path, asked in rows]

    def forget(self):
        open(self._log, "w").close()

    def stop(self):
        self._process.terminate()
        self._process.wait()


def user():
    """Who the workers are: where this is root, files of root's are read."""
    return "user root;" if os.geteuid() == 0 else ""


MAKE_USER = """
iam = boto3.client("iam")
iam.create_user(UserName="test")
key = iam.create_access_key(UserName="test")["AccessKey"]
allow = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
iam.put_user_policy(UserName="test", PolicyName="all", PolicyDocument=allow)
print(key["AccessKeyId"], key["SecretAccessKey"])
"""

UPLOAD = """
bucket, prefix, folder = sys.argv[1:]
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket)
for name in os.listdir(folder):
    s3.upload_file(f"{folder}/{name}", bucket, f"{prefix}/{name}")
"""


class Moto:
    """A server of S3's kind, which checks signatures: `keys` are a user's, all others are refused."""

    def __init__(self):
        self.port = free_port()
        self.endpoint = f"http://{HOST}:{self.port}"
        environment = dict(CLEAN, PYTHONPATH=MOTO, INITIAL_NO_AUTH_ACTION_COUNT="3")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "moto.server", "-H", HOST, "-p", str(self.port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self._process)
        made = self._run(MAKE_USER, keys=("any", "key"))
        self.keys = tuple(made.split())

    def _run(self, script, *arguments, keys):
        """Runs a script that begins with `import boto3`; returns what it prints."""
        environment = dict(CLEAN, PYTHONPATH=MOTO, AWS_ENDPOINT_URL=self.endpoint, AWS_ACCESS_KEY_ID=keys[0],
                           AWS_SECRET_ACCESS_KEY=keys[1], AWS_DEFAULT_REGION="us-east-1")
        return subprocess.run([sys.executable, "-P", "-c", "import boto3, os, sys\n" + script, *arguments], check=True,
                              env=environment, stdout=subprocess.PIPE, text=True).stdout

    def environment(self, home):
        """What a program needs that reads from here."""
        return dict(CLEAN, HOME=home, AWS_ENDPOINT_URL=self.endpoint, AWS_ACCESS_KEY_ID=self.keys[0],
                    AWS_SECRET_ACCESS_KEY=self.keys[1], AWS_REGION="us-east-1")

    def upload(self, bucket, prefix, folder):
        """With boto3, whose signatures are not ours."""
        self._run(UPLOAD, bucket, prefix, folder, keys=self.keys)

    def stop(self):
        self._process.terminate()
        self._process.wait()


class Proxy:
    """Stands before a server. `fault(number, path)` says what becomes of each answer:

    None       it passes            drop     the connection ends without one
    half       it ends in the middle  busy   503 instead
    slow       ten bytes a second   flip     its last byte is another
    short      its body lacks a byte, which its headers know   replaced  another ETag
    """

    def __init__(self, port):
        self.down = False  # Connections end at once.
        self.fault = lambda number, path: None
        self.count = 0
        self._lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                with contextlib.suppress(OSError):
                    proxy._answer(self, port)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments):
                pass

        self._server = Server((HOST, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, handler, port):
        with self._lock:
            number = self.count
            self.count += 1
        fault = "drop" if self.down else self.fault(number, handler.path)
        if fault == "drop":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        backend = http.client.HTTPConnection(HOST, port)
        backend.putrequest("GET", handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            backend.putheader(name, value)
        backend.endheaders()
        answer = backend.getresponse()
        body = answer.read()
        backend.close()
        headers = {name.lower(): value for name, value in answer.getheaders()
                   if name.lower() in ("content-range", "etag", "last-modified", "content-type")}
        status = answer.status
        if fault == "busy":
            status, body, headers = 503, b"come back later", {}
        if fault == "flip":
            body = body[:-1] + bytes([body[-1] ^ 1])
        if fault == "short":
            body = body[:-1]
        if fault == "replaced":
            headers["etag"] = '"another"'
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        if fault == "half":
            handler.wfile.write(body[:len(body) // 2])
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        elif fault == "slow":
            for byte in body:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(0.1)
        else:
            handler.wfile.write(body)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
