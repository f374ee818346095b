#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Images that become longer and shorter while clients are there: size.py PROGRAM DIRECTORY
WHAT OPTION..., where WHAT is a function here and the options are the server's."""
import os
import struct
import sys

from wire import *

MIB = 1 << 20
SIZE, MORE, LESS = 8 * MIB, 12 * MIB, 4 * MIB
STYLES = ("simple", "structured", "extended")


def equal(what, got, wanted):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def sizes_told(server):
    """By each option that tells a size."""
    with Client(server) as c:
        replies = c.option(OPT_INFO, info(b""))
        equal("INFO", replies[-1][0], ACK)
        told = [struct.unpack(">Q", replies[0][1][2:10])[0]]
        c.send_option(OPT_EXPORT_NAME)
        told.append(struct.unpack(">QH", c.get(10))[0])
    with Client(server) as c:
        told.append(c.negotiate("structured").size)
    return told


def connect(server, style):
    return Client(server).negotiate(style, allocation=style != "simple")


def runs(c, offset, length):
    """(length, flags) of the runs the server tells of; None for an error."""
    error, chunks = c.ask(STATUS, offset, length)
    if error:
        equal("error of block status", error, EIO)
        return None
    data = chunks[0][1][8 if c.style == "extended" else 4:]
    form = ">QQ" if c.style == "extended" else ">II"
    return list(struct.iter_unpack(form, data))


def none_behind(c, size, beyond):
    """A connection of @size bytes has nothing behind them."""
    for at in (size - 4096, size, beyond - 4096):
        equal("read", c.error(READ, at, 8192), EINVAL)
        equal("write", c.write(at, bytes(8192)), ENOSPC)
        equal("zeroes", c.error(ZEROES, at, 8192), ENOSPC)
        equal("trim", c.error(TRIM, at, 8192), EINVAL)
        equal("cache", c.error(CACHE, at, 8192), EINVAL)
        if c.style != "simple":
            equal("status", c.error(STATUS, at, 8192), EINVAL)


def grows(server, image, data):
    old = [connect(server, style) for style in STYLES]
    equal("size", sizes_told(server), [SIZE] * 3)
    os.truncate(image, MORE)
    equal("size when grown", sizes_told(server), [MORE] * 3)
    for c in old:
        none_behind(c, SIZE, MORE)
        assert c.read(SIZE - MIB, MIB) == data[-MIB:], "the end of before"
    for style, c in zip(STYLES, old):
        new = connect(server, style)
        equal("size", new.size, MORE)
        equal("what was added", new.read(SIZE - 4096, 8192), data[-4096:] + bytes(4096))
        if style != "simple":
            equal("runs", runs(new, SIZE - MIB, 3 * MIB), [(MIB, 0), (2 * MIB, 3)])
        block = os.urandom(8192)
        equal("write", new.write(MORE - 8192, block), 0)
        equal("zeroes", new.error(ZEROES, MORE - MIB, 4096), 0)
        equal("flush", new.error(FLUSH), 0)
        with open(image, "rb") as f:
            f.seek(MORE - 8192)
            equal("the file", f.read(), block)
        none_behind(new, MORE, MORE + MIB)
        none_behind(c, SIZE, MORE)


def lost(c, at, image, size):
    """What was there at @at is an error, whatever is asked."""
    for length in (4096, 100 << 10, MIB):
        equal(f"read of {length}", c.error(READ, at, length), EIO)
        for flags in (0, FUA):
            equal(f"write of {length}", c.write(at, bytes(length), flags), ENOSPC)
    for flags in (0, NO_HOLE, FUA, FAST_ZERO):
        equal("zeroes", c.error(ZEROES, at, MIB, flags), ENOSPC)
    equal("trim", c.error(TRIM, at + 4096, 4096), 0)
    equal("flush", c.error(FLUSH), 0)
    equal("size of the file", os.stat(image).st_size, size)


