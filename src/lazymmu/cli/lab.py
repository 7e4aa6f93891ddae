# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a kernel in QEMU, record what it does with the mode, and judge that.

KERNEL is a package (linux-image-*.deb, from 7.2 on linux-binary-*.deb) or an
image; nothing is installed, changed or downloaded. In the guest this machine's
Python runs `lazymmu record` while the workload runs; the recording is written
to --output and judged as `lazymmu trace` judges it. With --xen the kernel is
the first domain (PV) of Debian's hypervisor. --reproduce boots twice: with what
a finding needs, and with its control.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lazymmu.cli import outputs
from lazymmu.cli.console import emit, say
from lazymmu.problem import Problem
from lazymmu.report.common import formats
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lazymmu.verbs.lab import LabAnswer, LabRequest

NAME = "lab"
SUMMARY = "boot a kernel, record it under a workload, and judge that"
TAKES_COMMAND = True

_OUTPUT = "lazymmu-lab.tar.zst"
_MOST_SAID = 40
"""Lines of what a program said in the guest that are passed on, the last ones."""
_ENDINGS = {
    "done": "recorded",
    "panic": "the kernel panicked",
    "late": "not done in time (--seconds)",
    "died": "the machine went off before the guest was done",
    "silent": "the kernel said nothing",
}

