"""The sockets of a world: HTTPS on port 443 under any name, plain HTTP on port 8080, and a resolver."""
import datetime
import email.utils
import http.server
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import threading

ADDRESS = "127.0.0.1"


class Authority:
    """A certificate authority that makes a certificate for each name it is asked for."""

    def __init__(self, folder):
        self.folder, self.certificate, self.contexts, self.lock = folder, f"{folder}/ca.pem", {}, threading.Lock()
        openssl("req", "-x509", *KEY, "-keyout", f"{folder}/ca.key", "-out", self.certificate, "-days", "30", "-subj", "/CN=aws-world")

    def context(self, name):
        with self.lock:
            if name not in self.contexts:
                self.contexts[name] = self._issue(re.sub(r"[^a-z0-9.-]", "_", name))
            return self.contexts[name]

    def _issue(self, name):
        stem = f"{self.folder}/{len(self.contexts)}"
        with open(f"{stem}.ext", "w") as extensions:
            extensions.write(f"subjectAltName=DNS:{name}\n")
        openssl("req", *KEY, "-keyout", f"{stem}.key", "-subj", "/CN=leaf", "-out", f"{stem}.csr")
        openssl("x509", "-req", "-in", f"{stem}.csr", "-CA", self.certificate, "-CAkey", f"{self.folder}/ca.key", "-CAcreateserial", "-days", "20",
                "-extfile", f"{stem}.ext", "-out", f"{stem}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{stem}.pem", f"{stem}.key")
        return context


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port, gateway):
        self.gateway = gateway
        super().__init__((ADDRESS, port), Handler)

    def handle_error(self, *_):
        """A client that goes away is no news: stanch is killed on purpose."""

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, body, world = self.server.gateway.handle(self.headers.get("Host"), self.command, self.path, self.headers, body)
        self.send_response_only(status)
        offset = world.offset if world else 0
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset)
        headers = {name: value for name, value in headers.items() if name.lower() not in ("date", "content-length")}
        for name, value in {**headers, "Date": email.utils.format_datetime(now, usegmt=True), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer


def resolve():
    """Answers each question for an IPv4 address with the loopback."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((ADDRESS, 53))
    while True:
        question, client = server.recvfrom(2048)
        end = 12
        while question[end]:
            end += question[end] + 1
        kind = struct.unpack(">H", question[end + 1:end + 3])[0]
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" + socket.inet_aton(ADDRESS) if kind == 1 else b""
        counts = b"\x00\x01" + (b"\x00\x01" if answer else b"\x00\x00") + bytes(4)
        server.sendto(question[:2] + b"\x81\x80" + counts + question[12:end + 5] + answer, client)


def start(gateway, folder):
    """Starts all three, and returns the file of the authority's certificate."""
    authority = Authority(folder)
    server = Server(443, gateway)
    context = authority.context("localhost")

    def chosen(connection, name, _):
        connection.context = authority.context(name or "localhost")

    context.sni_callback = chosen
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.start()
    Server(8080, gateway).start()
    threading.Thread(target=resolve, daemon=True).start()
    return authority.certificate
