"""Our ends of HTTP against somebody else's: the standard library's client and server over a socket pair."""

import http.client
import http.server
import socket
import threading

import pytest

from torwart.wire.cosem import ClientConnection, Request, Response, ServerConnection

pytestmark = pytest.mark.requirement("WAN-1.2")


def serve(line: socket.socket, requests: list[Request]) -> None:
    """Answer every request with its own body until the client hangs up."""
    connection = ServerConnection()
    while not connection.closed:
        request = connection.receive(line.recv(65536))
        if request is not None:
            requests.append(request)
            line.sendall(connection.send(Response(200, {"Content-Type": "a/b"}, request.body)))
    line.close()


def test_our_server_serves_the_standard_librarys_client() -> None:
    """http.client gets its answers on one persistent connection."""
    ours, theirs = socket.socketpair()
    requests: list[Request] = []
    thread = threading.Thread(target=serve, args=(ours, requests))
    thread.start()
    client = http.client.HTTPConnection("eppc0212345678.sm")
    client.sock = theirs
    bodies = []
    for body in (b"one", b"", b"x" * 100_000):
        client.request("PUT", "/cosem/ldevs/a.sm", body=body, headers={"x-CID": "uuid:1"})
        answer = client.getresponse()
        bodies.append((answer.status, answer.getheader("Content-Type"), answer.read()))
    client.close()
    thread.join(10)

    assert bodies == [(200, "a/b", body) for body in (b"one", b"", b"x" * 100_000)]
    assert [request.header("Host") for request in requests] == ["eppc0212345678.sm"] * 3
    assert not thread.is_alive()


class Echo(http.server.BaseHTTPRequestHandler):
    """Echoes what a PUT carries; a DELETE answers 204."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


def test_our_client_uses_the_standard_librarys_server() -> None:
    """http.server understands our requests, and we its answers, on one persistent connection."""
    with http.server.HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answers = []
        with socket.create_connection(server.server_address, timeout=10) as line:
            client = ClientConnection("eppc0212345678.sm")
            for request in (Request("PUT", "/a", body=b"x" * 100_000), Request("DELETE", "/a"), Request("PUT", "/b")):
                line.sendall(client.send(request))
                answer = None
                while answer is None:
                    answer = client.receive(line.recv(65536))
                answers.append((answer.status, answer.header("x-Host"), len(answer.body)))
        thread.join(10)

    assert answers == [(201, "eppc0212345678.sm", 100_000), (204, "", 0), (201, "eppc0212345678.sm", 0)]
