#!/usr/bin/env python3
"""The echo server of lab 1 in Python: python3 echo.py HOST PORT"""

import socket
import sys
import time


def serve(client):
    while data := client.recv(16 * 1024):
        client.sendall(data)


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        print("usage: echo.py HOST PORT", file=sys.stderr)
        return 2
    host, port = sys.argv[1], int(sys.argv[2])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    host, port = listener.getsockname()[:2]
    print(f"listening on [{host}]:{port}" if ":" in host else f"listening on {host}:{port}", flush=True)
    while True:
        try:
            client, _ = listener.accept()
        except OSError as error:
            print(f"cannot accept: {error}", file=sys.stderr)
            time.sleep(0.05)
            continue
        try:
            with client:
                serve(client)
        except OSError as error:
            print(f"client: {error}", file=sys.stderr)


sys.exit(main())
