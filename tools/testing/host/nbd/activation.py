#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sockets passed to the server: activation.py PROGRAM DIRECTORY IMAGE.

libnbd plays the service manager once; then a socket stays open over two servers, and no
client is refused while there is none."""
import os
import signal
import socket
import subprocess
import sys

import nbd

from wire import Client

program, directory, image = sys.argv[1:]
path = os.path.join(directory, "passed.sock")


def run(*options, fds=1, pid=None, fd=None):
    """Start the program as sd_listen_fds(3) says, with descriptor 3 what @fd is."""
    if fd is not None:
        os.dup2(fd, 3)
        os.set_inheritable(3, True)

    # the number of the process is known only in it
    shell = f"export LISTEN_FDS={fds} LISTEN_PID={pid or '$$'}; exec \"$@\""
    return subprocess.Popen(["sh", "-c", shell, "sh", program, "-f", "raw", *options, image],
                            close_fds=False, stderr=subprocess.PIPE, text=True)


def fails(sentence, *options, **how):
    process = run(*options, **how)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and error == f"afsx-nbd: {sentence}\n", error


class Passed:
    path = path


def main():
    h = nbd.NBD()
    h.connect_systemd_socket_activation([program, "-f", "raw", image])
    assert h.get_size() == os.path.getsize(image)
    h.pwrite(b"x" * 512, 0)
    h.shutdown()

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(10)
    for _ in range(2):
        waiting = Client(Passed, None)     # there is no server
        server = run("-t", fd=listener.fileno())
        assert waiting.get(8) == b"NBDMAGIC"
        waiting.socket.close()
        c = Client(Passed).negotiate()
        assert c.read(0, 512) == b"x" * 512
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0, server.stderr.read()
        assert c.is_closed()
        assert os.path.exists(path), "the socket belongs to who passed it"

    for options in (("-k", path), ("-p", "10809"), ("-b", "127.0.0.1")):
        fails("--socket, --port and --bind do not go with sockets from a service manager",
              *options, fd=listener.fileno())
    fails("LISTEN_FDS: 17 sockets, more than 16", fds=17, fd=listener.fileno())
    with open(image) as f:
        fails("LISTEN_FDS: descriptor 3 is not a socket that listens", fd=f.fileno())
    with socket.socket(socket.AF_UNIX) as s:
        fails("LISTEN_FDS: descriptor 3 is not a socket that listens", fd=s.fileno())
    # those are for somebody else
    other = run("-k", path + ".own", "-t", pid=1, fd=listener.fileno())
    while not os.path.exists(path + ".own"):
        assert other.poll() is None, other.stderr.read()
    other.terminate()
    assert other.wait(60) == 0


main()
