#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory stays flat: soak.py PROGRAM DIRECTORY CONNECTIONS REQUESTS.

As many clients one after the other, and as many requests of one client, of all kinds
and sizes. What the server has after a fifth of them is all it ever needs."""
import os
import random
import sys

from wire import *

GROWTH = 2048   # KiB


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def flat(server, what, count, step):
    base = None
    for i in range(count):
        step(i)
        if i == count // 5:
            base = memory(server)
    grown = memory(server) - base
    assert grown < GROWTH, f"{grown} KiB more after {count} {what}"
    print(f"{count} {what}: {grown} KiB more")


def connect(server, number):
    with Client(server) as c:
        style = ("simple", "structured", "extended")[number % 3]
        c.negotiate(style, allocation=number % 3 > 0)
        c.read(0, 4096)
        c.error(FLUSH)
        if number % 2:
            c.send(DISC)
            assert c.is_closed()


def hundred(c, rng):
    """A hundred requests at once."""
    cookies = {}
    for _ in range(100):
        at, what = rng.randrange(1000) << 12, rng.randrange(10)
        if what < 4:
            cookies[c.send(READ, at, 1024)] = True
        elif what < 8:
            cookies[c.send(WRITE, at, 4096, PAYLOAD, bytes(4096))] = True
        else:
            command = rng.choice((TRIM, ZEROES, CACHE, STATUS, READ))
            cookies[c.send(command, at, 1024)] = True
    for _ in range(100):
        cookie, error, _ = c.receive()
        assert not error and cookies.pop(cookie)


def main():
    program, directory, connections, requests = sys.argv[1:]
    image = os.path.join(directory, "soak.img")
    with open(image, "wb") as f:
        f.truncate(8 << 20)
    rng = random.Random(1)
    with Server(program, directory, "-f", "raw", "-t", "-e", "50", "--discard=unmap",
                image) as server:
        flat(server, "connections", int(connections), lambda i: connect(server, i))
        c = Client(server).negotiate("extended", allocation=True)
        flat(server, "times 100 requests", int(requests) // 100, lambda _: hundred(c, rng))
        c.socket.close()


main()
