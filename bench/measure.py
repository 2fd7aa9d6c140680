"""What run and linear share: one measured command, the repository, the machine.

Python 3.9 or later, standard library only. Memory is measured on Linux only.
"""

import dataclasses
import mmap
import os
import pathlib
import platform
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
STANCH_CODES = {0, 1, 3}  # nothing found, leaks found, something could not be read


def fail(text):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {text}")


# One command


@dataclasses.dataclass
class Run:
    wall: float
    user: float  # of the process and of every descendant that was waited for
    sys: float
    code: int  # negative: ended by that signal
    timed_out: bool
    rss_kib: int = 0  # of the largest process
    anon_kib: int = 0  # of all processes at one moment; 0: not measured

    @property
    def cpu(self):
        return self.user + self.sys


def environment(home):
    """The environment of every measured command: no configuration of the user,
    no network on git's side, and nothing left behind outside of home."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "XDG_"))}
    env.update(
        HOME=str(home),
        TMPDIR=str(home),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        # The repositories may belong to somebody else.
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="safe.directory",
        GIT_CONFIG_VALUE_0="*",
        # A partial clone is measured as it is, not completed while the clock runs.
        GIT_NO_LAZY_FETCH="1",
        GIT_TERMINAL_PROMPT="0",
    )
    return env


def measure(argv, env, timeout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, memory=False):
    """Run argv to its end. With memory, /proc is read all the while, which takes
    time from one core: such a run is not for its times."""
    start = time.perf_counter()
    # A session of its own, so that the end of time reaches its children too.
    child = subprocess.Popen(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
    )
    timed_out = threading.Event()

    def stop():
        timed_out.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(timeout, stop)
    timer.start()
    sampler = Sampler(child.pid) if memory and sys.platform == "linux" else None
    try:
        # WNOWAIT: until wait4 below the id is not given to another process, so
        # that neither the timer nor killpg can hit a stranger.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - start
    finally:
        timer.cancel()
        timer.join()
        if sampler:
            sampler.stop()
        try:
            os.killpg(child.pid, signal.SIGKILL)  # what it left behind would slow the next run
        except PermissionError:
            pass  # macOS says so of a group that is only a zombie
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    run = Run(wall, usage.ru_utime, usage.ru_stime, child.returncode, timed_out.is_set())
    if sampler:
        run.rss_kib, run.anon_kib = sampler.rss, sampler.anon
    elif sys.platform == "darwin":
        run.rss_kib = usage.ru_maxrss // 1024
    return run


class Sampler(threading.Thread):
    """Reads the memory of a process and its descendants every few milliseconds.

    The kernel's ru_maxrss is not used: on Linux a child inherits the peak of the
    process that it was forked from, and it does not tell mapped packs, which
    the kernel can drop at any time, from memory of the program's own."""

    def __init__(self, pid, every=0.003):
        super().__init__(daemon=True)
        self.pid, self.every = pid, every
        self.rss = self.anon = 0
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(self.every):
            anon = 0
            for pid in processes(self.pid):
                fields = status(pid)
                self.rss = max(self.rss, fields.get("VmHWM", 0))
                anon += fields.get("RssAnon", 0)
            self.anon = max(self.anon, anon)

    def stop(self):
        self.ended.set()
        self.join()


def processes(pid):
    """pid and its descendants. A child that still is its parent's program, between
    fork and exec, is left out: its memory is the parent's, and would count twice."""
    found = [pid]
    for parent in found:
        try:
            program = read(f"/proc/{parent}/cmdline")
            # A child is listed under the thread that made it.
            for thread in os.listdir(f"/proc/{parent}/task"):
                for child in read(f"/proc/{parent}/task/{thread}/children").split():
                    if read(f"/proc/{child}/cmdline") != program:
                        found.append(int(child))
        except OSError:
            pass  # a process or a thread has ended meanwhile
    return found


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def status(pid):
    try:
        text = read(f"/proc/{pid}/status")
    except OSError:
        return {}
    return {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}


# The repository


@dataclasses.dataclass
class Repository:
    name: str
    path: pathlib.Path  # the git directory: a work tree is not part of what is measured
    head: str
    refs: int
    objects: int
    loose: int  # of the objects, those outside of packs
    missing: int  # named by history, but not there: a partial or damaged clone
    packs: int
    pack_bytes: int


