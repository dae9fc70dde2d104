#!/usr/bin/env python3
"""Dead, stopped and disagreeing ranks: every job ends, in time, with a line that says what is wrong."""

import os
import signal
import time

import ranks
from ranks import Job, check, check_all_gone


def run_flags(name, *flags):
    return [f"--run={ranks.folder(name)}", "--epochs=1000", "--step_seconds=0.005", *flags]


def dead_rank():
    job = Job(3, *run_flags("dead"))
    pids = job.pids()
    job.wait_for("epoch 3/")
    start = time.monotonic()
    os.kill(pids[1], signal.SIGKILL)
    check(job.wait(30) != 0, "a job with a dead rank ended well", job)
    check_all_gone(pids.values())
    check(not job.shared_memory(), "shared memory left behind")
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
    check_all_gone(pids.values())
    check(not job.shared_memory(), "shared memory left behind")
    host = os.uname().nodename
    message = job.find(rf"epoch \d+/1000 step \d+/10: rank [02] \({host}\): all_\w+( of \d+ \w+)?, "
                       rf"#\d+: nothing from rank 1 \({host}\) for {timeout}s")
    check(message, "the stopped rank is not named", job)
    print(f"stopped rank: {time.monotonic() - start:.1f} s: {message[0]}")


def dead_launcher():
    job = Job(2, *run_flags("launcher"))
    pids = job.pids()
    job.wait_for("epoch 3/")
    job.process.kill()
    check_all_gone(pids.values())
    for path in job.shared_memory():  # Nobody else is left to do it; docs/cluster.md says how.
        os.unlink(path)
    print("dead launcher: all ranks ended")


def signal_stops_after_a_checkpoint():
    for number in (signal.SIGUSR1, signal.SIGTERM):
        job = Job(2, *run_flags(f"signal{number}"))
        pids = job.pids()
        job.wait_for("epoch 3/")
        os.kill(pids[1], number)
        check(job.wait(30) == 0, "the job did not end well", job)
        message = job.find(r"stopped by a signal before .*")
        check(message, "the job did not say that it stopped", job)
        check_all_gone(pids.values())
        print(f"signal {number}: {message[0]}")


def disagreement(fault, expected, *flags):
    job = Job(2, *run_flags(fault, f"--fault={fault}", *flags))
    check(job.wait() != 0, f"ranks that differ in {fault} ran", job)
    message = job.find(expected)
    check(message, f"{fault} is not named", job)
    print(f"{fault}: {message[0]}")


if __name__ == "__main__":
    dead_rank()
    stopped_rank()
    signal_stops_after_a_checkpoint()
    disagreement("learning_rate", r"the ranks differ: config/learning_rate is 0.1 on rank 0 \(.+\), "
                                  r"0.2 on rank 1 \(.+\)")
    disagreement("data", r"the ranks differ: data/samples is 40 on rank 0 \(.+\), 41 on rank 1 \(.+\)")
    disagreement("diverge", "epoch 1/1000 step 8/10: tensor momentum3 differs from rank 0's on rank 1",
                 "--check_ranks")
    dead_launcher()
