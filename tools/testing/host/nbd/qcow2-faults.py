#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A qcow2 image on a disk that fails or is full: qcow2-faults.py PROGRAM LIBRARY DIRECTORY.

Clients are told the right error. Whatever failed, each block has what was written to it
before or then, and what a flush that succeeded covers is there; qemu-img check finds no
error in the image, and a model its contents."""
import errno
import os
import random
import subprocess
import sys

from faults import REPORTED, Faults, equal
from wire import *

BLOCKS, BLOCK, CLUSTER = 4096, 16384, 65536
COMMANDS = (WRITE, WRITE, WRITE, ZEROES, TRIM, READ, FLUSH)


class Model:
    """What each block may hold: numbers of writes, 0 for zeroes."""

    def __init__(self):
        self.may = [{0} for _ in range(BLOCKS)]
        self.number = 0
        # what it may hold if nothing is written any more
        self.unflushed = {}

    def change(self, block, number, error):
        self.unflushed.setdefault(block, set(self.may[block])).add(number)
        self.may[block] = self.may[block] | {number} if error else {number}

    def flushed(self):
        self.unflushed = {}


def content(number):
    return struct.pack(">Q", number) * (BLOCK // 8)


def step(c, model, told):
    """One request; it works or fails with an error of @told."""
    command, block = random.choice(COMMANDS), random.randrange(BLOCKS)
    if command == READ:
        error, data = c.ask(READ, block * BLOCK, BLOCK)
        if not error:
            number = struct.unpack(">Q", data[:8])[0]
            assert data == content(number) and number in model.may[block], (block, number)
    elif command == FLUSH:
        error = c.error(FLUSH)
        if not error:
            model.flushed()
    else:
        number = 0
        if command == WRITE:
            model.number += 1
            number = model.number
            error = c.write(block * BLOCK, content(number), random.choice((0, 0, 0, FUA)))
        else:
            error = c.error(ZEROES, block * BLOCK, BLOCK)
        model.change(block, number, error)
    assert error in (0, *told), (command, error, told)
    return error


def check(image, model, durable):
    checked = subprocess.run(["qemu-img", "check", image], capture_output=True, text=True,
                             check=False)
    # 3: space that is counted as used and is not
    assert checked.returncode in (0, 3), checked.stdout
    subprocess.run(["qemu-img", "convert", "-O", "raw", image, image + ".raw"], check=True)
    with open(image + ".raw", "rb") as f:
        for block, may in enumerate(model.may):
            data = f.read(BLOCK)
            number = struct.unpack(">Q", data[:8])[0]
            if not durable:
                may = model.unflushed.get(block, may)
            assert data == content(number) and number in may, (block, number, may)


def round_of(program, directory, faults, call, number):
    """Faults come and go while the server works. Return: how many requests failed."""
    image = os.path.join(directory, "faulty.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, str(BLOCKS * BLOCK)],
                   check=True)
    model, failed = Model(), 0
    with Server(program, directory, "-f", "qcow2", "-t", "--discard=unmap", image) as server:
        c = Client(server).negotiate()
        for _ in range(150):
            equal("without faults", step(c, model, ()), 0)
        for _ in range(6):
            faults.set(f"{call}={number}")
            failed += sum(step(c, model, (REPORTED[number],)) != 0 for _ in range(25))
            faults.set()
            # an image whose tables could not be written takes no changes any more
            broken = [step(c, model, (REPORTED[number],)) for _ in range(25)]
        server.status = int(any(broken))
    check(image, model, not any(broken))
    return failed


def main():
    program, library, directory = sys.argv[1:]
    faults = Faults(directory)
    os.environ["LD_PRELOAD"] = library
    random.seed(1)
    for call in ("write", "read", "sync"):
        for number in (errno.EIO, errno.ENOSPC):
            failed = round_of(program, directory, faults, call, number)
            # what is read is mostly in memory
            assert failed or call == "read", f"nothing failed with {call}={number}"


main()
