#!/usr/bin/env python3
"""Eleven ranks, whose small collectives take a tree, and one that does not come: every other rank names it,
and no other, whoever waited for whom."""

import os
import random
import re
import signal
import time

import ranks
from ranks import Job, check

RANKS = 11
TIMEOUT = 6
PATIENCE = 60  # For a machine with other things to do.
HOST = re.escape(os.uname().nodename)


def start(*flags):
    job = Job(RANKS, f"--timeout_seconds={TIMEOUT}", *flags,
              command=[ranks.LAUNCHER, str(RANKS), "tests/distributed/missing_run"])
    for rank in range(RANKS):
        check(job.wait_for(rf"rank {rank} runs", PATIENCE), "a rank did not start", job)
    return job


def errors(job, of):
    """The errors by rank, once the ranks `of` all have one; ends the job."""
    for rank in of:
        check(job.wait_for(rf"rank {rank} failed: .*", PATIENCE), f"rank {rank} does not end", job)
    pids = job.pids()
    found = {rank: job.find(rf"rank {rank} failed: (.*)")[1] for rank in of}
    for pid in pids.values():
        ranks.kill(pid)
    job.wait(PATIENCE)
    job.check_nothing_left()
    return found


def check_missing(job, missing, what):
    begin = time.monotonic()
    others = [rank for rank in range(RANKS) if rank != missing]
    found = errors(job, others)
    for rank, error in found.items():
        expected = (rf"rank {rank} \({HOST}\): \w+( of \d+ \w+)?, #\d+: "
                    rf"nothing from rank {missing} \({HOST}\) for {TIMEOUT}s")
        check(re.fullmatch(expected, error), f"rank {missing} is missing; rank {rank} says: {error}; all: {found}")
    print(f"{what}: {time.monotonic() - begin:.1f} s: {found[others[0]]}")


def stopped(missing, *flags):
    check_missing(start("--fault=stop", f"--faulty={missing}", *flags), missing, f"stopped before {flags}")


def stopped_at_any_moment():
    """Also in the middle of a collective, which some ranks then finish."""
    missing = random.randrange(RANKS)
    job = start()
    pids = job.pids()
    time.sleep(random.uniform(0, 0.5))
    os.kill(pids[missing], signal.SIGSTOP)
    check_missing(job, missing, "stopped at any moment")


def sleeping():
    """It answers other ranks, but does not come."""
    check_missing(start("--fault=sleep", "--faulty=3"), 3, "asleep")


def other_size():
    job = start("--fault=size", "--faulty=7", "--collective=all_gather")
    found = errors(job, range(RANKS))
    for rank, error in found.items():
        check(re.fullmatch(rf"rank {rank} \({HOST}\): all_gather of \d \w+, #\d+: rank \d+ \({HOST}\) sent a message "
                           r"of another size than \d+ bytes: the ranks do not run the same program", error),
              f"rank {rank} says: {error}")
    print(f"other size: {found[0]}")


if __name__ == "__main__":
    # An inner rank of the tree: only those below it wait for it, the others compute.
    stopped(4, "--collective=broadcast", "--compute_seconds=1", "--fault_step=1")
    # The same, when the others go on to an all-gather, and wait there as long as those below.
    stopped(4, "--fault_step=21")
    stopped(10, "--collective=all_reduce")
    stopped(0, "--collective=large_all_reduce")
    stopped_at_any_moment()
    sleeping()
    other_size()
