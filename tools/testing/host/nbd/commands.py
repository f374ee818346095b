#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every command with every flag through libnbd, against a model in memory:
commands.py SOCKET IMAGE SEED CONNECTIONS. The server trims (--discard=unmap)."""
import errno
import os
import random
import sys

import nbd

TRANSFER = 1 << 20


def connect(path, **how):
    h = nbd.NBD()
    h.set_request_structured_replies(how.get("structured", True))
    if how.get("structured", True):
        h.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
    # let what is wrong reach the server
    h.set_strict_mode(0)
    h.connect_unix(path)
    return h


def refused(number, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except nbd.Error as e:
        assert e.errnum == number, f"{call.__name__}{args}: {e}"
    else:
        raise AssertionError(f"{call.__name__}{args} succeeds")


def each_flag(h, size):
    """One of each, at a place of its own."""
    assert h.can_flush() and h.can_fua() and h.can_trim() and h.can_zero()
    assert h.can_fast_zero() and h.can_cache() and h.can_df() and h.can_multi_conn()
    assert not h.is_read_only()
    data = os.urandom(65536)
    h.pwrite(data, 0)
    assert h.pread(65536, 0) == data
    h.pwrite(data[::-1], 65536, nbd.CMD_FLAG_FUA)
    assert h.pread(65536, 65536, nbd.CMD_FLAG_DF) == data[::-1]
    parts = []
    assert h.pread_structured(4096, 100, lambda *a: parts.append(a[:3])) == data[100:4196]
    assert [p[:2] for p in parts] == [(data[100:4196], 100)], parts
    h.flush()
    h.cache(65536, 0)
    for i, flags in enumerate((0, nbd.CMD_FLAG_FUA, nbd.CMD_FLAG_NO_HOLE,
                               nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE)):
        h.pwrite(data, 131072)
        h.zero(32768 + i, 131072 + 7, flags)
        got = h.pread(65536, 131072)
        assert got == data[:7] + bytes(32768 + i) + data[32775 + i:], f"zero with {flags}"
    try:
        h.pwrite(data, 131072)
        h.zero(65536, 131072, nbd.CMD_FLAG_FAST_ZERO)
        assert h.pread(65536, 131072) == bytes(65536)
    except nbd.Error as e:
        assert e.errnum == errno.ENOTSUP, e
        assert h.pread(65536, 131072) == data, "a zero that was refused changed something"
    h.trim(65536, 0)
    h.trim(65536, 65536, nbd.CMD_FLAG_FUA)
    h.pwrite(bytes(131072), 0)
    refused(errno.EINVAL, h.pread, 512, size)
    refused(errno.ENOSPC, h.pwrite, data, size - 512)
    refused(errno.EINVAL, h.trim, 1024, size - 512)
    refused(errno.ENOSPC, h.zero, 1024, size - 512)
    refused(errno.EINVAL, h.cache, 1024, size - 512)


def holes(path, size):
    """(offset, length, whether it is a hole) as the file system has it."""
    fd = os.open(path, os.O_RDONLY)
    runs, at = [], 0
    while at < size:
        try:
            data = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            data = size
        if data > at:
            runs.append((at, data - at, True))
        if data < size:
            at = os.lseek(fd, data, os.SEEK_HOLE)
            runs.append((data, at - data, False))
        else:
            at = size
    os.close(fd)
    return runs


def block_status(h, path, size):
    """The map is the one of the file."""
    for run, length, zero in ((65536, 65536, True), (1 << 20, 4096, False)):
        if zero:
            h.trim(length, run)
        else:
            h.pwrite(b"x" * length, run)
    h.flush()
    runs, at = [], 0

    def extent(context, offset, entries, _):
        nonlocal at
        assert context == nbd.CONTEXT_BASE_ALLOCATION and offset == at
        for length, state in zip(entries[::2], entries[1::2]):
            assert state in (0, nbd.STATE_HOLE | nbd.STATE_ZERO)
            runs.append((at, length, state != 0))
            at += length

    while at < size:
        h.block_status(size - at, at, extent)
    joined = []
    for start, length, zero in runs:
        if joined and joined[-1][2] == zero:
            start, before, _ = joined.pop()
            length += before
        joined.append((start, length, zero))
    assert joined == holes(path, size), (joined, holes(path, size))
    one = []
    h.block_status(size, 0, lambda c, o, e, _: one.extend(e), nbd.CMD_FLAG_REQ_ONE)
    assert len(one) == 2 and 0 < one[0] <= size, one


class Model:
    def __init__(self, size):
        self.data = bytearray(size)
        self.busy = []

    def range(self, rng, longest):
        """A range nobody else works on at the moment."""
        while True:
            length = rng.randint(1, rng.choice((512, 8192, longest)))
            at = rng.randrange(len(self.data) - length + 1)
            if rng.random() < 0.5:
                at, length = at & ~511, (length + 511) & ~511
                length = min(length, len(self.data) - at)
            if length and all(at >= e or at + length <= s for s, e in self.busy):
                return at, length


def start_one(h, rng, model):
    """Send a random command. Return: how to judge what comes back."""
    at, length = model.range(rng, TRANSFER)
    fua = rng.choice((0, 0, 0, nbd.CMD_FLAG_FUA))
    span = (at, at + length)
    model.busy.append(span)
    what = rng.random()
    if what < 0.45:
        buf = nbd.Buffer(length)
        cookie = h.aio_pread(buf, at)
        return cookie, span, lambda: buf.to_bytearray() == model.data[at:at + length]
    if what < 0.8:
        data = rng.randbytes(length)
        buf = nbd.Buffer.from_bytearray(bytearray(data))
        cookie = h.aio_pwrite(buf, at, flags=fua)
        model.data[at:at + length] = data
        return cookie, span, lambda: buf is not None
    if what < 0.95:
        cookie = h.aio_zero(length, at, flags=fua | rng.choice((0, nbd.CMD_FLAG_NO_HOLE)))
        model.data[at:at + length] = bytes(length)
        return cookie, span, lambda: True
    return h.aio_flush(), span, lambda: True


def random_work(handles, rng, model, count):
    waiting = [{} for _ in handles]
    for turn in range(count):
        i = rng.randrange(len(handles))
        if turn < count - 1 and len(waiting[i]) < 16:
            cookie, span, good = start_one(handles[i], rng, model)
            waiting[i][cookie] = (span, good)
        else:
            finish(handles[i], waiting[i], model)
    for h, mine in zip(handles, waiting):
        finish(h, mine, model)


def finish(h, waiting, model):
    while waiting:
        for cookie in list(waiting):
            if h.aio_command_completed(cookie):
                span, good = waiting.pop(cookie)
                model.busy.remove(span)
                assert good(), f"wrong data at {span}"
        if waiting:
            h.poll(-1)


def main():
    path, image, seed, connections = sys.argv[1:]
    handles = [connect(path) for _ in range(int(connections))]
    size = handles[0].get_size()
    each_flag(handles[0], size)
    block_status(handles[0], image, size)
    simple = connect(path, structured=False)
    assert not simple.can_df()
    assert simple.pread(4096, 0) == handles[0].pread(4096, 0)
    handles[0].zero(size, 0)
    model = Model(size)
    random_work(handles, random.Random(int(seed)), model, 1500)
    handles[0].flush()
    with open(image, "rb") as f:
        assert f.read() == model.data, "the image is not what the model says"
    for h in handles + [simple]:
        h.shutdown()


main()
