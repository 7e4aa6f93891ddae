# SPDX-License-Identifier: GPL-2.0-or-later
"""The first process of a guest: it records while a workload runs, sends what came of it, and ends.

This file is read by the Python in the guest, whose path it is given (`guest.json`). It imports
nothing of this package but through the command line, and nothing of it runs on the host.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import mmap
import os
import signal
import subprocess
import sys
import tarfile
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MARK = "lazymmu lab:"
"""Before what this process says on the console."""

PYTHON = "{python}"
"""Stands in a command for the interpreter of the guest."""

SHARED = ("0x1af4", "0x1110")
"""Vendor and device of the memory that is shared with the host."""

BEGIN = 4096
"""Where the data begins in it; how many bytes there are stands before, in eight bytes."""

RECORDING = "recording"
"""The member that holds the recording, packed one way or another."""

_MOUNTS = (
    ("proc", "/proc", "proc"),
    ("sysfs", "/sys", "sysfs"),
    ("devtmpfs", "/dev", "devtmpfs"),
    ("tmpfs", "/tmp", "tmpfs"),  # noqa: S108 - the guest's own
    ("tracefs", "/sys/kernel/tracing", "tracefs"),
    ("debugfs", "/sys/kernel/debug", "debugfs"),
)
_POWER_OFF = 0x4321FEDC
"""LINUX_REBOOT_CMD_POWER_OFF (include/uapi/linux/reboot.h)."""


def say(text: str) -> None:
    """Tell the host how far this is."""
    print(MARK, text, flush=True)


def main() -> None:
    """Set up, record, send, and switch the machine off, whatever happens."""
    try:
        _mount()
        asked = json.loads(Path("/guest.json").read_text("utf-8"))
        say(f"up {os.uname().release}")
        _load(asked["modules"])
        _send(_recorded(asked))
    except BaseException:  # noqa: BLE001 - the first process must not end
        traceback.print_exc(file=sys.stdout)
        say("failed")
    finally:
        os.sync()
        time.sleep(0.5)
        ctypes.CDLL(None).reboot(_POWER_OFF)
        while True:
            time.sleep(60)


def _mount() -> None:
    call = ctypes.CDLL(None, use_errno=True)
    for kind, place, name in _MOUNTS:
        Path(place).mkdir(parents=True, exist_ok=True)
        call.mount(kind.encode(), place.encode(), name.encode(), 0, None)


_INIT_MODULE = {"x86_64": 175, "aarch64": 105, "ppc64le": 128, "ppc64": 128, "sparc64": 190}
"""The system call, which libc does not have (arch/*/.../syscall*.tbl)."""


def _load(modules: list[str]) -> None:
    """Give the kernel its modules; one that it does not take is said, and the rest goes on."""
    call = ctypes.CDLL(None, use_errno=True)
    for file in modules:
        content = Path(file).read_bytes()
        number = _INIT_MODULE[os.uname().machine]
        if call.syscall(number, content, ctypes.c_ulong(len(content)), b""):
            say(f"{file} is not loaded: {os.strerror(ctypes.get_errno())}")


def _recorded(asked: dict[str, Any]) -> dict[str, bytes]:
    """What came of it: the archive, how all ended, what was said, and the kernel's log."""
    output = Path(f"/tmp/recording.tar.{_packing()}")  # noqa: S108 - the guest's own
    environment = {"PATH": "/bin:/usr/bin:/lab", "PYTHONPATH": ":".join(asked["path"]), "HOME": "/"}
    say("records")
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-m", "lazymmu", "record", "--output", str(output), *asked["options"],
            "--", *asked["command"],
        ],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False, timeout=asked["seconds"],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    state = {
        "release": os.uname().release,
        "machine": os.uname().machine,
        "status": done.returncode,
        "seconds": round(time.monotonic() - started, 1),
        "hypervisor": _text("/sys/hypervisor/type"),
        "guest_type": _text("/sys/hypervisor/guest_type"),
        "command": asked["command"],
    }
    found = {"state.json": json.dumps(state).encode(), "said": done.stdout, "dmesg": _log()}
    if output.exists():
        found[RECORDING] = output.read_bytes()
    return found


def _packing() -> str:
    """How an archive can be packed: the Python of another architecture may come without zstd."""
    for name in ("compression.zstd", "backports.zstd"):
        with contextlib.suppress(ModuleNotFoundError):
            if find_spec(name):
                return "zst"
    return "gz"


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _log() -> bytes:
    """The kernel's log (Documentation/ABI/testing/dev-kmsg), as dmesg prints it."""
    lines = []
    try:
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        while True:
            try:
                record = os.read(log, 8192)
            except BlockingIOError:
                break
            except OSError:
                continue
            head, _, text = record.partition(b";")
            seconds = int(head.split(b",")[2]) / 1e6
            lines.append(b"[%12.6f] %s" % (seconds, text.partition(b"\n")[0]))
    except (OSError, ValueError, IndexError):
        pass
    return b"\n".join(lines) + b"\n"


def _send(found: dict[str, bytes]) -> None:
    """Leave everything to the host, as a tar, in memory that it shares with this machine.

    A device of the emulator holds it (docs/specs/ivshmem-spec.rst of QEMU: its third BAR), and
    needs no driver, which a distribution's kernel would have as a module.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        for name, content in found.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    data = packed.getvalue()
    say(f"sends {len(data)} bytes")
    with _shared() as memory:
        if len(data) > len(memory) - BEGIN:
            raise OSError(f"{len(data)} bytes do not fit into the memory shared with the host")
        memory[BEGIN : BEGIN + len(data)] = data
        # Last: what is before it is complete then.
        memory[:8] = len(data).to_bytes(8, "little")
    say("done")


def _shared() -> mmap.mmap:
    for device in sorted(Path("/sys/bus/pci/devices").glob("*")):
        if (_text(f"{device}/vendor"), _text(f"{device}/device")) == SHARED:
            (device / "enable").write_text("1", "ascii")
            place = device / "resource2_wc"
            with (place if place.exists() else device / "resource2").open("r+b") as stream:
                return mmap.mmap(stream.fileno(), os.fstat(stream.fileno()).st_size)
    raise OSError("there is no memory that is shared with the host")


if __name__ == "__main__":
    main()
