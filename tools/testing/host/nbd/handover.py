#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One server after the other on the same sockets: handover.py PROGRAM DIRECTORY.

Clients that connect all the time are never refused, at worst cut off, and what was
answered to them is in the image. Service managers are told."""
import array
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from wire import FLUSH, Client

program, directory = sys.argv[1:]
meeting = os.path.join(directory, "meeting")
path = os.path.join(directory, "handed.sock")
pid_file = os.path.join(directory, "handed.pid")
image = os.path.join(directory, "handed.img")
NUMBERS = 4000
BLOCK = 4096


class TcpClient(Client):
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.style, self.cookie = "simple", 0
        assert self.get(18)[:16] == b"NBDMAGICIHAVEOPT"
        self.put(struct.pack(">I", 3))


class Knocking(threading.Thread):
    """Connects, writes the next number to its part of the image, leaves, and so on."""

    def __init__(self, connect, part):
        super().__init__(daemon=True)
        self.connect, self.part = connect, part
        self.answered, self.served, self.cut = {}, 0, 0
        self.stop, self.error = False, None

    def run(self):
        number = 0
        while not self.stop and not self.error:
            number += 1
            try:
                self.visit(number)
                self.served += 1
            except (EOFError, ConnectionResetError, BrokenPipeError):
                self.cut += 1
            except Exception as e:    # pylint: disable=broad-except
                self.error = e

    def visit(self, number):
        block = self.part * NUMBERS + number % NUMBERS
        with self.connect() as c:
            c.negotiate()
            self.answered.pop(block, None)
            assert c.write(block * BLOCK, struct.pack(">Q", number) * (BLOCK // 8)) == 0
            self.answered[block] = number


class Manager:
    """Where a service manager listens."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0afsx-nbd-test-%d" % os.getpid())
        self.socket.settimeout(60)
        self.environment = dict(os.environ, NOTIFY_SOCKET="@afsx-nbd-test-%d" % os.getpid())

    def told(self):
        return self.socket.recv(4096).decode()


def command(*options, where=("-k", path), files=(image,)):
    return [program, "-f", "qcow2", "-t", "-e", "8", *where, "--hand-over", meeting,
            *options, *files]


def fails(sentence, *options, **how):
    done = subprocess.run(command(*options, **how), stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1 and done.stderr == f"afsx-nbd: {sentence}\n", done.stderr


def next_server(*options, **how):
    """Start a server in the background. Return: its number."""
    subprocess.run(command("--fork", "--pid-file", pid_file, *options, **how), timeout=60,
                   check=True)
    with open(pid_file) as f:
        return int(f.read())


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


def ends(pid):
    end = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < end, "the server does not end"
        time.sleep(0.02)


def generations(number, connect, clients=3, **how):
    """Clients knock while servers take over from each other."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1G"], check=True)
    pid = next_server(**how)
    knocking = [Knocking(connect, i) for i in range(clients)]
    for k in knocking:
        k.start()
    for _ in range(number):
        served = [k.served for k in knocking]
        while any(k.served == n and not k.error for k, n in zip(knocking, served)):
            time.sleep(0.01)
        older, pid = pid, next_server(**how)
        assert pid != older
        ends(older)
    for k in knocking:
        k.stop = True
    for k in knocking:
        k.join()
        assert not k.error, f"refused: {k.error!r}"
        # each change of servers can meet a client once
        assert k.served > number and k.cut <= number, (k.served, k.cut)
    os.kill(pid, signal.SIGTERM)
    ends(pid)
    assert not os.path.exists(meeting) and not os.path.exists(pid_file)
    contents(knocking)


def contents(knocking):
    subprocess.run(["qemu-img", "check", "-q", image], check=True)
    raw = image + ".raw"
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw], check=True)
    with open(raw, "rb") as f:
        for k in knocking:
            assert k.answered
            for block, number in k.answered.items():
                f.seek(block * BLOCK)
                assert struct.unpack(">Q", f.read(8)) == (number,), (block, number)
    os.unlink(raw)


def refused_offers(pid):
    """Whoever cannot take over leaves the older server as it is."""
    fails(f"--hand-over: {meeting}: the older server listens on {path}",
          where=("-k", path + ".other"))
    fails(f"--hand-over: {meeting}: the older server listens on {path}", where=("-p", "10999"))
    fails(f"{image}.none: No such file or directory", files=(image + ".none",))
    with open(image + ".other", "wb") as f:
        f.write(b"\0" * 65536)
    fails(f"{image}.other: not a qcow2 image", files=(image + ".other",))
    fails("partition 3: the image has no partition table", "-P", "3")
    os.unlink(image + ".other")
    for words in ((), (b"?",), (b"?", b"T")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(meeting)
            magic = s.recv(4096)
            assert magic.startswith(b"afsx-nbd 1\0" + path.encode() + b"\0"), magic
            for word in words:
                try:
                    s.send(word)
                except BrokenPipeError:
                    pass
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    silent.connect(meeting)
    with Client(type("Here", (), {"path": path})) as c:
        c.negotiate()
        assert c.error(FLUSH) == 0
    assert alive(pid)
    return silent


def false_older(offer, fds):
    """Something else waits where the older server should. Return: what is said of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(meeting)
        s.listen(1)

        def answer():
            connection = s.accept()[0]
            connection.sendmsg([offer], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                          array.array("i", fds))] if fds else [])
            connection.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        fails(f"--hand-over: {meeting}: the older server offers nothing: Protocol error")
        thread.join()
    os.unlink(meeting)


