#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What clients are told of a disk that fails: faults.py PROGRAM LIBRARY DIRECTORY.
LIBRARY is failing-disk.so, preloaded into PROGRAM."""
import errno
import os
import sys
import tempfile
import time

from wire import *

SIZE = 4 << 20
WRITES = 1000   # several times those that are left to others because of one
KNOWN = 20      # slow requests after which the server knows that they are
REPORTED = {errno.EIO: EIO, errno.ENOSPC: ENOSPC, errno.EDQUOT: ENOSPC, errno.EFBIG: ENOSPC,
            errno.ENOMEM: 12, errno.EROFS: EPERM, errno.ENXIO: EIO}


# what io_uring can be made to fail with
RING_REPORTED = {errno.EIO: EIO, errno.ENOSPC: ENOSPC}
RING = ("-n", "--aio=io_uring")


class Faults:
    """What the library is told. @ring: reads and writes are those of io_uring."""

    def __init__(self, directory, ring=False):
        self.ring = "ring-" if ring else ""
        self.reported = RING_REPORTED if ring else REPORTED
        self.path = os.path.join(directory, "faults")
        os.environ["DISK_FAULTS"] = self.path
        self.set()

    def fail(self, call, what, flags=0):
        """Whoever does @call; what is durable the ring need not do."""
        self.set(f"{self.ring}{call}={what}" + (f" {call}={what}" if flags else ""))

    def set(self, text=""):
        with open(self.path + ".new", "w") as f:
            f.write(text)
        os.rename(self.path + ".new", self.path)


def equal(what, is_, should):
    assert is_ == should, f"{what}: {is_!r} instead of {should!r}"


def errors(c, faults):
    data = b"a" * 4096
    for number, told in faults.reported.items():
        for flags in (0, FUA):
            if number == errno.EIO and flags:
                continue    # this one is remembered, see below
            faults.fail("write", number, flags)
            equal(f"write with {number}", c.write(0, data, flags), told)
        faults.fail("read", number)
        if number == errno.EIO or not faults.ring:
            equal(f"read with {number}", c.error(READ, 0, 4096), told)
            equal(f"large read with {number}", c.error(READ, 0, 1 << 20), told)
        faults.set(f"fallocate={number}")
        equal(f"zeroes with {number}", c.error(ZEROES, 0, 4096), told)
        equal(f"trim with {number}", c.error(TRIM, 0, 4096), told)
        faults.set()
        equal("write", c.write(0, data), 0)
        equal("read", c.read(0, 4096), data)


def short(c, faults):
    data = os.urandom(1 << 20)
    faults.fail("write", "short")
    equal("write", c.write(4096, data), 0)
    faults.fail("read", "short")
    assert c.read(4096, 1 << 20) == data, "short reads"
    faults.set()
    assert c.read(4096, 1 << 20) == data, "short writes"
    # a file that has lost its end
    os.truncate(image, SIZE // 2)
    equal("read behind the end", c.error(READ, SIZE - 4096, 4096), EIO)
    os.truncate(image, SIZE)


def no_fallocate(c, faults):
    data = b"b" * 70000
    faults.set(f"fallocate={errno.EOPNOTSUPP}")
    for flags in (0, NO_HOLE, FUA):
        equal("write", c.write(0, data), 0)
        equal("fast zeroes", c.error(ZEROES, 0, 70000, flags | FAST_ZERO), ENOTSUP)
        assert c.read(0, 70000) == data, "refused zeroes changed something"
        equal("zeroes", c.error(ZEROES, 1, 69998, flags), 0)
        equal("data", c.read(0, 70000), b"b" + bytes(69998) + b"b")
    equal("trim", c.error(TRIM, 0, 70000), 0)
    faults.set()


def waiting(c, faults):
    """What is durable late holds up nothing, once the server knows that disk."""
    flags = FUA | (PAYLOAD if c.style == "extended" else 0)
    for fault, command, args in (("write", WRITE, (0, 4096, flags, bytes(4096))),
                                 ("sync", FLUSH, ())):
        faults.set(f"{fault}=slow")
        for _ in range(KNOWN):
            equal(f"slow {fault}", c.error(command, *args), 0)
        faults.set(f"{fault}=wait")
        late = c.send(command, *args)
        equal("read meanwhile", len(c.read(8192, 4096)), 4096)
        faults.set()
        equal(f"the {fault}", c.receive()[:2], (late, 0))


def lost_data(c, other, faults):
    """The kernel says once that something is lost; every later flush has to."""
    block = b"c" * 4096
    faults.fail("sync", errno.EIO, FUA)
    equal("write", c.write(0, block), 0)
    equal("flush", c.error(FLUSH), EIO)
    faults.set()
    equal("flush", c.error(FLUSH), EIO)
    equal("flush of another client", other.error(FLUSH), EIO)
    equal("durable write", c.write(0, block, FUA), EIO)
    equal("durable zeroes", c.error(ZEROES, 0, 4096, FUA), EIO)
    equal("read", c.read(0, 4096), bytes(4096))


def uncopied(program, directory):
    """Large reads go to the client as pages of the image, and if that fails as copies."""
    faults = Faults(directory)
    sizes = (1 << 16, 100001, 1 << 18)
    data = os.urandom(SIZE)
    # here it does not depend on the kernel whether a page is known to be in memory
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as f:
        f.write(data)
        f.flush()
        with Server(program, directory, "-f", "raw", "-t", "-e", "9", f.name) as server:
            for style in ("simple", "structured", "extended"):
                c = Client(server).negotiate(style)
                for size in sizes:
                    for offset in (0, 12345, SIZE - size):
                        right = data[offset:offset + size]
                        faults.set(f"read={errno.EIO}")
                        assert c.read(offset, size) == right, "uncopied"
                        equal("a smaller read", c.error(READ, offset, 4096), EIO)
                        equal("a larger read", c.error(READ, 0, 1 << 20), EIO)
                        for fault in ("short", errno.EIO, errno.ENOMEM):
                            faults.set(f"splice={fault}")
                            assert c.read(offset, size) == right, f"splice {fault}"
                        faults.set(f"splice=short read={errno.EIO}")
                        equal("neither", c.error(READ, offset, size), EIO)
                        faults.set()
                os.truncate(f.name, SIZE // 2)
                equal("over the end", c.error(READ, SIZE // 2 - 4096, 1 << 17), EIO)
                os.truncate(f.name, SIZE)
                f.seek(0)
                f.write(data)
                f.flush()
                assert c.read(SIZE // 2 - 4096, 1 << 17) == \
                    data[SIZE // 2 - 4096:][:1 << 17], "after that"
        faults.set(f"splice={errno.EINVAL}")
        with Server(program, directory, "-f", "raw", "-t", "-e", "9", f.name) as server:
            assert Client(server).negotiate().read(0, 1 << 18) == data[:1 << 18], "never"
        faults.set()


def wanted_processor(program, directory):
    """Who gets the processor back late when looking for requests soon sleeps instead."""
    faults = Faults(directory)
    yields = os.environ["YIELDS"] = os.path.join(directory, "yields")
    new_image()
    faults.set("yield=slow")
    with Server(program, directory, "-f", "raw", "-t", image) as server:
        c = Client(server).negotiate()
        for _ in range(4000):
            c.read(0, 512)
    # slept for: 32 requests after the first time, and then 64, 128, ...
    times = os.path.getsize(yields)
    assert 0 < times < 20, f"{times} times"
    faults.set()


def pause(seconds):
    """Wait without being woken, which may take longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def alone(c, write):
    return [write()]


