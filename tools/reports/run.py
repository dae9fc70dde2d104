"""A run folder as a report sees it: what is there and, in words, what is missing."""

import datetime
import json
import math
import os

RUN_VERSION = 1  # Of config.json; docs/metrics.md.
ARCHITECTURE_VERSION = 1

SEARCH, PRECISION_SEARCH, TRAINING, UNKNOWN = "search", "precision search", "training", "run"


class ReportError(Exception):
  """One line for the user: what is wrong, and where."""


def is_number(value):
  """Whether it can be drawn: no bool, no NaN, no infinity."""
  return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def dictionary(value):
  return value if isinstance(value, dict) else {}


def read_text(path):
  """The file's text, or None if there is none. What is not UTF-8 is shown as replacement characters."""
  try:
    with open(path, encoding="utf-8", errors="replace") as file:
      return file.read()
  except FileNotFoundError:
    return None
  except OSError as error:
    raise ReportError(f"{path}: {error.strerror}") from None


class Run:
  """One run. `name` tells it from the others on the page; `problems` is what the reader should know."""

  def __init__(self, path):
    self.path = path
    self.name = os.path.basename(os.path.abspath(path))
    self.problems = []
    self.config = self._read_json("config.json", RUN_VERSION)
    self.lines = self._read_lines("metrics.jsonl")
    self.architecture = (self._read_json("architecture.json", ARCHITECTURE_VERSION) or
                         self._read_json("network.json", ARCHITECTURE_VERSION, needed=False))
    self.evaluation = dictionary(self._read_json("evaluation.json", None, needed=False) or
                                 self._read_json("evaluation/evaluation.json", None, needed=False))
    self.bad_samples = self._read_lines("bad_samples.jsonl", needed=False)
    self.bits = None  # Filled by choices.py.
    self._check()

  # --- reading

  def _read_json(self, name, version, needed=True):
    path = os.path.join(self.path, name)
    text = read_text(path)
    if text is None:
      if needed and not (name == "architecture.json"):
        self.problems.append(f"{name} is not there")
      return None
    try:
      value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
      self.problems.append(f"{name} is damaged: {error}")
      return None
    if not isinstance(value, dict):
      self.problems.append(f"{name} is damaged: it holds no JSON object")
      return None
    found = value.get("version", 1)
    if version is not None and is_number(found) and found > version:
      raise ReportError(f"{path}: is of version {found}; this report reads version {version}")
    return value

  def _read_lines(self, name, needed=True):
    text = read_text(os.path.join(self.path, name))
    if text is None:
      if needed:
        self.problems.append(f"{name} is not there: no curves")
      return []
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
      if not line.strip():
        continue
      try:
        value = json.loads(line)
      except (json.JSONDecodeError, RecursionError):
        value = None
      if isinstance(value, dict):
        lines.append(value)
      elif number == text.count("\n") + 1:
        self.problems.append(f"{name} ends in half a line, which is left out")
      else:
        self.problems.append(f"line {number} of {name} is damaged and left out")
    return lines

  def _check(self):
    if not self.lines and self.config is None and self.architecture is None:
      raise ReportError(f"{self.path}: is no run: it has no readable config.json, metrics.jsonl or "
                        "architecture.json")
    if self.lines and not self.of_kind("epoch"):
      self.problems.append("no epoch is finished: curves by epoch are empty")
    for field in ("loss", "search_loss"):
      bad = next((line for line in self.lines if field in line and not is_number(line[field])), None)
      if bad:
        self.problems.append(f"{field} is no finite number from step {bad.get('global_step', '?')} on "
                             f"(epoch {bad.get('epoch', '?')})")
    if self.kind == SEARCH and self.architecture is None:
      self.problems.append("architecture.json is not there: the search is not finished, and what is "
                           "shown is its last finished epoch's choice")
    elif self.kind != SEARCH and self.architecture is None and self.embedded_architecture() is None:
      self.problems.append("there is no architecture: no cells, no costs")
    if self.unfinished_epochs():
      self.problems.append(f"{self.epochs_done} of {self.epochs} epochs are finished; last heard of "
                           f"{self.last_time or 'at a time that was not noted'}")

  # --- what it is

  @property
  def task(self):
    """What decides the result, as the task says."""
    return dictionary(dictionary(dictionary(self.config).get("identity")).get("config"))

  @property
  def identity(self):
    return dictionary(dictionary(self.config).get("identity"))

  @property
  def kind(self):
    if "supernet" in self.task:
      return SEARCH
    if "bits" in self.task:
      return PRECISION_SEARCH
    if "architecture" in self.task:
      return TRAINING
    if any("search_loss" in line or "genotype" in line for line in self.lines):
      return SEARCH
    return TRAINING if self.lines else UNKNOWN

  def embedded_architecture(self):
    """The one that a training or precision search started from, out of config.json."""
    text = self.task.get("architecture")
    try:
      value = json.loads(text) if isinstance(text, str) else text
    except json.JSONDecodeError:
      return None
    return value if isinstance(value, dict) else None

  def any_architecture(self):
    return self.architecture or self.embedded_architecture()

  # --- how far it is

  def of_kind(self, kind):
    return [line for line in self.lines if line.get("kind") == kind]

  @property
  def start(self):
    """The line of the start, or None in runs of older builds."""
    lines = self.of_kind("start")
    return lines[-1] if lines else None

  def epoch_lines(self):
    """{epoch: its last line}, in order."""
    lines = {line["epoch"]: line for line in self.of_kind("epoch") if is_number(line.get("epoch"))}
    return dict(sorted(lines.items()))

  def history(self):
    """[(epoch, line)], from the start (epoch 0) if it was recorded."""
    begin = [(0, self.start)] if self.start else []
    return begin + list(self.epoch_lines().items())

  @property
  def epochs(self):
    value = self.identity.get("epochs")
    return value if is_number(value) else None

  @property
  def epochs_done(self):
    return max(self.epoch_lines(), default=0)

  def unfinished_epochs(self):
    return self.lines and self.epochs is not None and self.epochs_done < self.epochs

  @property
  def last_time(self):
    """When the last line was written."""
    times = [line["time"] for line in self.lines if is_number(line.get("time"))]
    if not times:
      return None
    try:
      return datetime.datetime.fromtimestamp(times[-1], datetime.timezone.utc).strftime(
          "%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
      return None

  def state(self):
    if not self.lines:
      return "nothing recorded"
    if self.unfinished_epochs():
      return f"{self.epochs_done} of {self.epochs} epochs"
    return f"finished, {self.epochs_done} epochs" if self.epochs else f"{self.epochs_done} epochs"

  def steps_per_epoch(self):
    for epoch, line in self.epoch_lines().items():
      if is_number(line.get("global_step")) and epoch > 0:
        return line["global_step"] / epoch
    return None

  # --- series: [(epoch, value)]

  def epoch_series(self, field, kind="epoch"):
    lines = {line["epoch"]: line.get(field) for line in self.of_kind(kind)
             if is_number(line.get("epoch"))}
    return [(epoch, value) for epoch, value in sorted(lines.items()) if is_number(value)]

  def step_series(self, field):
    """By the epoch as a fraction, from the lines between epochs; by the step while none is finished."""
    steps = self.steps_per_epoch() or 1
    return [(line["global_step"] / steps, line[field]) for line in self.of_kind("train")
            if is_number(line.get("global_step")) and is_number(line.get(field))]


def name_runs(runs):
  """Gives runs of the same folder name the parts of their paths that tell them apart."""
  paths = {run: os.path.abspath(run.path).split(os.sep) for run in runs}
  for run in runs:
    length = 1
    others = [paths[other] for other in runs if other is not run and paths[other] != paths[run]]
    while length < len(paths[run]) and any(o[-length:] == paths[run][-length:] for o in others):
      length += 1
    run.name = "/".join(paths[run][-length:])