def state(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(") ", 1)[1][0]


def stopped():
    """A process that was stopped, and goes on, still waits for the offer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(meeting)
        s.listen(1)
        newer = subprocess.Popen(command(), stderr=subprocess.PIPE, text=True)
        connection = s.accept()[0]
        for number, states in ((0, "S"), (signal.SIGSTOP, "T"), (signal.SIGCONT, "SZ")):
            os.kill(newer.pid, number)
            end = time.monotonic() + 60
            while state(newer.pid) not in states:
                assert time.monotonic() < end
                time.sleep(0.05)
        connection.send(b"?")
        told = newer.communicate(timeout=60)[1]
        assert told.endswith("offers nothing: Protocol error\n"), told
        connection.close()
    os.unlink(meeting)


def false_olders():
    for fds in ((), (0,), (0, 1)):
        false_older(b"afsx-nbd 2", fds)
    false_older(b"afsx-nbd 1" + bytes(200), (0, 1))
    false_older(b"", ())
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(meeting)
        s.listen(1)
        fails(f"--hand-over: {meeting}: Protocol wrong type for socket")
    os.unlink(meeting)
    child = os.fork()
    if not child:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.bind(meeting)
        os.setuid(65534)
        s.listen(1)
        signal.pause()
    end = time.monotonic() + 60
    while not os.path.exists(meeting) or os.stat(f"/proc/{child}").st_uid != 65534:
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.2)
    fails(f"--hand-over: {meeting}: Operation not permitted")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.unlink(meeting)


def manager_is_told():
    manager = Manager()
    first = subprocess.Popen(command(), env=manager.environment)
    assert manager.told() == f"READY=1\nMAINPID={first.pid}"
    silent = refused_offers(first.pid)
    second = subprocess.Popen(command(), env=manager.environment)
    # the one that takes over speaks; the one that ends says nothing
    assert manager.told() == f"READY=1\nMAINPID={second.pid}"
    assert first.wait(60) == 0
    silent.close()
    second.terminate()
    assert manager.told() == "STOPPING=1"
    assert second.wait(60) == 0
    assert not os.path.exists(path) and not os.path.exists(meeting)


def main():
    generations(8, lambda: Client(type("Here", (), {"path": path})))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    generations(4, lambda: TcpClient(port), where=("-b", "127.0.0.1", "-p", str(port)))
    manager_is_told()
    false_olders()
    stopped()
    long = "/" + "x" * 108
    fails(f"the socket {long} is longer than 107 bytes", "--hand-over", long)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(1)
        shell = "exec 3<&0; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\""
        done = subprocess.run(["sh", "-c", shell, "sh", *command(where=())], stdin=s.fileno(),
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.stderr == ("afsx-nbd: --hand-over: does not go with sockets from a "
                               "service manager\n"), done.stderr


main()