def followed(c, write):
    return [write(), c.send(CACHE, 0, 4096)]


def followed_soon(c, write):
    sent = write()
    pause(20e-6)
    return [sent, c.send(CACHE, 0, 4096)]


def behind(c, write):
    sent = c.send(TRIM, 8192, 4096)
    pause(1e-3)
    return [sent, write()]


def writers(c, path, flags, send, times=WRITES):
    """The threads that do some writes, all together. @send: one, and what else there is."""
    with open(path, "w"):
        pass
    for _ in range(times):
        sent = send(c, lambda: c.send(WRITE, 0, 4096, flags, bytes(4096)))
        equal("answers", sorted(c.receive()[:2] for _ in sent), [(s, 0) for s in sent])
    with open(path) as f:
        return f.read().split()


def turns(program, directory):
    """Short writes are done by the thread that receives, if the client waits for each."""
    faults = Faults(directory)
    path = os.environ["THREADS"] = os.path.join(directory, "threads")
    # here no disk takes longer than that
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as f:
        f.truncate(SIZE)
        with Server(program, directory, "-f", "raw", "-t", "--discard=unmap",
                    f.name) as server:
            c = Client(server).negotiate()
            faults.set("write=told fallocate=slow")
            receiver = max(writers(c, path, 0, alone))
            for send, times in ((alone, WRITES), (followed, WRITES), (alone, WRITES),
                                (followed_soon, WRITES), (alone, WRITES), (behind, 100)):
                threads = writers(c, path, FUA, send, times)
                equal(f"{send.__name__}: the receiver writes most",
                      threads.count(receiver) > len(threads) / 2, send == alone)
    faults.set()


