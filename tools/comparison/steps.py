"""Steps of a comparison: tools' runs in folders, several at a time, which go on where they were stopped."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

STOPPED = 75  # The exit status of a tool that a signal stopped, after a checkpoint.


def read_json(*path):
  with open(os.path.join(*path)) as file:
    return json.load(file)


def write(path, text):
  with open(path + ".tmp", "w") as file:
    file.write(text)
  os.replace(path + ".tmp", path)


class Step:
  """A tool's run in its folder, finished when `result` is there; `needs` are the steps whose results it reads.

  A word of the command may be a function, called when those are there."""

  def __init__(self, folder, tool, flags, result, needs=(), launcher=()):
    self.folder = folder
    self.log = folder + ".log"  # A run's folder holds nothing but its run.
    self.tool = os.path.basename(tool)
    self.words = list(launcher) + [tool] + flags
    self.result = os.path.join(folder, result)
    self.needs = needs

  def done(self):
    return os.path.exists(self.result)

  def command(self):
    return [word() if callable(word) else word for word in self.words]

  def seconds(self):
    """CPU seconds, of all processes and of every try."""
    path = os.path.join(self.folder, "seconds.json")
    return read_json(path) if os.path.exists(path) else 0.0

  def add_seconds(self, seconds):
    if os.listdir(self.folder):  # A run that was refused leaves nothing.
      write(os.path.join(self.folder, "seconds.json"), json.dumps(self.seconds() + seconds))

  def dry_command(self, stand_in):
    """The command with --dry_run, the words of `stand_in` in place of a network still to be found, and without what
    only an earlier step's result tells; None if it measures weights still to be trained."""
    known = stand_in[0].partition("=")[0]
    command = []
    for word in self.words:
      if callable(word):
        continue
      name, _, path = word.partition("=")
      if name == "--initial_weights" and not os.path.exists(path):
        if "--method=sensitivity" in self.words:
          return None
        continue
      if name == known and os.sep in path and not os.path.exists(path):
        command += stand_in
      elif os.path.exists(path) or name not in ("--weights", "--output"):
        command.append(word)
    return command + ["--dry_run"]


class _Runner:
  """Up to `jobs` steps at a time, each as soon as what it needs is there, in their order."""

  def __init__(self, steps, jobs):
    self.waiting = [step for step in steps if not step.done()]
    self.jobs = jobs
    self.total = len(self.waiting)
    self.started = 0
    self.running = {}  # Process: (step, when it began)
    self.stopping = self.terminating = False
    self.terminated = set()
    self.failure = None

  def stop(self, *_):
    """Tools write a checkpoint and end. Ctrl-C reaches them without us."""
    self.stopping = True

  def terminate(self, *_):
    self.stop()
    self.terminating = True
    self.terminate_running()

  def terminate_running(self):
    """Each but once: of a second signal a tool ends without a checkpoint."""
    for process in set(self.running) - self.terminated:
      self.terminated.add(process)
      os.kill(process.pid, signal.SIGTERM)  # Popen's own would wait for it, and wait() miss it.

  def start(self, step):
    os.makedirs(step.folder, exist_ok=True)
    command = step.command()
    self.started += 1
    print(f"== {self.started}/{self.total}", shlex.join(command), flush=True)
    # One tool may talk to whoever looks on; several would all at once.
    output = open(step.log, "ab") if self.jobs > 1 else None
    process = subprocess.Popen(command, stdout=output, stderr=output)
    self.running[process] = (step, time.monotonic())
    if output is not None:
      output.close()
    if self.terminating:  # Since before it was among the running ones.
      self.terminate_running()

  def finish(self, process, status, usage):
    step, began = self.running.pop(process)
    step.add_seconds(usage.ru_utime + usage.ru_stime)
    if status == STOPPED:
      self.stop()
      self.failure = (STOPPED, f"stopped; {step.tool} goes on in {step.folder} when it is started again")
    elif status != 0 or not step.done():
      self.failure = (1, f"{step.tool} failed in {step.folder} (status {status}){self.last_words(step)}")
      self.terminate()
    elif self.jobs > 1:
      print(f"-- {step.folder}: done in {time.monotonic() - began:.0f} s", flush=True)

  def last_words(self, step):
    if self.jobs == 1:
      return ""
    with open(step.log, "rb") as file:
      lines = file.read().decode(errors="replace").split("\n")
    return "".join(f": {line}" for line in lines[-2:-1])

  def wait(self):
    pid, status, usage = os.wait4(-1, 0)
    process = next(process for process in self.running if process.pid == pid)
    process.returncode = os.waitstatus_to_exitcode(status)  # Popen need not wait for it.
    self.finish(process, process.returncode, usage)

  def run(self):
    while self.running or (self.waiting and not self.stopping):
      ready = [step for step in self.waiting if all(need.done() for need in step.needs)]
      while ready and len(self.running) < self.jobs and not self.stopping:
        self.waiting.remove(ready[0])
        self.start(ready.pop(0))
      if self.running:
        self.wait()
    if self.failure is not None:
      status, text = self.failure
      print(f"compare: {text}", file=sys.stderr)
      sys.exit(status)
    if self.stopping:
      sys.exit(STOPPED)


def run(steps, jobs):
  """Runs what has no result yet; stopped or failed, says so in one line and exits."""
  runner = _Runner(steps, jobs)
  before = [(number, signal.signal(number, handler))
            for number, handler in ((signal.SIGINT, runner.stop), (signal.SIGTERM, runner.terminate))]
  try:
    runner.run()
  finally:
    for number, handler in before:
      signal.signal(number, handler)


def dry_run(steps, stand_in):
  """Has every tool check its flags and files, and say what it would do; alike commands but once."""
  seen = set()
  for step in steps:
    command = step.dry_command(stand_in)
    if command is None:
      continue
    key = tuple(word for word in command if not word.startswith(("--run=", "--seed=")))
    if key in seen:
      continue
    seen.add(key)
    print("==", shlex.join(command), flush=True)
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status != 0:
      sys.exit(f"compare: {step.tool} would fail (status {status})")
