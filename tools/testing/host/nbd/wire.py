# SPDX-License-Identifier: MIT
"""An NBD client that can send anything, right or wrong. Numbers are those of
doc/proto.md of NetworkBlockDevice/nbd and its extension of 64-bit headers."""
import os
import socket
import struct
import subprocess
import time

OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST = 1, 2, 3
OPT_STARTTLS, OPT_INFO, OPT_GO, OPT_STRUCTURED = 5, 6, 7, 8
OPT_LIST_META, OPT_SET_META, OPT_EXTENDED = 9, 10, 11
ACK, SERVER, INFO, META = 1, 2, 3, 4
ERR = 1 << 31
UNSUP, POLICY, INVALID, UNKNOWN = ERR + 1, ERR + 2, ERR + 3, ERR + 6
TOO_BIG, EXT_HEADER_REQD = ERR + 9, ERR + 10
READ, WRITE, DISC, FLUSH, TRIM, CACHE, ZEROES, STATUS = range(8)
FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO, PAYLOAD = 1, 2, 4, 8, 16, 32
EPERM, EIO, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP = 1, 5, 22, 28, 75, 95
NONE, DATA, HOLE, BLOCK_STATUS, BLOCK_STATUS_EXT = 0, 1, 2, 5, 6
TIMEOUT = 60


class Server:
    """afsx-nbd with some options, in its own process."""

    def __init__(self, program, directory, *options, status=0):
        self.status = status
        self.path = os.path.join(directory, "wire.sock")
        self.log = os.path.join(directory, "wire.log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [program, "-k", self.path, *options], stderr=log)
        end = time.monotonic() + TIMEOUT
        while not os.path.exists(self.path) or not self.answers():
            assert self.process.poll() is None, open(self.log).read()
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.02)

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.path)
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        self.process.terminate()
        status = self.process.wait(TIMEOUT)
        if not kind:
            assert status == self.status, f"server: status {status}: {open(self.log).read()}"


class Client:
    """One connection. What is negotiated is remembered."""

    def __init__(self, server, flags=3):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(server.path)
        self.style = "simple"
        self.cookie = 0
        if flags is not None:
            greeting = self.get(18)
            assert greeting == b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3), greeting
            self.put(struct.pack(">I", flags))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def put(self, data):
        self.socket.sendall(data)

    def get(self, length):
        data = bytearray()
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise EOFError(f"{len(data)} of {length} bytes")
            data += part
        return bytes(data)

    def is_closed(self):
        """Whether the server hangs up without another word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    # negotiation

    def send_option(self, option, data=b"", length=None):
        self.put(b"IHAVEOPT" + struct.pack(
            ">II", option, len(data) if length is None else length) + data)

    def reply(self, option):
        magic, echoed, kind, length = struct.unpack(">QIII", self.get(20))
        assert magic == 0x3e889045565a9 and echoed == option, (hex(magic), echoed)
        return kind, self.get(length)

    def option(self, option, data=b""):
        """All replies to an option, the last of them an ACK or an error."""
        self.send_option(option, data)
        replies = [self.reply(option)]
        while replies[-1][0] in (SERVER, INFO, META):
            replies.append(self.reply(option))
        return replies

    def last(self, option, data=b""):
        return self.option(option, data)[-1][0]

    def negotiate(self, style="simple", name=b"", allocation=False, infos=()):
        self.style = style
        if style == "structured":
            assert self.last(OPT_STRUCTURED) == ACK
        if style == "extended":
            assert self.last(OPT_EXTENDED) == ACK
        if allocation:
            replies = self.option(OPT_SET_META, meta(name, b"base:allocation"))
            assert [r[0] for r in replies] == [META, ACK], replies
            self.context = struct.unpack(">I", replies[0][1][:4])[0]
        replies = self.option(OPT_GO, info(name, *infos))
        assert replies[-1][0] == ACK, replies
        for _, data in replies[:-1]:
            if data[:2] == b"\0\0":
                self.size, self.flags = struct.unpack(">QH", data[2:])
        return self

    # transmission

    def send(self, command, offset=0, length=0, flags=0, data=b""):
        self.cookie += 1
        if self.style == "extended":
            head = struct.pack(">IHHQQQ", 0x21e41c71, flags, command, self.cookie,
                               offset, length)
        else:
            head = struct.pack(">IHHQQI", 0x25609513, flags, command, self.cookie,
                               offset, length)
        self.put(head + data)
        return self.cookie

    def receive(self, read_length=0):
        """(cookie, error, data or list of chunks) of the next reply."""
        magic = struct.unpack(">I", self.get(4))[0]
        if magic == 0x67446698 and self.style != "extended":
            error, cookie = struct.unpack(">IQ", self.get(12))
            return cookie, error, self.get(0 if error else read_length)
        chunks, error, done = [], 0, False
        while not done:
            if self.style == "extended":
                assert magic == 0x6e8a278c, hex(magic)
                flags, kind, cookie, offset, length = struct.unpack(">HHQQQ", self.get(28))
                self.offset = offset
            else:
                assert magic == 0x668e33ef and self.style == "structured", hex(magic)
                flags, kind, cookie, length = struct.unpack(">HHQI", self.get(16))
            payload = self.get(length)
            done = flags & 1
            if kind & 0x8000:
                error, text = struct.unpack(">IH", payload[:6])
                assert error and text == length - 6, payload
                payload[6:].decode()
            else:
                chunks.append((kind, payload))
            if not done:
                magic = struct.unpack(">I", self.get(4))[0]
        return cookie, error, chunks

    def ask(self, command, offset=0, length=0, flags=0, data=b""):
        """(error, data or chunks) of one request, with nothing else in flight."""
        cookie = self.send(command, offset, length, flags, data)
        answered, error, result = self.receive(length if command == READ else 0)
        assert answered == cookie, (answered, cookie)
        return error, result

    def error(self, *args, **kwargs):
        return self.ask(*args, **kwargs)[0]

    def read(self, offset, length, flags=0):
        error, result = self.ask(READ, offset, length, flags)
        assert not error, error
        if self.style == "simple":
            return result
        data = bytearray(length)
        for kind, payload in result:
            if kind == NONE:
                continue
            at = struct.unpack(">Q", payload[:8])[0] - offset
            part = payload[8:] if kind == DATA else bytes(struct.unpack(">I", payload[8:])[0])
            data[at:at + len(part)] = part
        assert len(data) == length
        return bytes(data)

    def write(self, offset, data, flags=0):
        if self.style == "extended":
            flags |= PAYLOAD
        return self.error(WRITE, offset, len(data), flags, data)


def info(name, *infos):
    return struct.pack(f">I{len(name)}sH{len(infos)}H", len(name), name, len(infos), *infos)


def meta(name, *queries):
    data = struct.pack(f">I{len(name)}sI", len(name), name, len(queries))
    for query in queries:
        data += struct.pack(f">I{len(query)}s", len(query), query)
    return data
