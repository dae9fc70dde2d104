#!/usr/bin/env python3
"""Dead, stopped and disagreeing ranks: every job ends, in time, with a line that says what is wrong."""

import os
import signal
import struct
import time

import ranks
from ranks import Job, check


def run_flags(name, *flags):
    return [f"--run={ranks.folder(name)}", "--epochs=1000", "--step_seconds=0.005", *flags]


def dead_rank():
    job = Job(3, *run_flags("dead"))
    pids = job.pids()
    job.wait_for("epoch 3/")
    start = time.monotonic()
    os.kill(pids[1], signal.SIGKILL)
    check(job.wait(30) != 0, "a job with a dead rank ended well", job)
    job.check_nothing_left()
    message = job.find(r".*rank 1 .*signal 9.*")
    check(message, "the dead rank is not named", job)
    print(f"dead rank: {time.monotonic() - start:.1f} s: {message[0]}")


def stopped_rank():
    timeout = 4
    job = Job(3, *run_flags("stopped", f"--timeout_seconds={timeout}"))
    pids = job.pids()
    job.wait_for("epoch 3/")
    start = time.monotonic()
    os.kill(pids[1], signal.SIGSTOP)
    check(job.wait(timeout + 30) != 0, "a job with a stopped rank ended well", job)
    job.check_nothing_left()
    host = os.uname().nodename
    message = job.find(rf"epoch \d+/1000 step \d+/10: rank [02] \({host}\): all_\w+( of \d+ \w+)?, "
                       rf"#\d+: nothing from rank 1 \({host}\) for {timeout}s")
    check(message, "the stopped rank is not named", job)
    print(f"stopped rank: {time.monotonic() - start:.1f} s: {message[0]}")


def dead_launcher():
    job = Job(2, *run_flags("launcher"))
    job.pids()
    job.wait_for("epoch 3/")
    job.process.kill()
    job.check_nothing_left()
    print("dead launcher: all ranks ended, nothing left behind")


def signal_stops_after_a_checkpoint():
    for number in (signal.SIGUSR1, signal.SIGTERM):
        job = Job(2, *run_flags(f"signal{number}"))
        pids = job.pids()
        job.wait_for("epoch 3/")
        os.kill(pids[1], number)
        check(job.wait(30) == 0, "the job did not end well", job)
        message = job.find(r"stopped by a signal before .*")
        check(message, "the job did not say that it stopped", job)
        job.check_nothing_left()
        print(f"signal {number}: {message[0]}")


def other_build():
    """A copy of the program whose build id differs in its first byte, and which finds its libraries."""
    with open(ranks.PROGRAM, "rb") as program:
        image = bytearray(program.read())
    note = image.index(struct.pack("<3I4s", 4, 20, 3, b"GNU"))  # Sizes of name and id, type, name.
    image[note + 16] ^= 0xff
    path = ranks.folder(os.path.join("other", ranks.PROGRAM))
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as program:
        program.write(image)
    os.chmod(path, 0o755)
    os.symlink(os.path.abspath("_solib_k8"), ranks.folder("other/_solib_k8"))
    return path


def disagreement(fault, expected, *flags):
    job = Job(2, *run_flags(fault, f"--fault={fault}", *flags))
    check_refusal(job, fault, expected)


def build_disagreement():
    flags = run_flags("build")
    job = Job(2, *flags, ":", "-np", "1", other_build(), *flags,
              command=[ranks.LAUNCHER, "1", ranks.PROGRAM])
    check_refusal(job, "build", r'the ranks differ: build is "\w{40}" on rank 0 \(.+\), '
                                r'"\w{40}" on rank 1 \(.+\)')


def check_refusal(job, fault, expected):
    check(job.wait() != 0, f"ranks that differ in {fault} ran", job)
    message = job.find(expected)
    check(message, f"{fault} is not named", job)
    print(f"{fault}: {message[0]}")


if __name__ == "__main__":
    dead_rank()
    stopped_rank()
    signal_stops_after_a_checkpoint()
    build_disagreement()
    disagreement("learning_rate", r"the ranks differ: config/learning_rate is 0.1 on rank 0 \(.+\), "
                                  r"0.2 on rank 1 \(.+\)")
    disagreement("data", r"the ranks differ: data/samples is 40 on rank 0 \(.+\), 41 on rank 1 \(.+\)")
    disagreement("diverge", "epoch 1/1000 step 8/10: tensor momentum3 differs from rank 0's on rank 1",
                 "--check_ranks")
    dead_launcher()
