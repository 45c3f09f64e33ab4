"""A clerk who keeps notes: the program of the tests of conversations.

clerk.py MODE KEEP READ FOLDER listens in two places. Lines end with CRLF.

KEEP   220 clerk, then: KEEP name (354, lines, a dot; 250-kept, 250 name), DROP name, QUIT
READ   GET name: +OK, the lines, a dot; or -ERR
Bytes  in the mode "bytes", KEEP sends two bytes of its own choice, expects them and a 16-bit
       length (the lowest byte first) and so many bytes, and sends a 32-bit length and the bytes

Each other mode is one way of doing it wrong.
"""

import os
import socket
import sys
import threading

MODE, KEEP, READ, FOLDER = sys.argv[1:]
notes = {}


def listen(address):
    host, port = address.rsplit(":", 1)
    return socket.create_server((host, int(port)), backlog=16)


def lines(stream):
    if MODE == "takes-a-read-for-a-line":
        while data := stream.recv(4096):
            yield data.decode().rstrip("\r\n")
        return
    for line in stream.makefile("rb"):
        yield line.decode().removesuffix("\r\n")


def say(stream, *texts):
    end = "\n" if MODE == "ends-lines-with-lf" else "\r\n"
    stream.sendall("".join(text + end for text in texts).encode())


def save(name, text):
    notes[name] = text
    if MODE != "keeps-it-in-memory":
        path = os.path.join(FOLDER, name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)


def load(name):
    try:
        with open(os.path.join(FOLDER, name)) as file:
            return file.read()
    except FileNotFoundError:
        return notes.get(name)


def keep(stream):
    say(stream, "220 clerk")
    source = lines(stream)
    for line in source:
        verb, _, name = line.partition(" ")
        if verb == "KEEP":
            say(stream, "354 go on, a dot ends it")
            text = []
            for more in source:
                if more == ".":
                    break
                text.append(more)
            save(name, "\n".join(text))
            say(stream, "250-kept", "250 " + name)
        elif verb == "DROP":
            os.remove(os.path.join(FOLDER, name))
            say(stream, "250 " + name)
        elif verb == "QUIT":
            say(stream, "221 bye")
            return
        else:
            say(stream, "500 what?")


def keep_bytes(stream):
    token = os.urandom(2)
    stream.sendall(token)
    source = stream.makefile("rb")
    while head := source.read(4):
        order = "big" if MODE == "bytes-in-the-wrong-order" else "little"
        length = int.from_bytes(head[2:], "little")
        answer = source.read(length)
        stream.sendall(head[:2] + len(answer).to_bytes(4, order) + answer)


def read(stream):
    for line in lines(stream):
        text = load(line.removeprefix("GET "))
        if text is None:
            say(stream, "-ERR no such note")
        else:
            say(stream, "+OK", *text.split("\n"), ".")


def serve(listener, attend):
    while True:
        stream, _ = listener.accept()

        def converse(stream=stream):
            with stream:
                try:
                    attend(stream)
                except OSError:
                    pass

        threading.Thread(target=converse, daemon=True).start()


reader, keeper = listen(READ), listen(KEEP)
threading.Thread(target=serve, args=(reader, read), daemon=True).start()
serve(keeper, keep_bytes if MODE.startswith("bytes") else keep)
