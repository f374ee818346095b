#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The negotiation of TLS, with OpenSSL on the side of the client: encryption.py PROGRAM
DIRECTORY CERTIFICATES."""
import os
import ssl
import sys
import time

from wire import *

TLS_REQD = ERR + 5
SIZE = 4 << 20
program, directory, certificates = sys.argv[1:]


def equal(what, is_, should):
    assert is_ == should, f"{what}: {is_!r} instead of {should!r}"


def encrypt(c, authority="ca-cert.pem", own=None, version=None):
    equal("starttls", c.last(OPT_STARTTLS), ACK)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(os.path.join(certificates, authority))
    if own:
        context.load_cert_chain(*(os.path.join(certificates, f"{own}-{kind}.pem")
                                  for kind in ("cert", "key")))
    if version:
        context.maximum_version = version
    c.socket = context.wrap_socket(c.socket, server_hostname="localhost")
    return c


def test_required(server):
    for option in (OPT_LIST, OPT_INFO, OPT_GO, OPT_STRUCTURED, OPT_SET_META, 99):
        with Client(server) as c:
            equal(f"option {option}", c.last(option, b"\0" * 6), TLS_REQD)
    with Client(server) as c:
        c.send_option(OPT_EXPORT_NAME)
        assert c.is_closed(), "an export by name in the clear"
    with Client(server) as c:
        equal("abort", c.last(OPT_ABORT), ACK)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with encrypt(Client(server), version=version) as c:
            equal("version", c.socket.version(), version.name.replace("_", "."))
            c.negotiate("structured", allocation=True)
            equal("write", c.write(1000, b"x" * 300000), 0)
            equal("read", c.read(1000, 300000), b"x" * 300000)
            c.send(DISC)
            assert c.is_closed()


def test_on(server):
    with Client(server) as c:
        c.negotiate()
        equal("read in the clear", len(c.read(0, 512)), 512)
    with Client(server) as c:
        # nothing said in the clear counts
        equal("structured", c.last(OPT_STRUCTURED), ACK)
        equal("context", c.last(OPT_SET_META, meta(b"", b"base:allocation")), ACK)
        encrypt(c)
        equal("context", c.last(OPT_SET_META, meta(b"", b"base:allocation")), INVALID)
        equal("starttls again", c.last(OPT_STARTTLS), INVALID)
        c.negotiate("simple")
        equal("read", len(c.read(0, 512)), 512)
    with Client(server) as c:
        equal("starttls with data", c.last(OPT_STARTTLS, b"x"), INVALID)
        c.negotiate()


test_on.options = ("--tls=on",)


def test_wrong_beginnings(server):
    for garbage in (b"x" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 1000,
                    b"IHAVEOPT" + struct.pack(">II", OPT_LIST, 0)):
        with Client(server) as c:
            # what follows at once must not be taken for a part of the encrypted
            c.send_option(OPT_STARTTLS)
            c.put(garbage)
            equal("ack", c.reply(OPT_STARTTLS)[0], ACK)
            try:
                while data := c.socket.recv(4096):
                    assert b"NBD" not in data and b"\3\xe8\x89" not in data, data
            except ConnectionResetError:
                pass
    with Client(server) as c:
        start = time.monotonic()
        equal("ack", c.last(OPT_STARTTLS), ACK)
        while c.socket.recv(4096):
            pass
        assert time.monotonic() - start > 0.8, "dropped too early"
    # one that vanishes in the middle of it, and one in the middle of a record
    with Client(server) as c:
        c.last(OPT_STARTTLS)
        c.put(b"\x16\x03\x01")
    with encrypt(Client(server)) as c:
        c.negotiate()
        c.send(READ, 0, 1 << 20)


test_wrong_beginnings.options = ("--handshake-timeout", "1")


def refused(server, **how):
    try:
        with encrypt(Client(server), **how) as c:
            c.negotiate()
    except (ssl.SSLError, EOFError, ConnectionResetError, BrokenPipeError):
        return
    raise AssertionError(f"{how} is let in")


def test_peers(server):
    refused(server)
    refused(server, own="stranger")
    with encrypt(Client(server), own="client") as c:
        c.negotiate()
        equal("read", len(c.read(0, 512)), 512)


test_peers.options = ("--tls-verify-peer",)


def main():
    image = os.path.join(directory, "tls.img")
    for name, test in [t for t in globals().items() if t[0].startswith("test_")]:
        with open(image, "wb") as f:
            f.truncate(SIZE)
        with Server(program, directory, "-f", "raw", "-t", "-e", "9", "--tls-certificates",
                    certificates, *getattr(test, "options", ()), image) as server:
            test(server)
        print(f"ok {name[5:]}", flush=True)


main()
