#!/usr/bin/env python3
"""Holds every VOTE_COMMIT of a room, and lets the first one go on.

    twopc-server --lab KEY
    python3 docs/hold-votes.py KEY [HOST:PORT]

An observer with nothing but a socket; docs/lab-wire.md says what travels on it. It watches until it is
ended (Ctrl-C): then nobody watches any more, and what is held goes on.
"""

import json
import secrets
import socket
import sys


class Relay:
    """The connection: messages out, messages in."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.bytes = self.socket.makefile("rb")
        self.host = address

    def send(self, path, body="", *headers):
        body = json.dumps(body) if body else ""
        head = [f"POST {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}", *headers]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode("ascii"))

    def receive(self):
        """The first line, the headers by name, and the body."""
        first, headers = self.line(), {}
        while line := self.line():
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        return first, headers, self.bytes.read(int(headers.get("Content-Length", 0)))

    def line(self):
        line = self.bytes.readline()
        if not line:
            sys.exit("the relay has ended the connection")
        return line.decode("utf-8").rstrip("\r\n")


def log_in(relay, key):
    login = {"user": "script", "role": "observer", "key": secrets.token_hex(16), "lab": key}
    relay.send("/login", login, "Connection: Upgrade", "Upgrade: twopc/1", "Content-Type: application/json")
    first, _, body = relay.receive()
    if first.split()[1] != "101":
        sys.exit(json.loads(body)["message"])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    relay = Relay(sys.argv[2] if len(sys.argv) == 3 else "127.0.0.1:1337")
    log_in(relay, sys.argv[1])
    relay.send("/lab", {"do": "rules", "rules": [{"path": "/2pc/VOTE_COMMIT", "then": "hold"}]})
    chosen = None
    while True:
        first, headers, body = relay.receive()
        path = first.split()[1]
        if path == "/ping":
            relay.send("/pong")
        elif path.startswith("/2pc/"):
            print(f"{headers['Seq']:>4} {headers['From']} -> {headers['To']}: {path.removeprefix('/2pc/')}", flush=True)
        elif path == "/error":
            print(json.loads(body)["message"], flush=True)
        elif path == "/lab":
            fate = json.loads(body)
            print(f"     {fate}", flush=True)
            if fate["fate"] == "held" and chosen is None:
                chosen = fate["seq"]
                relay.send("/lab", {"do": "deliver", "seq": chosen})


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
