#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client that does one thing to the server on SOCKET: lives.py SOCKET WHAT."""
import os
import socket
import struct
import sys
import time

from wire import *


class Running:
    """A server somebody else has started."""

    def __init__(self, path):
        self.path = path


def probe(server):
    """Connect and leave, at every stage before the transmission."""
    Client(server, None).socket.close()
    Client(server).socket.close()
    with Client(server) as c:
        c.option(OPT_LIST)
        c.option(OPT_INFO, info(b""))
        c.last(OPT_ABORT)


def leave(server):
    with Client(server) as c:
        c.negotiate()
        c.send(DISC)
        assert c.is_closed()


def vanish(server):
    Client(server).negotiate().socket.close()


def two(server):
    """Two clients; the server has to stay for the second."""
    first, second = (Client(server).negotiate() for _ in range(2))
    first.socket.close()
    time.sleep(0.5)
    assert len(second.read(0, 512)) == 512
    second.send(DISC)


def stay(server):
    """Be there, until the server ends."""
    c = Client(server).negotiate()
    print("ready", flush=True)
    assert c.is_closed()


def deaf(server):
    """Ask for much, take nothing, until the server ends."""
    c = Client(server).negotiate()
    for _ in range(16):
        c.send(READ, 0, 1 << 17)
        c.send(READ, 0, 1 << 20)
    print("ready", flush=True)
    while c.socket.recv(1, socket.MSG_PEEK):
        time.sleep(0.1)
        if not os.path.exists(server.path):
            break


def silent(server):
    """Never say a word."""
    c = Client(server, None)
    c.get(18)
    print("ready", flush=True)
    assert c.is_closed()


def load(server):
    """Write until the connection ends; say how much was answered, then flushed."""
    c = Client(server).negotiate()
    print("ready", flush=True)
    number = durable = 0
    try:
        while True:
            for _ in range(16):
                at = (number % 1024) * 4096
                assert c.write(at, struct.pack(">Q", number) * 512) == 0
                number += 1
            assert c.error(FLUSH) == 0
            durable = number
    except (EOFError, ConnectionResetError, BrokenPipeError):
        print(durable, number, flush=True)


def many(server):
    """More clients than the server has descriptors for."""
    clients = [Client(server, None) for _ in range(40)]
    time.sleep(1.5)
    for c in clients:
        c.socket.close()
    with Client(server) as c:
        c.negotiate()
        assert len(c.read(0, 512)) == 512


globals()[sys.argv[2]](Running(sys.argv[1]))
