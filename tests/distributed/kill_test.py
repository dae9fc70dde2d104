#!/usr/bin/env python3
"""kill_test.py [KILLS]: a run killed at random moments always resumes and ends with the same bits.

In turn one rank, all ranks, the writer in the middle of a checkpoint, and mpirun are killed.
"""

import glob
import os
import random
import shutil
import sys
import time

import ranks
from ranks import Job, check, kill

RANKS = 2


def run_flags(name):
    return [f"--run={ranks.folder(name)}", "--epochs=12", "--step_seconds=0.004"]


def final(job):
    """The hash of its final state, and the sum of its squares."""
    check(job.wait(120) == 0, "the run failed", job)
    hash_and_norm = job.find(r"state (\w+) norm (\S+)")
    return hash_and_norm[1], float(hash_and_norm[2])


def check_same(job, expected):
    check(final(job) == expected, "resumed runs ended with other bits", job)


def kill_one_rank(job, pids):
    time.sleep(random.uniform(0, 0.6))
    kill(random.choice(list(pids.values())))


def kill_all_ranks(job, pids):
    time.sleep(random.uniform(0, 0.6))
    for pid in pids.values():
        kill(pid)


def kill_writer(job, pids):
    """Rank 0, once a checkpoint is half-written."""
    pattern = os.path.join(ranks.folder("killed"), "checkpoints", ".tmp_*", "*")
    while job.process.poll() is None and not glob.glob(pattern):
        pass
    time.sleep(random.uniform(0, 0.001))
    kill(pids[0])


def kill_launcher(job, pids):
    time.sleep(random.uniform(0, 0.6))
    kill(job.process.pid)


VICTIMS = (kill_one_rank, kill_all_ranks, kill_writer, kill_launcher)


if __name__ == "__main__":
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    random.seed(1)
    expected = final(Job(RANKS, *run_flags("whole")))
    counts = dict.fromkeys((victim.__name__ for victim in VICTIMS), 0)
    ends, mid_epoch = 0, 0
    while sum(counts.values()) < kills:
        victim = VICTIMS[sum(counts.values()) % len(VICTIMS)]
        job = Job(RANKS, *run_flags("killed"))
        pids = job.pids()
        victim(job, pids)
        killed = job.wait() != 0
        job.check_nothing_left()
        check(not job.find("skipping checkpoint"), "a checkpoint was damaged", job)
        resumed = job.find(r"resumed after (\d+) steps")
        mid_epoch += resumed is not None and int(resumed[1]) % 10 != 0
        if killed:
            counts[victim.__name__] += 1
        else:
            # The run was over first: it must have ended right; the next one starts anew.
            ends += 1
            check_same(job, expected)
            shutil.rmtree(ranks.folder("killed"))
    shutil.copytree(ranks.folder("killed"), ranks.folder("other_ranks"))
    check_same(Job(RANKS, *run_flags("killed")), expected)
    norm = final(Job(RANKS + 1, *run_flags("other_ranks")))[1]
    check(abs(norm - expected[1]) <= 1e-9 * expected[1], f"norm {norm} on other ranks")
    print(f"{kills} kills {counts}; resumed {mid_epoch} times within an epoch; "
          f"{ends + 1} runs to their end, every one with state {expected[0]}; "
          f"norm {expected[1]}, going on with {RANKS + 1} ranks {norm}")
