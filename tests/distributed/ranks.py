"""Starts, watches and disturbs jobs of several ranks."""

import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

LAUNCHER = "tools/build_defs/mpi_run.sh"
PROGRAM = "tests/distributed/fault_run"


class Job:
    """A job under mpirun, its output as it comes, and its ranks' process ids."""

    def __init__(self, ranks, *flags, command=None):
        command = command or [LAUNCHER, str(ranks), PROGRAM]
        self.ranks = ranks
        self.lines = []
        self._pids = {}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self):
        return "\n".join(self.lines)

    def find(self, pattern):
        """The first match of `pattern` in the output, or None."""
        return re.search(pattern, self.output)

    def wait_for(self, pattern, seconds=60):
        """Waits until the output matches `pattern`, or the job ends; returns the match or None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.find(pattern):
            if self.process.poll() is not None:
                self._reader.join()
                break
            time.sleep(0.02)
        return self.find(pattern)

    def pids(self):
        """Process ids by rank, once all ranks have started."""
        if not self._pids:
            for rank in range(self.ranks):
                check(self.wait_for(rf"rank {rank} pid (\d+)"), "a rank did not start", self)
            self._pids = {int(rank): int(pid)
                          for rank, pid in re.findall(r"rank (\d+) pid (\d+)", self.output)}
            with open(f"/proc/{self._pids[0]}/environ") as environment:
                self._mpi_job = int(re.search(r"PMIX_NAMESPACE=(\d+)", environment.read())[1])
        return self._pids

    def check_nothing_left(self, seconds=30):
        """All processes of the job, whose pids() were asked, have ended; neither their shared memory nor
        mpirun's folder is left."""
        check_all_gone(self.pids().values(), seconds)
        patterns = (f"/dev/shm/vader_segment.*.{self._mpi_job:x}.*",
                    f"/tmp/mpi.*/ompi.*/pid.{self.process.pid}")
        deadline = time.monotonic() + 5
        while left := [path for pattern in patterns for path in glob.glob(pattern)]:
            check(time.monotonic() < deadline, f"{left} left behind", self)
            time.sleep(0.02)

    def wait(self, seconds=60):
        """The exit status, once the job and all its output have ended."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            fail(f"the job still runs after {seconds} s", self)
        self._reader.join(seconds)
        return status


def fail(message, job=None):
    print(f"FAILED: {message}")
    if job:
        print(job.output)
        job.process.kill()
    sys.exit(1)


def check(condition, message, job=None):
    if not condition:
        fail(message, job)


def check_all_gone(pids, seconds=30):
    """Every process has ended (a zombie has)."""
    deadline = time.monotonic() + seconds
    alive = set(pids)
    while alive:
        alive = {pid for pid in alive if is_alive(pid)}
        check(time.monotonic() < deadline, f"processes {alive} still run")
        time.sleep(0.02)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def folder(name):
    return os.path.join(os.environ.get("TEST_TMPDIR", "/tmp"), name)
