#!/usr/bin/env python3
"""kill_test.py [KILLS]: a run killed at random moments always resumes and ends with the same bits.

In turn one rank, all ranks, and the writer in the middle of a checkpoint are killed.
"""

import glob
import os
import random
import shutil
import sys
import time

import ranks
from ranks import Job, check, check_all_gone, kill

RANKS = 2


def run_flags(name):
    return [f"--run={ranks.folder(name)}", "--epochs=12", "--step_seconds=0.004"]


def state(job):
    check(job.wait() == 0, "the run failed", job)
    return job.find(r"state (\w+)")[1]


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


if __name__ == "__main__":
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    random.seed(1)
    expected = state(Job(RANKS, *run_flags("whole")))
    counts = {}
    done, ends = 0, 0
    while done < kills:
        victim = (kill_one_rank, kill_all_ranks, kill_writer)[done % 3]
        job = Job(RANKS, *run_flags("killed"))
        pids = job.pids()
        victim(job, pids)
        killed = job.wait() != 0
        check_all_gone(pids.values())
        check(not job.shared_memory(), "shared memory left behind")
        check(not job.find("skipping checkpoint"), "a checkpoint was damaged", job)
        if killed:
            done += 1
            counts[victim.__name__] = counts.get(victim.__name__, 0) + 1
        else:
            # The run was over first: it must have ended right; the next one starts anew.
            ends += 1
            check(state(job) == expected, "resumed runs ended with other bits", job)
            shutil.rmtree(ranks.folder("killed"))
    check(state(Job(RANKS, *run_flags("killed"))) == expected, "resumed runs ended with other bits")
    print(f"{done} kills {counts}, {ends + 1} runs to their end, every one with state {expected}")