def shrinks(server, image, data, block):
    """@block: bytes the size is a multiple of."""
    old = [connect(server, style) for style in STYLES]
    for cut in (LESS, LESS + 1000, LESS + 4096 + 512):
        kept = cut // block * block
        os.truncate(image, cut)
        for c in old:
            for at in (cut // 4096 * 4096, 3 * LESS // 2, SIZE - MIB):
                lost(c, at, image, cut)
            equal("over the end", c.error(READ, LESS - MIB // 2, MIB), EIO)
            assert c.read(LESS - 8192, 8192) == data[LESS - 8192:LESS], "what is left"
            if c.style != "simple":
                equal("no runs", runs(c, LESS + MIB, MIB), None)
                equal("runs", runs(c, LESS - MIB, 2 * MIB), [(MIB + kept - LESS, 0)])
        equal("size when cut", sizes_told(server), [kept] * 3)
        new = connect(server, "structured")
        none_behind(new, kept // 4096 * 4096, LESS + MIB)
        assert new.read(0, LESS) == data[:LESS], "the rest"
        os.truncate(image, SIZE)
        with open(image, "r+b") as f:
            f.seek(cut)
            f.write(data[cut:])
    # holes before the end of what is left
    os.truncate(image, LESS)
    os.truncate(image, LESS + MIB)
    for c in old[1:]:
        equal("runs", runs(c, LESS - MIB, 3 * MIB), [(MIB, 0), (MIB, 3)])
        equal("no runs", runs(c, LESS + MIB, 4096), None)
    os.truncate(image, SIZE)
    for c in old:
        equal("what it is now", c.read(LESS + MIB, 4096), bytes(4096))


def changes(program, directory, image, data, *options):
    """The file is the export."""
    with Server(program, directory, "-f", "raw", "-t", "-e", "20", *options, image) as server:
        grows(server, image, data)
        os.truncate(image, SIZE)
        with Client(server) as c:
            replies = c.option(OPT_GO, info(b"", 3))
            block = next(struct.unpack(">I", d[2:6])[0] for _, d in replies if d[:2] == b"\0\3")
        shrinks(server, image, data, block)


def rest(program, directory, image, data, *options):
    """What follows an offset."""
    with Server(program, directory, "-f", "raw", "-t", "-e", "20", "-o", str(MIB), *options,
                image) as server:
        equal("size", sizes_told(server), [SIZE - MIB] * 3)
        os.truncate(image, MORE)
        equal("size when grown", sizes_told(server), [MORE - MIB] * 3)
        with Client(server) as c:
            c.negotiate()
            assert c.read(SIZE - 2 * MIB, 2 * MIB) == data[-MIB:] + bytes(MIB), "data"
            os.truncate(image, MIB)
            equal("nothing is left", sizes_told(server), [0] * 3)
            os.truncate(image, MIB - 4096)
            equal("read", c.error(READ, 0, 4096), EIO)
        with Client(server) as c:
            for option in (OPT_INFO, OPT_GO):
                kind, text = c.option(option, info(b""))[-1]
                equal("no size", (kind, text), (UNKNOWN, b"the image ends before the export begins"))
            c.send_option(OPT_EXPORT_NAME)
            assert c.is_closed(), "no export"
        os.truncate(image, SIZE)
        equal("size", sizes_told(server), [SIZE - MIB] * 3)


def oldstyle(program, directory, image, _, *options):
    with Server(program, directory, "-f", "raw", "-t", "--oldstyle", *options, image) as server:
        for size in (SIZE, MORE, LESS):
            os.truncate(image, size)
            with Client(server, None) as c:
                equal("size", struct.unpack(">Q", c.get(152)[16:24])[0], size)


def fixed(program, directory, image, _, *options):
    """What has its size from elsewhere, or is a copy: the same for every client."""
    with Server(program, directory, "-t", "-e", "20", *options, image) as server:
        first = Client(server).negotiate("structured")
        assert first.size <= SIZE, "no part of the image"
        start = first.read(0, 4096)
        for size in (MORE, SIZE):
            os.truncate(image, size)
            equal("size", sizes_told(server), [first.size] * 3)
            none_behind(first, first.size // 4096 * 4096, MORE)
            equal("start", Client(server).negotiate().read(0, 4096), start)
        if "qcow2" in options:  # whose own end need not be in the file
            return
        os.truncate(image, 4096)
        equal("size when cut", sizes_told(server), [first.size] * 3)
        for c in (first, Client(server).negotiate()):
            equal("read", c.error(READ, first.size // 2, 4096), EIO)


def main():
    program, directory, what, *options = sys.argv[1:]
    image = os.path.join(directory, "image")
    data = os.urandom(SIZE)
    if what != "fixed":
        with open(image, "wb") as f:
            f.write(data)
    globals()[what](program, directory, image, data, *options)


if __name__ == "__main__":
    main()
