#!/usr/bin/env python3
"""Dead, stopped and disagreeing ranks: every job ends, in time, with a line that says what is wrong."""

import os
import signal
import struct
import time

import ranks
from ranks import Job, check

STOPPED = 75  # The exit status of a run that a signal stopped.


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
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        job = Job(2, *run_flags(f"signal{number}"))
        pids = job.pids()
        job.wait_for("epoch 3/")
        os.kill(pids[1], number)
        status = job.wait(30)
        check(status == STOPPED, f"the job ended with status {status}", job)
        message = job.find(r"stopped by a signal before .*")
        check(message, "the job did not say that it stopped", job)
        job.check_nothing_left()
        print(f"signal {number}: {message[0]}")


def interrupted_launcher():
    """Ctrl-C reaches mpirun, which hands it on as SIGTERM."""
    job = Job(2, *run_flags("interrupted"))
    job.pids()
    job.wait_for("epoch 3/")
    job.process.send_signal(signal.SIGINT)
    check(job.wait(30) != 0, "an interrupted job ended well", job)
    job.check_nothing_left()
    check(resumed_after("interrupted") >= 20, "no checkpoint was written")
    print("interrupted launcher: a status other than 0, and a checkpoint")


def interrupted_twice():
    """The first SIGINT asks for a checkpoint after the step, the second one ends the process."""
    job = Job(1, *run_flags("twice", "--step_seconds=1000"), command=[ranks.PROGRAM])
    job.wait_for(r"rank 0 pid")
    time.sleep(1)  # The first step begins.
    job.process.send_signal(signal.SIGINT)
    check(job.wait_for("Ctrl-C again ends at once"), "the first one is not answered", job)
    check(job.process.poll() is None, "the first one ended the job", job)
    job.process.send_signal(signal.SIGINT)
    check(job.wait(10) == -signal.SIGINT, "the second one did not end the job", job)
    print("interrupted twice: ended at once")


def resumed_after(name):
    """The step from which a run in this folder goes on."""
    job = Job(2, *run_flags(name))
    job.wait_for("epoch .*/1000 ")
    message = job.find(r"resumed after (\d+) steps")
    os.kill(job.pids()[0], signal.SIGTERM)
    job.wait(30)
    return int(message[1]) if message else 0


def not_a_number():
    """A loss on one rank ends the run on every rank, which names it, and no checkpoint holds a later state."""
    host = os.uname().nodename
    for fault, what in (("nan", "epoch 3/1000 step 8/10: {}loss is nan"),
                        ("nan_evaluation", "epoch 1/1000 step 10/10: evaluation: loss is nan")):
        job = Job(3, *run_flags(fault, f"--fault={fault}", "--fault_step=27"))
        check(job.wait(60) == 1, "a run that diverged ended well", job)
        for elsewhere in ("", rf"on rank 2 \({host}\): "):
            check(job.find(what.format(elsewhere)), "it is not named on every rank", job)
        last = sorted(os.listdir(ranks.folder(f"{fault}/checkpoints")))[-1]
        check(last == ("step_000000027" if fault == "nan" else "step_000000009"), f"wrote {last}", job)
        print(f"{fault}: {job.find(what.format(''))[0]}; the last checkpoint is {last}")


def two_runs_in_a_folder():
    first = Job(2, *run_flags("shared"))
    pids = first.pids()
    first.wait_for("epoch 2/")
    # Another job, and a rank that something starts again by itself.
    for second in (Job(2, *run_flags("shared")), Job(1, *run_flags("shared"), command=[ranks.PROGRAM])):
        check(second.wait(30) != 0, "two runs share a folder", second)
        message = second.find(rf"shared: a run goes on here, of process {pids[0]} on \S+: .*")
        check(message, "the holder is not named", second)
    os.kill(pids[0], signal.SIGTERM)
    check(first.wait(30) == STOPPED, "the first run was disturbed", first)
    check(not os.path.exists(ranks.folder("shared/run.lock")), "the lock is left", first)
    print(f"two runs: {message[0]}")


def damaged_samples():
    """Whatever is left out, the ranks stay in step and see the same batches, however many they are."""
    norms = []
    for number, command in ((1, [ranks.PROGRAM]), (2, None), (3, None)):
        # The first two batches of the first epoch are damaged altogether, the third in part.
        job = Job(number, f"--run={ranks.folder(f'damaged{number}')}", "--epochs=3", "--damaged=9",
                  command=command)
        check(job.wait(60) == 0, "the run failed", job)
        norms.append(float(job.find(r"state \w+ norm (\S+)")[1]))
        check(job.find("18 damaged samples were left out"), "they are not counted", job)
        with open(ranks.folder(f"damaged{number}/bad_samples.jsonl")) as listed:
            check(len(listed.readlines()) == 18, "they are not listed", job)
    check(max(norms) - min(norms) <= 1e-9 * norms[0], f"norms {norms}")
    job = Job(2, *run_flags("too_many", "--damaged=9", "--max_bad_samples=5"))
    check(job.wait(60) == 1, "too many are no error", job)
    check(job.find("epoch 1/1000 step 2/10: 8 samples are damaged, of which 5 may be left out"),
          "the bound is not named", job)
    job = Job(3, *run_flags("all", "--damaged=40"))
    check(job.wait(60) == 1, "nothing left is no error", job)
    check(job.find("no batch of an epoch has a sample that is whole"), "it is not named", job)
    print(f"damaged samples: norms {norms} on 1, 2 and 3 ranks")


def fewer_samples_than_ranks():
    """Batches of two samples on three ranks: one rank has none, in training and in evaluation."""
    norms = []
    for number, command in ((1, [ranks.PROGRAM]), (3, None)):
        job = Job(number, f"--run={ranks.folder(f'few{number}')}", "--epochs=2", "--batch=2", command=command)
        check(job.wait(60) == 0, "the run failed", job)
        norms.append(float(job.find(r"state \w+ norm (\S+)")[1]))
    check(max(norms) - min(norms) <= 1e-9 * norms[0], f"norms {norms}")
    print(f"a rank without samples: norms {norms}")


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
    interrupted_launcher()
    interrupted_twice()
    not_a_number()
    two_runs_in_a_folder()
    damaged_samples()
    fewer_samples_than_ranks()
    build_disagreement()
    disagreement("learning_rate", r"the ranks differ: config/learning_rate is 0.1 on rank 0 \(.+\), "
                                  r"0.2 on rank 1 \(.+\)")
    disagreement("data", r"the ranks differ: data/samples is 40 on rank 0 \(.+\), 41 on rank 1 \(.+\)")
    disagreement("diverge", "epoch 1/1000 step 8/10: tensor momentum3 differs from rank 0's on rank 1",
                 "--check_ranks")
    dead_launcher()
