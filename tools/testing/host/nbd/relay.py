#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Large reads that are not copied: relay.py PROGRAM LIBRARY DIRECTORY REQUESTS.
LIBRARY is failing-disk.so, preloaded into PROGRAM. Every read that is copied fails here, so
what is answered came through a pipe."""
import errno
import os
import random
import sys
import tempfile
import threading

from faults import Faults, equal
from wire import *

SIZE = 32 << 20
HALF = SIZE // 2    # in front of it nothing changes, and all is compared
LEAST, MOST = 64 << 10, 256 << 10
DEPTH = 8
STYLES = ("simple", "structured", "extended")


def pipes(server):
    """How many ends of pipes the server has opened."""
    path = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in set(os.listdir(path)) - {"0", "1", "2"}:
        try:
            count += os.readlink(os.path.join(path, name)).startswith("pipe:")
        except FileNotFoundError:   # closed meanwhile
            pass
    return count


def no_pipes(server):
    """Wait until all that clients left behind is closed."""
    end = time.monotonic() + TIMEOUT
    while pipes(server):
        assert time.monotonic() < end, "pipes are left behind"
        time.sleep(0.02)


def contents(c, length):
    """The cookie and the data of the next reply, which is no error; @length of a simple one."""
    cookie, error, result = c.receive(length if c.style == "simple" else 0)
    equal("error", error, 0)
    if c.style == "simple" or not result:
        return cookie, result
    return cookie, result[0][1][8:] if result[0][0] == DATA else b""


def some_range(rng):
    length = rng.choice((LEAST, MOST, rng.randint(LEAST, MOST)))
    return rng.randrange(HALF - length), length


def read_much(server, style, seed, count):
    """Many at a time, each compared; trimming is ignored here, but a thread answers it."""
    rng = random.Random(seed)
    with Client(server) as c:
        c.negotiate(style)
        asked = {}
        while count or asked:
            while count and len(asked) < DEPTH:
                at, length = some_range(rng)
                if style != "simple" and rng.randrange(4) == 0:
                    asked[c.send(TRIM, at, length)] = (0, 0)
                asked[c.send(READ, at, length)] = (at, length)
                count -= 1
            # simple replies do not tell how long they are, but come in order
            cookie, data = contents(c, next(iter(asked.values()))[1])
            at, length = asked.pop(cookie)
            assert data == image[at:at + length], f"{length} bytes at {at}"


def write_much(server, seed, stop):
    """Behind the half, where nobody reads; what is there at last is compared."""
    rng = random.Random(seed)
    with Client(server) as c:
        c.negotiate("extended")
        while not stop.is_set():
            length = rng.choice((512, 4096, rng.randint(1, MOST)))
            at = rng.randrange(HALF, SIZE - length)
            data = rng.randbytes(length)
            equal("write", c.write(at, data), 0)
            image[at:at + length] = data


def together(server, file, requests):
    """Readers, each with a style, beside a writer. What one of them says ends the test."""
    stop, problems = threading.Event(), []

    def run(function, *args):
        try:
            function(server, *args)
        except BaseException as e:
            problems.append(e)

    writer = threading.Thread(target=run, args=(write_much, 7, stop))
    readers = [threading.Thread(target=run, args=(read_much, STYLES[i % 3], i, requests // 4))
               for i in range(4)]
    for thread in (writer, *readers):
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    if problems:
        raise problems[0]
    with open(file, "rb") as f:
        assert f.read() == image, "the image"


def cut(server, file):
    """Answers to what is cut off meanwhile are errors, or the data, or what is there now."""
    rng = random.Random(1)
    with Client(server) as c:
        c.negotiate("structured")
        for _ in range(100):
            length = rng.randint(LEAST, MOST)
            at = rng.randrange(HALF - length, SIZE - length)
            for _ in range(2):
                c.send(READ, at, length)
            os.truncate(file, HALF)
            c.send(READ, at, length)
            os.truncate(file, SIZE)
            for _ in range(3):
                _, error, chunks = c.receive()
                assert error in (0, EIO), error
                if not error:
                    right = image[at:at + length]
                    assert all(a in (b, 0) for a, b in zip(chunks[0][1][8:], right)), at
            with open(file, "r+b") as f:
                f.seek(HALF)
                f.write(image[HALF:])
    # what follows such an answer is whole
    read_much(server, "structured", 2, 20)


def half_an_answer(server, leave):
    """Take a part of what was asked for, and then nothing for a while, or ever."""
    with Client(server) as c:
        c.negotiate()
        cookies = [c.send(READ, i * MOST, MOST) for i in range(40)]
        first = c.get(100000)
        assert first[16:] == image[:100000 - 16]
        equal("ends of pipes", pipes(server), 2)
        read_much(server, "simple", 3, 20)    # others are served
        if not leave:
            assert c.get(MOST + 16 - 100000) == image[100000 - 16:MOST]
            for i in range(1, 40):
                equal("reply", contents(c, MOST), (cookies[i], image[i * MOST:(i + 1) * MOST]))
    no_pipes(server)


def deaf(program, directory, file):
    """A server that ends waits for who is deaf no longer than it should."""
    with Server(program, directory, "-f", "raw", "-t", "-r", "--grace", "1", file) as server:
        c = Client(server).negotiate()
        for i in range(40):
            c.send(READ, i * MOST, MOST)
        c.get(MOST)


def main():
    global image
    program, library, directory, requests = sys.argv[1:]
    faults = Faults(directory)
    os.environ["LD_PRELOAD"] = library
    image = bytearray(random.Random(0).randbytes(SIZE))
    # here it does not depend on the kernel whether a page is known to be in memory
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as f:
        f.write(image)
        f.flush()
        with Server(program, directory, "-f", "raw", "-t", "-e", "9", f.name) as server:
            faults.set(f"read={errno.EIO}")
            together(server, f.name, int(requests))
            no_pipes(server)
            half_an_answer(server, leave=False)
            half_an_answer(server, leave=True)
            faults.set()
            cut(server, f.name)
        faults.set(f"read={errno.EIO}")
        deaf(program, directory, f.name)


if __name__ == "__main__":
    main()