def repository(operand):
    """REPO or NAME=REPO."""
    name, equals, path = operand.rpartition("=")
    path = pathlib.Path(path).resolve()
    if not equals:
        named = path.parent if path.name in (".git", "repo") else path
        name = named.name.removesuffix(".git")
    path = pathlib.Path(git(path, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    walk = git(path, "rev-list", "--all", "--objects", "--missing=print")
    counts = dict(re.findall(r"^(\S+): (\d+)$", git(path, "count-objects", "-v"), re.M))
    return Repository(
        name=name,
        path=path,
        head=git(path, "rev-parse", "--verify", "-q", "HEAD").strip(),
        refs=len(git(path, "for-each-ref").splitlines()),
        objects=int(counts["count"]) + int(counts["in-pack"]),
        loose=int(counts["count"]),
        missing=len(re.findall(r"^\?", walk, re.M)),
        packs=int(counts["packs"]),
        pack_bytes=sum(p.stat().st_size for p in path.glob("objects/pack/*.pack")),
    )


def git(path, *args):
    env = environment(os.devnull)
    done = subprocess.run(["git", "-C", str(path), *args], env=env, capture_output=True, text=True)
    if done.returncode:
        fail(f"{path}: git {args[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def stream_bytes(repo):
    """How many bytes zlib yields for all entries of the packs: whole objects,
    and of deltas the instructions and the new bytes. It is what a reader that
    inflates each entry once has to do. Loose objects are not counted."""
    total = 0
    id_size = 32 if git(repo.path, "rev-parse", "--show-object-format").strip() == "sha256" else 20
    for index in repo.path.glob("objects/pack/*.idx"):
        with open(index, "rb") as idx, open(index.with_suffix(".pack"), "rb") as file:
            offsets = index_offsets(idx.read(), id_size)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pack:
                total += sum(entry_size(pack, offset) for offset in offsets)
    return total


def index_offsets(idx, id_size):
    if idx[:8] != b"\xfftOc\0\0\0\2":
        fail("a pack index is not of version 2")
    (count,) = struct.unpack_from(">I", idx, 8 + 255 * 4)
    at = 8 + 256 * 4 + count * (id_size + 4)
    large = at + count * 4
    for offset in struct.unpack_from(f">{count}I", idx, at):
        if offset & 1 << 31:
            (offset,) = struct.unpack_from(">Q", idx, large + (offset & 0x7FFFFFFF) * 8)
        yield offset


def entry_size(pack, at):
    byte = pack[at]
    size, shift = byte & 15, 4
    while byte & 128:
        at += 1
        byte = pack[at]
        size |= (byte & 127) << shift
        shift += 7
    return size


# stanch, and the machine


def stanch(path, into):
    """The binary to measure, and what it is."""
    if path:
        found = shutil.which(path)
        if not found:
            fail(f"{path}: no such program")
        return str(pathlib.Path(found).resolve()), first_line([found, "--version"])
    binary = str(pathlib.Path(into) / "stanch")
    if subprocess.run(["go", "build", "-o", binary, "./cmd/stanch"], cwd=CHECKOUT).returncode:
        fail("stanch does not build")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=CHECKOUT, capture_output=True, text=True
    )
    return binary, f"{first_line([binary, '--version'])}, built from {commit.stdout.strip() or 'no commit'}"


def first_line(argv):
    """The first line with a version in it, of either output: some print a banner."""
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run(argv, env=environment(home), capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as err:
            return f"unknown version: {type(err).__name__}"
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines()]
    said = next((line for line in lines if re.search(r"\d\.\d|\bdev\b", line)), "")
    return said or go_version(argv[0]) or "unknown version"


def go_version(binary):
    """The module version that Go noted in a binary built by "go install"."""
    try:
        done = subprocess.run(["go", "version", "-m", binary], capture_output=True, text=True)
    except OSError:
        return ""
    found = re.search(r"^\s+mod\s+\S+\s+(v\S+)", done.stdout, re.M)
    return found[1] if found else ""


def machine():
    cpu, memory = platform.processor(), 0
    if sys.platform == "linux":
        found = re.search(r"^model name\s*:\s*(.*)$", read("/proc/cpuinfo"), re.M)
        cpu = found[1] if found else cpu
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": cpu or platform.machine(),
        "cores": cores,
        "memory_bytes": memory,
        "kernel": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
        "git": first_line(["git", "--version"]),
    }


def describe(m):
    return f"{m['cpu']}, {m['cores']} cores, {m['memory_bytes'] / 2**30:.0f} GiB, {m['kernel']}, {m['git']}"


def folder(m):
    """bench/DATE-MACHINE, such as bench/2026-11-22-xeon-2core."""
    known = re.search(r"xeon|epyc|ryzen|threadripper|core|apple|graviton|neoverse", m["cpu"], re.I)
    name = known[0] if known else re.sub(r"\W+", "-", m["cpu"]).strip("-") or "unknown"
    return CHECKOUT / "bench" / f"{time.strftime('%Y-%m-%d')}-{name.lower()}-{m['cores']}core"
