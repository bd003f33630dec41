#!/usr/bin/env python3
"""A service behind a gateway: it shows who it is told is asking. Python's standard library, nothing else.

    python3 service.py [PORT]        (9000 unless told; 0 takes a free one)

It looks at no token and no cookie. Who is asking stands in the X-Auth-… headers, which the gateway sets and nobody else:
so this must be reachable through the gateway only, as here on loopback.

A path that ends in /broken is answered with 500, as services do at times.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_BYTES_MAX = 1 << 20


class Refused(Exception):
    """A body that cannot be read: a status and why."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the gateway keeps its connections
    wbufsize = 1 << 16  # an answer is one packet
    timeout = 60

    def answer(self):
        try:
            body = self.body()
        except Refused as refused:
            self.close_connection = True
            return self.send_json(refused.args[0], {"error": refused.args[1]})
        seen = {"method": self.command, "path": self.path, "identity": self.identity()}
        # A line for each request: the terminal shows what came through, and so does the test.
        print(json.dumps(seen), flush=True)
        is_broken = self.path.partition("?")[0].endswith("/broken")
        self.send_json(500 if is_broken else 200, {**seen, "body": body.decode("utf-8", "replace")})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def identity(self):
        """What the request says of who is asking: every header that one way or another passes for such a one.

        CGI, WSGI and their kin read `X-Auth-Subject`, `X_Auth_Subject` and even `X!Auth!Subject` as one, HTTP_X_AUTH_SUBJECT;
        and of a header that came twice they take the first, the last or both. Shown is therefore all of it.
        """
        found = []
        for name, value in self.headers.items():
            plain = re.sub("[^A-Z0-9]", "_", name.upper())
            if plain.startswith("X_AUTH") or plain == "COUNTERFOIL_ACCESS_TOKEN":
                found.append([name.lower(), value])
        return sorted(found)

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(400, "no length")
        if int(length) > BODY_BYTES_MAX:
            raise Refused(413, "too much")
        return self.rfile.read(int(length))

    def chunks(self):
        """RFC 9112, section 7.1; http.server leaves it to us."""
        body = b""
        while True:
            size_line = self.rfile.readline(1024).split(b";")[0].strip()
            try:
                size = int(size_line, 16)
            except ValueError:
                raise Refused(400, "no size of a chunk") from None
            if size == 0:
                break
            if size < 0 or len(body) + size > BODY_BYTES_MAX:
                raise Refused(413, "too much")
            body += self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(1024).strip():
            pass
        return body

    def send_json(self, status, value):
        text = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        # A cookie of its own: the gateway must not lose it when it adds one.
        self.send_header("Set-Cookie", "theme=dark; Path=/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_):
        pass  # the line in `answer` says it


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A gateway that throws an idle connection away is no error.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    server = Server(("127.0.0.1", port), Handler)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
