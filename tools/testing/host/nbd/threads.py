#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every command on several connections at a time: threads.py URI PROCESS [IMAGE]. In the middle
of it the server PROCESS is asked to end. Meanwhile IMAGE becomes larger."""
import os
import random
import signal
import sys

import nbd

CONNECTIONS = 4
ROUNDS = 60
SIZE = 8 << 20
MOST = 300 << 10    # beyond what a server does at once

uri, process, *growing = sys.argv[1:]
rng = random.Random(4)


def some_range():
    length = rng.choice((4096, 128 << 10, rng.randrange(512, MOST) & ~511))
    return rng.randrange(SIZE - length) & ~511, length


def begin(h):
    """One of each command, and more of those that there are most of."""
    at, length = some_range()
    flags = rng.choice((0, nbd.CMD_FLAG_FUA))
    for _ in range(4):
        h.aio_pread(nbd.Buffer(length), some_range()[0] % (SIZE - length))
        h.aio_pwrite(nbd.Buffer.from_bytearray(rng.randbytes(length)), at, flags=flags)
    h.aio_zero(length, at, flags=rng.choice((0, nbd.CMD_FLAG_NO_HOLE)))
    h.aio_trim(length, some_range()[0] % (SIZE - length))
    h.aio_block_status(SIZE, 0, lambda *args: 0)
    h.aio_flush()


def connect():
    h = nbd.NBD()
    h.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
    h.connect_uri(uri)
    return h


def main():
    handles = [connect() for _ in range(CONNECTIONS)]
    for n in range(ROUNDS):
        # each round a client leaves and another one comes
        handles[n % CONNECTIONS].shutdown()
        for image in growing:
            os.truncate(image, SIZE + 4096 * n)
        handles[n % CONNECTIONS] = connect()
        assert handles[n % CONNECTIONS].get_size() == SIZE + (4096 * n if growing else 0)
        for h in handles:
            begin(h)
        for h in handles:
            while h.aio_in_flight():
                h.poll(-1)
    for h in handles:
        begin(h)
    os.kill(int(process), signal.SIGTERM)
    for h in handles:
        try:
            while h.aio_in_flight():
                h.poll(-1)
        except nbd.Error:    # the end of the connection
            pass


if __name__ == "__main__":
    main()