def no_ring(c, faults):
    """A ring that takes nothing any more loses nothing: threads go on."""
    data = os.urandom(8192)
    faults.set(f"ring-submit={errno.ENOMEM}")
    equal("write", c.write(8192, data), 0)
    assert c.read(8192, 8192) == data, "after the ring has failed"
    equal("flush", c.error(FLUSH), 0)
    faults.set(f"ring-read={errno.EIO}")
    assert c.read(8192, 8192) == data, "the ring is still used"
    faults.set()


def has_direct(path):
    """Whether images there can be accessed past the page cache, as for the ring here."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        print("no direct I/O here")
        return False
    return True


def new_image():
    with open(image, "wb") as f:
        f.truncate(SIZE)


def on_ring(program, directory):
    faults = Faults(directory, ring=True)
    new_image()
    if not has_direct(image):
        return
    with Server(program, directory, "-f", "raw", "-t", "-e", "9", "--discard=unmap", *RING,
                image, status=1) as server:
        c = Client(server).negotiate("structured")
        errors(c, faults)
        short(c, faults)
        no_ring(Client(server).negotiate(), faults)
        faults.set(f"ring-setup={errno.ENOMEM}")
        equal("without a ring", len(Client(server).negotiate().read(0, 8192)), 8192)
        faults.set()
        lost_data(c, Client(server).negotiate(), faults)
    faults.set(f"ring-setup={errno.EPERM}")
    with Server(program, directory, "-f", "raw", "-t", *RING, image) as server:
        equal("without rings", len(Client(server).negotiate().read(0, 8192)), 8192)
        log = open(server.log).read()
    assert "threads in place of io_uring" in log and "Operation not permitted" in log, log
    with Server(program, directory, "-f", "raw", "-t", "-n", image) as server:
        equal("nobody has asked for them", len(Client(server).negotiate().read(0, 8192)), 8192)
        equal("what is said", open(server.log).read(), "")
    faults.set()


def main():
    global image
    program, library, directory = sys.argv[1:]
    image = os.path.join(directory, "faulty.img")
    faults = Faults(directory)
    os.environ["LD_PRELOAD"] = library
    for style in ("simple", "structured", "extended"):
        new_image()
        with Server(program, directory, "-f", "raw", "-t", "-e", "9", "--discard=unmap",
                    image, status=1) as server:
            c = Client(server).negotiate(style)
            errors(c, faults)
            short(c, faults)
            no_fallocate(c, faults)
            waiting(c, faults)
            lost_data(c, Client(server).negotiate(style), faults)
        assert "export '': not all of it is durable" in open(server.log).read()
    on_ring(program, directory)
    uncopied(program, directory)
    turns(program, directory)
    wanted_processor(program, directory)


if __name__ == "__main__":
    main()