_NO_SIGN = (
    "what the guest died of is no check of page tables or of the mode, so that it shows neither "
    "that there is a mistake of it nor that there is none"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lazymmu lab`."""
    parser.add_argument(
        "kernel", metavar="KERNEL", nargs="?", help="package or image of the kernel"
    )
    parser.add_argument(
        "command",
        metavar="COMMAND",
        nargs="*",
        help="what runs in the guest instead of a workload, behind --: a program of this machine "
        "(static, or one that needs no library but libc) or a Python file, and its arguments",
    )
    group = parser.add_argument_group("findings")
    group.add_argument(
        "--reproduce", metavar="NAME", help="show this finding, and that its control does not"
    )
    group.add_argument(
        "--list", action="store_true", help="list the findings that can be shown, and on what"
    )
    group.add_argument(
        "--skeleton",
        metavar="SCENARIO",
        help="print the beginnings of a program that goes the way of a scenario that ships or of a "
        "file (as check --as-scenario writes one of a finding), by system calls",
    )
    _add_machine(parser)
    _add_recording(parser)


def _add_machine(parser: argparse.ArgumentParser) -> None:
    """What is booted, and in what."""
    group = parser.add_argument_group("machine")
    group.add_argument("--xen", action="store_true", help="as dom0 under Xen (x86)")
    group.add_argument(
        "--hypervisor",
        metavar="FILE",
        help="Xen, or its package (default: the newest xen-*-amd64.gz in /boot)",
    )
    group.add_argument("--arch", metavar="A", help="refuse a kernel for another architecture")
    group.add_argument(
        "--root", metavar="DIR", help="file system with a Python, for a kernel of another "
        "architecture than this machine's",
    )  # fmt: skip
    group.add_argument("--no-kvm", action="store_true", help="emulate, also where there is KVM")
    group.add_argument(
        "--memory", metavar="MIB", type=int, default=2048, help="memory (default: 2048)"
    )
    group.add_argument("--cpus", metavar="N", type=int, default=2, help="CPUs (default: 2)")
    group.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        default=600,
        help="give up after this time (default: 600)",
    )
    group.add_argument(
        "--append",
        metavar="WORD",
        action="append",
        default=[],
        help="one more word for the kernel's command line",
    )
    group.add_argument(
        "--module",
        metavar="NAME",
        action="append",
        default=[],
        help="load one more of the kernel's modules in the guest, with those that it needs",
    )
    group.add_argument(
        "--modules", metavar="FILE", help="the package that holds them (default: KERNEL; from "
        "7.1 on linux-modules-*.deb)",
    )  # fmt: skip


def _add_recording(parser: argparse.ArgumentParser) -> None:
    """What runs meanwhile, and what becomes of it."""
    group = parser.add_argument_group("recording")
    group.add_argument(
        "--workload",
        metavar="NAME|FILE",
        default="small",
        help="what runs meanwhile: small (default, some seconds), mm (most ways to change page "
        "tables), or a program as COMMAND",
    )
    group.add_argument(
        "--light", action="store_true", help="leave out what comes once for each entry"
    )
    group.add_argument(
        "--recording", metavar="FILE", default=_OUTPUT, help=f"the archive (default: {_OUTPUT})"
    )
    group.add_argument(
        "--console", metavar="FILE", help="write what the kernel said on its console to FILE"
    )
    outputs.add_outputs(parser, formats.VERBS["trace"])


def run(args: argparse.Namespace) -> ExitCode:
    """Boot, say how that went, and print what the recording shows."""
    from lazymmu.verbs.lab import LabRequest, run_lab

    if args.list:
        emit(_listed(), prose=True)
        return ExitCode.CLEAN
    if args.skeleton:
        from lazymmu.verbs.reproduce import skeleton_of

        emit(skeleton_of(args.skeleton))
        return ExitCode.CLEAN
    _allowed(args)
    wanted = outputs.outputs(args, formats.VERBS["trace"])
    asked = LabRequest(
        kernel=args.kernel,
        xen=args.xen,
        hypervisor=args.hypervisor,
        arch=args.arch,
        workload=args.workload,
        command=tuple(args.command),
        output=args.recording,
        kvm=not args.no_kvm,
        memory=args.memory,
        cpus=args.cpus,
        seconds=args.seconds,
        append=tuple(args.append),
        light=args.light,
        root=args.root,
        module=tuple(args.module),
        modules=args.modules,
        drawn=any(output.format == "html" for output in wanted),
    )
    quiet = args.quiet or sys.stderr is None or not sys.stderr.isatty()
    if args.reproduce:
        return _reproduced(asked, args, bool if quiet else say)
    answer = run_lab(asked, progress=bool if quiet else say)
    if args.console:
        _keep(args.console, answer.booted.console)
    _tell(answer, args)
    if (judged := answer.judged) is not None:
        from lazymmu.cli.trace import say_watched
        from lazymmu.report.trace.formats import of_trace

        render = of_trace(judged.watched, tallies=judged.tallies, tracks=judged.tracks)
        outputs.deliver(wanted, render, coloured=("text",))
        if not args.quiet:
            say_watched(judged.watched)
    return answer.exit_code()


def _allowed(args: argparse.Namespace) -> None:
    """Refuse, before anything is read, what cannot be booted."""
    if args.reproduce:
        from lazymmu.verbs.reproduce import shown_here

        # Nobody has to find a kernel to be told that there is nothing to run.
        shown_here(args.reproduce)
    if args.kernel is None:
        raise Problem("lab needs a kernel: a package or an image")
    if args.reproduce and (args.xen or args.command):
        raise Problem("--reproduce says itself what runs, and whether under Xen")
    if args.hypervisor and not (args.xen or args.reproduce):
        raise Problem("--hypervisor is for --xen")
    least = 1024 if args.xen else 512
    for name, value, floor in (("memory", args.memory, least), ("cpus", args.cpus, 1)):
        if value < floor:
            raise Problem(f"--{name} is at least {floor}")
    if not args.seconds > 0:
        raise Problem("--seconds is more than 0")


def _listed() -> str:
    """The reproducers, one a line, with what they take."""
    from lazymmu.verbs.reproduce import known_reproducers

    lines = []
    for one in known_reproducers():
        where = f"{one.first} to {one.last}" + (", Xen PV" if one.xen else "")
        lines.append(f"{one.name}: {one.summary} ({where})")
        if one.withheld:
            lines.append(f"  {one.withheld}")
    return "\n".join(lines) + "\n"


def _reproduced(
    asked: LabRequest, args: argparse.Namespace, progress: Callable[[str], object]
) -> ExitCode:
    """Show a finding, and say what was seen in either boot."""
    from lazymmu.verbs.reproduce import reproduce

    answer = reproduce(args.reproduce, asked, progress)
    lines = []
    for what, one, seen in (
        (answer.reproducer.name, answer.shown, answer.seen),
        (f"control, {answer.reproducer.control}", answer.control, answer.seen_in_control),
    ):
        if args.console:
            _keep(args.console + (".control" if one is answer.control else ""), one.booted.console)
        _tell(one, args)
        told = "; ".join(clean(line, 300) for line in seen)
        lines.append(f"{what}: {f'seen: {told}' if told else 'not seen'}")
    emit("\n".join(lines) + "\n", args.output or outputs.STDOUT)
    if answer.seen_in_control:
        say("the control shows it as well: it is not what this reproducer is about")
    elif not answer.conclusive():
        for line in answer.undone():
            say(f"the guest: {clean(line, 300)}")
        undone = "in one of the two boots the program did not do its part"
        late = "one of the two boots did not come to its end"
        say(f"not conclusive: {undone if answer.undone() else late}")
    if answer.expected is not None and answer.expected is not bool(answer.seen):
        there = "has it" if answer.expected else "does not have it"
        say(f"otherwise than known: this release {there}, by the reproducer's page")
    return answer.exit_code()


def _keep(name: str, text: str) -> None:
    try:
        with open(name, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as error:
        raise Problem(f"cannot write {name}: {error.strerror or error}") from None


def _tell(answer: LabAnswer, args: argparse.Namespace) -> None:
    """Say what was booted and how it ended; a splat of the kernel is said in any case."""
    state = answer.state
    under = " as PV guest of Xen" if answer.xen else ""
    how = "KVM" if answer.booted.kvm else "emulated"
    what = clean(str(state.get("release") or answer.kernel.release or args.kernel), 80)
    if not args.quiet or answer.judged is None:
        say(
            f"Linux {what} ({answer.kernel.arch}{under}, {how}): "
            f"{_ENDINGS[answer.booted.ending]}, {answer.booted.seconds:.0f} s"
        )
    # Whoever brings a program wants to read what it says.
    own = bool(args.command) and not args.quiet
    if answer.judged is None or own:
        for line in answer.said.splitlines()[-(_MOST_SAID if own else 5) :]:
            say(f"the guest: {clean(line, 300)}")
    if answer.judged is None:
        for line in answer.booted.console.splitlines()[-5:] if not answer.said else ():
            say(f"the console: {clean(line, 300)}")
    for line in answer.splats:
        say(f"the kernel's log: {clean(line, 300)}")
    if answer.splats and not answer.counted:
        say(f"not conclusive: {_NO_SIGN}")
    if answer.output is not None and not args.quiet:
        say(f"{answer.output}: lazymmu trace {answer.output} judges it again")
