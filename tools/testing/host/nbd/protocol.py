#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a client may say wrong, and what it must be told: protocol.py PROGRAM PLAIN
DIRECTORY [NAME...]. PLAIN is the program as users have it, where PROGRAM may be built to
find faults.

Each function whose name begins with "test_" gets a server; afterwards another client
must be served as if nothing had happened.
"""
import os
import random
import socket
import struct
import sys
import time

from wire import *

SIZE = 8 << 20
STYLES = ("simple", "structured", "extended")
BASE = b"base:allocation"


def equal(what, is_, should):
    assert is_ == should, f"{what}: {is_!r} instead of {should!r}"


def test_first_words(server):
    for flags in (4, 0x80000000, 0xffffffff):
        with Client(server, flags) as c:
            assert c.is_closed(), f"client flags {flags:#x} are taken"
    for flags in (0, 1, 2, 3):
        with Client(server, flags) as c:
            equal("abort", c.last(OPT_ABORT), ACK)
            assert c.is_closed()


def test_wrong_magic(server):
    with Client(server) as c:
        c.put(b"IHAVEOPS" + struct.pack(">II", OPT_LIST, 0))
        assert c.is_closed()


def test_options_that_are_not_known(server):
    with Client(server) as c:
        for option, data in ((4, b""), (12, b"x" * 16384), (0, b"y"), (0xffffffff, b"z" * 99)):
            equal(f"option {option}", c.last(option, data), UNSUP)
        equal("option of 16385 bytes", c.last(12, bytes(16385)), TOO_BIG)
        equal("option of 1 MiB", c.last(OPT_INFO, bytes(1 << 20)), TOO_BIG)
        equal("list", c.last(OPT_LIST), ACK)
        c.send_option(12, length=0xffffffff)
        assert c.is_closed()


def test_options_without_data(server):
    with Client(server) as c:
        for option in (OPT_LIST, OPT_STRUCTURED, OPT_EXTENDED, OPT_STARTTLS):
            equal(f"option {option} with data", c.last(option, b"x"), INVALID)
        assert c.last(OPT_STARTTLS) in (UNSUP, POLICY)
        # an abort is one whatever comes with it
        equal("abort with data", c.last(OPT_ABORT, b"x" * 100), ACK)


def test_list(server):
    with Client(server) as c:
        replies = c.option(OPT_LIST)
        equal("list", [r[0] for r in replies], [SERVER, SERVER, ACK])
        names = []
        for _, data in replies[:-1]:
            length = struct.unpack(">I", data[:4])[0]
            names.append(data[4:4 + length])
            equal("description", data[4 + length:], b"two images")
        equal("names", names, [b"one", b"two"])


def test_info(server):
    with Client(server) as c:
        for option in (OPT_INFO, OPT_GO):
            wrong = {
                "nothing": b"",
                "no count": struct.pack(">I3s", 3, b"one"),
                "name behind the end": struct.pack(">I3sH", 4, b"one", 0),
                "name of 4 GiB": struct.pack(">I3sH", 0xffffffff, b"one", 0),
                "too few infos": info(b"one", 1, 2)[:-2],
                "too many infos": info(b"one", 1) + b"\0\0",
                "an odd byte": info(b"one") + b"\0",
                "long name": info(b"x" * 4097),
            }
            for what, data in wrong.items():
                equal(what, c.last(option, data), INVALID)
            for name in (b"", b"three", b"on", b"one\0", b"x" * 4096):
                equal(f"name {name[:9]}", c.option(option, info(name))[0][0], UNKNOWN)
        replies = c.option(OPT_INFO, info(b"two", 3, 1, 2, 77, 0))
        infos = {data[:2]: data[2:] for kind, data in replies if kind == INFO}
        equal("last", replies[-1][0], ACK)
        equal("infos", set(infos), {b"\0\0", b"\0\1", b"\0\2", b"\0\3"})
        size, flags = struct.unpack(">QH", infos[b"\0\0"])
        equal("size", size, SIZE)
        # HAS_FLAGS, FLUSH, FUA, TRIM, ZEROES, MULTI_CONN, CACHE, FAST_ZERO; not DF
        equal("flags", flags, 1 | 4 | 8 | 32 | 64 | 256 | 1024 | 2048)
        equal("name", infos[b"\0\1"], b"two")
        equal("description", infos[b"\0\2"], b"two images")
        least, preferred, most = struct.unpack(">III", infos[b"\0\3"])
        equal("block sizes", (least, preferred, most), (1, 4096, 32 << 20))
        # still negotiating
        equal("list", c.last(OPT_LIST), ACK)


def test_export_name(server):
    with Client(server, 1) as c:
        c.send_option(OPT_EXPORT_NAME, b"one")
        size, flags = struct.unpack(">QH", c.get(10))
        equal("size", size, SIZE)
        equal("DF without structured replies", flags & 128, 0)
        equal("zeroes", c.get(124), bytes(124))
        equal("read", len(c.read(0, 512)), 512)
    with Client(server) as c:
        c.send_option(OPT_EXPORT_NAME, b"two")
        c.get(10)
        equal("read after no zeroes", len(c.read(4096, 512)), 512)
    for name in (b"", b"three"):
        with Client(server) as c:
            c.send_option(OPT_EXPORT_NAME, name)
            assert c.is_closed()
    with Client(server) as c:
        c.last(OPT_EXTENDED)
        c.send_option(OPT_EXPORT_NAME, b"one")
        assert c.is_closed(), "NBD_OPT_EXPORT_NAME with extended headers"


def test_meta_contexts(server):
    with Client(server) as c:
        for option in (OPT_LIST_META, OPT_SET_META):
            equal("before structured replies", c.last(option, meta(b"one", BASE)), INVALID)
        c.last(OPT_STRUCTURED)
        for option in (OPT_LIST_META, OPT_SET_META):
            good = meta(b"one", BASE, b"x:y")
            for cut in range(len(good)):
                equal(f"cut at {cut}", c.last(option, good[:cut]), INVALID)
            equal("a byte too many", c.last(option, good + b"x"), INVALID)
            equal("count", c.last(option, b"\0\0\0\3one\xff\xff\xff\xff"), INVALID)
            equal("long query", c.last(option, meta(b"one", b"x" * 4097)), INVALID)
            equal("no such export", c.last(option, meta(b"1", BASE)), UNKNOWN)
            for query in (b"x-y:z", b"base:alloc", b"base:allocation2", b"qemu:"):
                equal(f"query {query}", c.option(option, meta(b"one", query)), [(ACK, b"")])
            replies = c.option(option, meta(b"one", b"z:", BASE, BASE))
            equal("found", [(k, d[4:]) for k, d in replies], [(META, BASE), (ACK, b"")])
        for queries in ((), (b"base:",)):
            replies = c.option(OPT_LIST_META, meta(b"two", *queries))
            equal("list", [(k, d[4:]) for k, d in replies], [(META, BASE), (ACK, b"")])
            equal("set", c.option(OPT_SET_META, meta(b"two", *queries)), [(ACK, b"")])


def test_status_needs_a_context(server):
    def refused(*options):
        with Client(server) as c:
            c.last(OPT_STRUCTURED)
            for option, data in options:
                c.option(option, data)
            c.negotiate("structured", b"one")
            equal(f"status after {options}", c.error(STATUS, 0, 4096), EINVAL)

    refused()
    refused((OPT_LIST_META, meta(b"one", BASE)))
    refused((OPT_SET_META, meta(b"two", BASE)))
    refused((OPT_SET_META, meta(b"one", BASE)), (OPT_SET_META, meta(b"one")))
    # one that failed has undone the one before
    refused((OPT_SET_META, meta(b"one", BASE)), (OPT_SET_META, meta(b"three", BASE)))
    refused((OPT_SET_META, meta(b"one", BASE)), (OPT_SET_META, b"x"))


def test_structured_after_extended(server):
    with Client(server) as c:
        equal("extended", c.last(OPT_EXTENDED), ACK)
        equal("structured", c.last(OPT_STRUCTURED), EXT_HEADER_REQD)
        equal("extended again", c.last(OPT_EXTENDED), ACK)


def test_wrong_request_magic(server):
    for style in STYLES:
        for magic in (0, 0x12560953, 0x67446698,
                      0x25609513 if style == "extended" else 0x21e41c71):
            with Client(server) as c:
                c.negotiate(style, b"one")
                c.put(struct.pack(">I28x", magic))
                assert c.is_closed(), f"{style}: {magic:#x}"


def test_requests_that_are_refused(server):
    over = SIZE - 511
    cases = {
        "command 8": (EINVAL, 8, 0, 512),
        "command 65535": (EINVAL, 65535, 0, 512),
        "read beyond": (EINVAL, READ, over, 512),
        "read far beyond": (EINVAL, READ, 2 ** 64 - 1, 512),
        "read with a sum of 0": (EINVAL, READ, 2 ** 64 - 512, 512),
        "read too much": (EINVAL, READ, 0, SIZE + 1),
        "trim beyond": (EINVAL, TRIM, over, 512),
        "cache beyond": (EINVAL, CACHE, over, 512),
        "zeroes beyond": (ENOSPC, ZEROES, over, 512),
        "zeroes of all and one": (ENOSPC, ZEROES, 0, SIZE + 1),
        "read with NO_HOLE": (EINVAL, READ, 0, 512, NO_HOLE),
        "trim with NO_HOLE": (EINVAL, TRIM, 0, 512, NO_HOLE),
        "zeroes with DF": (EINVAL, ZEROES, 0, 512, DF),
        "flush with REQ_ONE": (EINVAL, FLUSH, 0, 0, REQ_ONE),
        "read with FAST_ZERO": (EINVAL, READ, 0, 512, FAST_ZERO),
        "cache with a flag": (EINVAL, CACHE, 0, 512, REQ_ONE),
        "read with an unknown flag": (EINVAL, READ, 0, 512, 1 << 15),
        "flush with a length": (EINVAL, FLUSH, 0, 512),
        "flush with an offset": (EINVAL, FLUSH, 512, 0),
    }
    for style in STYLES:
        with Client(server) as c:
            c.negotiate(style, b"one", allocation=style != "simple")
            for what, (error, *request) in cases.items():
                equal(f"{style}: {what}", c.error(*request), error)
            if style == "simple":
                equal("read with DF", c.error(READ, 0, 512, DF), EINVAL)
            else:
                equal("status beyond", c.error(STATUS, over, 512), EINVAL)
                equal("status with DF", c.error(STATUS, 0, 512, DF), EINVAL)
            # none of these is worth a hang-up
            for command in (READ, WRITE, TRIM, CACHE, ZEROES):
                c.error(command, 0, 0, PAYLOAD if command == WRITE and style == "extended" else 0)
            equal("write beyond", c.write(over, bytes(512)), ENOSPC)
            equal("long write beyond", c.write(SIZE - 4096, bytes(3 << 20)), ENOSPC)
            equal("good write", c.write(0, b"a" * 4096), 0)
            equal("good read", c.read(0, 4096), b"a" * 4096)


def test_fua_on_everything(server):
    for style in STYLES:
        with Client(server) as c:
            c.negotiate(style, b"one", allocation=style != "simple")
            for command in (READ, TRIM, CACHE, ZEROES, STATUS):
                if style == "simple" and command == STATUS:
                    continue
                equal(f"command {command}", c.error(command, 4096, 4096, FUA), 0)
            equal("flush", c.error(FLUSH, 0, 0, FUA), 0)
            equal("write", c.write(4096, bytes(4096), FUA), 0)


def test_too_large(server):
    for style in STYLES:
        with Client(server) as c:
            c.negotiate(style, b"big")
            flag = PAYLOAD if style == "extended" else 0
            equal("large read", c.error(READ, 0, (64 << 10) + 1), EOVERFLOW)
            equal("large write", c.write(0, bytes((64 << 10) + 1)), EINVAL)
            equal("write of 32 MiB", c.write(0, bytes(32 << 20)), EINVAL)
            equal("largest write", c.write(0, b"b" * (64 << 10)), 0)
            equal("largest read", c.read(0, 64 << 10), b"b" * (64 << 10))
            equal("zeroes have no data", c.error(ZEROES, 0, 1 << 30), 0)
            c.send(WRITE, 0, (32 << 20) + 1, flag)
            assert c.is_closed(), "data that never ends"


test_too_large.options = ("-x", "big", "--request-max", "64K")
test_too_large.size = 1 << 30


def test_read_only(server):
    for style in STYLES:
        with Client(server) as c:
            c.negotiate(style, b"one")
            equal("flag", c.flags & 2, 2)
            equal("flags of changes", c.flags & (32 | 64 | 2048), 0)
            equal("write", c.write(0, b"x" * 512), EPERM)
            equal("zeroes", c.error(ZEROES, 0, 512), EPERM)
            equal("trim", c.error(TRIM, 0, 512), EPERM)
            equal("flush", c.error(FLUSH), 0)
            equal("read", c.read(0, 512), bytes(512))


test_read_only.options = ("-x", "one", "-r")


def test_extended_headers(server):
    with Client(server) as c:
        c.negotiate("extended", b"big", allocation=True)
        equal("write without PAYLOAD_LEN", c.error(WRITE, 0, 512), EINVAL)
        equal("read with a payload", c.error(READ, 0, 512, PAYLOAD, bytes(512)), EINVAL)
        equal("status with a payload", c.error(STATUS, 0, 12, PAYLOAD, bytes(12)), EINVAL)
        equal("read of 8 EiB", c.error(READ, 0, 1 << 63), EINVAL)
        equal("trim of 5 GiB", c.error(TRIM, 0, 5 << 30), 0)
        equal("zeroes of 6 GiB", c.error(ZEROES, 0, 6 << 30), 0)
        equal("zeroes beyond", c.error(ZEROES, 4096, 6 << 30), ENOSPC)
        equal("write", c.write(5 << 30, b"c" * 65536), 0)
        error, chunks = c.ask(STATUS, 0, 6 << 30)
        equal("status", (error, c.offset, len(chunks), chunks[0][0]), (0, 0, 1, BLOCK_STATUS_EXT))
        payload = chunks[0][1]
        context, count = struct.unpack(">II", payload[:8])
        equal("context", context, c.context)
        equal("length", len(payload), 8 + 16 * count)
        runs = [struct.unpack(">QQ", payload[i:i + 16]) for i in range(8, len(payload), 16)]
        equal("runs", runs, [(5 << 30, 3), (65536, 0), ((1 << 30) - 65536, 3)])
        equal("offset of a reply", (c.error(READ, 12345, 1), c.offset), (0, 12345))
        c.send(WRITE, 0, 1 << 40, PAYLOAD)
        assert c.is_closed(), "data of 1 TiB"


test_extended_headers.options = ("-x", "big")
test_extended_headers.size = 6 << 30


def test_status(server):
    for style in ("structured", "extended"):
        with Client(server) as c:
            c.negotiate(style, b"one", allocation=True)
            c.error(ZEROES, 0, SIZE)
            for at in range(0, SIZE, 1 << 20):
                c.write(at + (64 << 10), b"d" * (64 << 10))
            size = 16 if style == "extended" else 8
            for length in (SIZE, 200 << 10, 4096):
                kind, payload = c.ask(STATUS, 0, length)[1][0]
                head = 8 if style == "extended" else 4
                runs = [struct.unpack(">QQ" if size == 16 else ">II", payload[i:i + size])
                        for i in range(head, len(payload), size)]
                at = 0
                for run, state in runs:
                    data = (at // (64 << 10)) % 16 == 1
                    equal(f"state at {at}", state, 0 if data else 3)
                    equal(f"end at {at}", (at + run) % (1 << 20) in ((64 << 10), (128 << 10))
                          or at + run == length, True)
                    at += run
                equal("sum", at, length)
            payload = c.ask(STATUS, 65536, SIZE - 65536, REQ_ONE)[1][0][1]
            equal("one", payload[4:] if style == "structured" else payload[8:],
                  struct.pack(">QQ" if size == 16 else ">II", 65536, 0))


test_status.options = ("-x", "one", "--discard=unmap")


def test_unfragmented(server):
    for style in ("structured", "extended"):
        with Client(server) as c:
            c.negotiate(style, b"one")
            equal("flag", c.flags & 128, 128)
            for length in (1, 65536, 1 << 20, SIZE):
                error, chunks = c.ask(READ, 0, length, DF)
                content = [k for k, _ in chunks if k in (DATA, HOLE)]
                equal("chunks", (error, content), (0, [DATA]))


def send_any(c, rng, waiting):
    number, what = rng.randrange(256), rng.randrange(4)
    if what == 0:
        # the same data once more, durable, so that it takes longer
        flags = FUA | (PAYLOAD if c.style == "extended" else 0)
        data = struct.pack(">Q", number) * 512
        waiting[c.send(WRITE, number << 12, 4096, flags, data)] = None
    elif what == 1:
        waiting[c.send(FLUSH)] = None
    else:
        waiting[c.send(READ, number << 12, 4096)] = number


def take_any(c, waiting):
    # a simple reply does not say what it answers before its data
    head = c.socket.recv(16, socket.MSG_PEEK | socket.MSG_WAITALL)
    number = waiting.pop(struct.unpack(">Q", head[8:])[0])
    _, error, result = c.receive(0 if number is None else 4096)
    equal("error", error, 0)
    if number is not None:
        data = result if c.style == "simple" else result[0][1][8:]
        equal("data", data, struct.pack(">Q", number) * 512)


def test_many_at_once(server):
    """Every request is answered once, with its own data, whatever the order."""
    rng = random.Random(4)
    for style in STYLES:
        with Client(server) as c:
            c.negotiate(style, b"one")
            for number in range(256):
                c.write(number << 12, struct.pack(">Q", number) * 512)
            waiting = {}
            for turn in range(800):
                # a client that never reads would wait for itself
                if len(waiting) < 24 and (turn % 3 or not waiting):
                    send_any(c, rng, waiting)
                else:
                    take_any(c, waiting)
            while waiting:
                take_any(c, waiting)


def test_half_messages(server):
    """A client that goes away after any number of bytes."""
    whole = struct.pack(">I", 3)
    whole += b"IHAVEOPT" + struct.pack(">II", OPT_STRUCTURED, 0)
    data = info(b"one", 3)
    whole += b"IHAVEOPT" + struct.pack(">II", OPT_GO, len(data)) + data
    whole += struct.pack(">IHHQQI", 0x25609513, 0, READ, 1, 0, 4096)
    whole += struct.pack(">IHHQQI", 0x25609513, 0, WRITE, 2, 0, 64) + bytes(64)
    for length in range(len(whole)):
        with Client(server, None) as c:
            c.put(whole[:length])


def test_trickle(server):
    with Client(server) as c:
        data = b"IHAVEOPT" + struct.pack(">II", OPT_GO, 9) + info(b"one")
        for byte in data:
            c.put(bytes([byte]))
        while c.reply(OPT_GO)[0] != ACK:
            pass
        request = struct.pack(">IHHQQI", 0x25609513, 0, WRITE, 2, 0, 64) + b"e" * 64
        for byte in request:
            c.put(bytes([byte]))
        equal("write", c.receive(), (2, 0, b""))
        equal("read", c.read(0, 64), b"e" * 64)


def test_requests_in_pieces(server):
    """The same requests cut in pieces of any size, over the ends of buffers."""
    rng = random.Random(7)
    with Client(server) as c:
        c.negotiate("simple", b"one")
        model = bytearray(SIZE)
        c.error(ZEROES, 0, SIZE)
        stream, replies = b"", 0
        for cookie in range(60):
            length = rng.choice((1, 511, 4096, 65536, 300000, 524288, 524289, 700000))
            at = rng.randrange(SIZE - length)
            data = rng.randbytes(length)
            model[at:at + length] = data
            stream += struct.pack(">IHHQQI", 0x25609513, 0, WRITE, cookie, at, length) + data
            stream += struct.pack(">IHHQQI", 0x25609513, 0, FLUSH, cookie, 0, 0)
            at = 0
            while at < len(stream):
                piece = rng.choice((1, 27, 28, 1000, 70000, 1 << 20))
                c.put(stream[at:at + piece])
                at += piece
            stream = b""
            for _ in range(2):
                equal("write", c.receive()[:2], (cookie, 0))
        for at in range(0, SIZE, 1 << 20):
            assert c.read(at, 1 << 20) == model[at:at + (1 << 20)], f"data at {at}"


def test_slow_reader(server):
    """One that asks for much and takes nothing holds up nobody else."""
    with Client(server) as slow:
        slow.negotiate("simple", b"one")
        for _ in range(64):
            slow.send(READ, 0, 1 << 20)
        with Client(server) as c:
            c.negotiate("simple", b"one")
            for i in range(100):
                equal("write", c.write(i * 4096, b"f" * 4096, FUA), 0)


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def test_a_thousand_idle(server):
    with Client(server) as c:
        c.negotiate("simple", b"one")
        c.read(0, 4096)
        before = resident(server)
        idle = [Client(server, None) for _ in range(500)]
        for _ in range(500):
            idle.append(Client(server).negotiate("simple", b"one"))
        each = (resident(server) - before) / len(idle)
        assert each < 64, f"{each} KiB for an idle connection"
        equal("read", len(c.read(0, 65536)), 65536)
        # those of the second half are clients like any other
        equal("read of an idle one", len(idle[700].read(0, 512)), 512)
        for other in idle:
            other.socket.close()


test_a_thousand_idle.plain = True
test_a_thousand_idle.options = ("-x", "one", "-e", "1500", "--handshake-timeout", "600")


def test_handshake_timeout(server):
    with Client(server) as c:
        c.negotiate("simple", b"one")
        start = time.monotonic()
        silent = Client(server, None)
        silent.get(18)
        talking = Client(server)
        while True:
            try:
                talking.last(OPT_LIST)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                break
        assert silent.is_closed()
        assert time.monotonic() - start > 0.9, "dropped too early"
        equal("read", len(c.read(0, 512)), 512)
        # who does not take the answers
        deaf = Client(server)
        try:
            while True:
                deaf.send_option(OPT_LIST)
        except (BrokenPipeError, ConnectionResetError):
            pass


test_handshake_timeout.options = ("-x", "one", "-e", "10", "--handshake-timeout", "1")


def test_oldstyle(server):
    with Client(server, None) as c:
        head = c.get(152)
        equal("magic", head[:16], b"NBDMAGIC\x00\x00\x42\x02\x81\x86\x12\x53")
        size, flags = struct.unpack(">QI", head[16:28])
        equal("size", size, SIZE)
        equal("flags", flags & 1, 1)
        equal("zeroes", head[28:], bytes(124))
        equal("write", c.write(0, b"g" * 512), 0)
        equal("read", c.read(0, 512), b"g" * 512)


test_oldstyle.options = ("--oldstyle",)


def test_clients_wait_for_their_turn(server):
    first = Client(server).negotiate("simple", b"one")
    equal("multi-conn", first.flags & 256, 0)
    second = Client(server, None)
    second.socket.settimeout(0.3)
    try:
        second.get(1)
        raise AssertionError("two clients with -e 1")
    except TimeoutError:
        pass
    first.send(DISC)
    assert first.is_closed()
    second.socket.settimeout(TIMEOUT)
    equal("greeting", second.get(8), b"NBDMAGIC")


test_clients_wait_for_their_turn.options = ("-x", "one", "-e", "1")


def others_are_served(server, test):
    if getattr(test, "options", ("",))[0] != "-x":
        return
    with Client(server) as c:
        c.negotiate("structured", test.options[1].encode())
        c.read(0, 4096)
        c.send(DISC)
        assert c.is_closed()


def run(test, program, directory):
    images = [os.path.join(directory, name) for name in ("one.img", "two.img")]
    for image in images:
        with open(image, "wb") as f:
            f.truncate(getattr(test, "size", SIZE))
    two = ("-x", "one", "-x", "two", "-D", "two images")
    options = getattr(test, "options", two)
    if "-e" not in options:
        options += ("-e", "100")
    images = images[:1 if options[:2] != two[:2] or options[2] != "-x" else 2]
    with Server(program, directory, "-f", "raw", "-t", *options, *images) as server:
        test(server)
        others_are_served(server, test)
    print(f"ok {test.__name__[5:]}", flush=True)


def main():
    program, plain, directory, *names = sys.argv[1:]
    tests = [t for name, t in globals().items() if name.startswith("test_")
             and (not names or name[5:] in names)]
    for test in tests:
        try:
            run(test, plain if hasattr(test, "plain") else program, directory)
        except BaseException:
            print(f"FAIL {test.__name__[5:]}")
            raise
    print(f"{len(tests)} tests")


main()
