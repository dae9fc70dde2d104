#!/usr/bin/env python3
r"""Trains every method on one data set and prints one table.

    bazel run //tools:compare -- --train_data=$PWD/shards/train --test_data=$PWD/shards/test \
        --output=$PWD/runs/compare --preset=quickstart --seeds=2,3 --search_epochs=3 --train_epochs=10

Methods: SubNet (PC-DARTS in float), PTQ of it, FBQAT at 2 and at 4 bits and QSubNet on its genotype,
QDARTS, and a random architecture with random bits on QDARTS's BitOps, without which no search has shown
anything. With --target_bitops moreover a second table, the Pareto list: a QDARTS search and training for
each budget, and a random network's training, with the first seed. Every step runs an ordinary tool in an
ordinary run folder, <output>/seed<seed>/<step>/, and is skipped once its result is there: started again
after a stop, the comparison goes on where it was; --dry_run has every tool check its flags first. Results:
<output>/comparison.{txt,md,json}.

BitOps are those of the cells, where the methods differ, with groups divided out and as the published code
counts; memory is that of the whole network, whose stem and classifier are in float.
"""

import argparse
import json
import math
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from reports.command_line import Parser  # noqa: E402

ROW = ("method", "accuracy, %", "BitOps, G", "published, M", "weights, KB", "activations, KB",
       "search, s", "train, s")
# The presets that search, training and the search for bits have, each with a genotype of its images.
GENOTYPES = {"cifar": "PC_DARTS_cifar", "fashion": "PC_DARTS_cifar", "imagenet": "PC_DARTS_image",
             "quickstart": "PC_DARTS_cifar"}
FIXED_BITS = (2, 4)
PARETO_ROW = ("budget, G", "BitOps, G", "off by, %", "published, M", "accuracy, %", "random, %", "dominated")


STOPPED = 75  # The exit status of a tool that a signal stopped, after a checkpoint.


def run(command):
  """The exit status. Ctrl-C is for the tool alone, which writes a checkpoint first."""
  before = signal.signal(signal.SIGINT, signal.SIG_IGN)
  try:
    return subprocess.run(command, check=False,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, before)).returncode
  finally:
    signal.signal(signal.SIGINT, before)


class Step:
  """A tool's run in its folder, finished when `result` is there."""

  def __init__(self, options, seed, name, tool, flags, result, parallel=False):
    self.folder = folder_of(options, seed, name)
    launcher = shlex.split(options.launcher) if parallel else []
    self.words = launcher + [os.path.join(options.tools, tool)] + flags
    self.tool = tool
    self.result = os.path.join(self.folder, result)

  def run(self):
    """Runs the tool unless the result exists, and adds the seconds it took to seconds.json."""
    if os.path.exists(self.result):
      return
    os.makedirs(self.folder, exist_ok=True)
    command = [word() if callable(word) else word for word in self.words]
    print("==", shlex.join(command), flush=True)
    before = seconds_of(self.folder)
    start = time.monotonic()
    status = run(command)
    if os.listdir(self.folder):  # A run that was refused leaves its folder empty: it stays so.
      with open(os.path.join(self.folder, "seconds.json"), "w") as file:
        json.dump(before + time.monotonic() - start, file)
    if status == STOPPED:
      print(f"compare: stopped; {self.tool} goes on in {self.folder} when it is started again", file=sys.stderr)
      sys.exit(STOPPED)
    if status != 0 or not os.path.exists(self.result):
      sys.exit(f"compare: {self.tool} failed in {self.folder} (status {status})")

  def dry_command(self, genotype):
    """The command with --dry_run, a published genotype in place of an architecture still to be found, and
    without what only an earlier step's result tells."""
    command = []
    for word in self.words:
      if callable(word):
        continue
      name, _, path = word.partition("=")
      if os.path.exists(path) or name not in ("--architecture", "--weights", "--output"):
        command.append(word)
      elif name == "--architecture":
        command.append(f"{name}={genotype}")
    return command + ["--dry_run"]


def folder_of(options, seed, name):
  return os.path.join(options.output, f"seed{seed}", name)


def read_json(*path):
  with open(os.path.join(*path)) as file:
    return json.load(file)


def seconds_of(folder):
  return read_json(folder, "seconds.json") if os.path.exists(os.path.join(folder, "seconds.json")) else 0.0


def training(options, seed, name, tool, epochs, flags, result):
  run = [f"--preset={options.preset}", f"--run={folder_of(options, seed, name)}", "--resume=auto",
         f"--seed={seed}", f"--epochs={epochs}", f"--train_data={options.train_data}"]
  return Step(options, seed, name, tool, run + flags, result, parallel=True)


def search(options, seed, name, flags):
  return training(options, seed, name, "search", options.search_epochs,
                  flags + shlex.split(options.search_flags), "architecture.json")


def train(options, seed, name, flags):
  """Trains the network that `flags` describe and measures it."""
  run = training(options, seed, name, "train", options.train_epochs,
                 [f"--test_data={options.test_data}"] + flags + shlex.split(options.train_flags),
                 "weights.pt")
  folder = folder_of(options, seed, name + "/evaluation")
  return [run, Step(options, seed, name + "/evaluation", "evaluate",
                    [f"--architecture={run.folder}/architecture.json",
                     f"--weights={run.result}", f"--test_data={options.test_data}",
                     f"--output={folder}/evaluation.json"], "evaluation.json")]


def qdarts(options, seed, name, flags):
  found = search(options, seed, name + "_search", flags)
  return [found] + train(options, seed, name, [f"--architecture={found.result}"])


def random(options, seed, name, target):
  """Trains what `search` draws and does not search; `target`: a flag, or a function that returns it."""
  return qdarts(options, seed, name, ["--random", target])


def bit_ops_of(path):
  return read_json(path)["cost"]["exact_cells"]["bit_ops"]


def steps_of_seed(options, seed):
  """Every method with one seed, in an order in which each step finds the files it needs."""
  float_search = search(options, seed, "subnet_search", ["--bits=32"])
  architecture = f"--architecture={float_search.result}"
  subnet = train(options, seed, "subnet", [architecture])
  ptq = Step(options, seed, "ptq", "ptq",
             [architecture, f"--weights={subnet[0].result}", f"--test_data={options.test_data}",
              f"--methods={options.ptq_methods}", f"--sweep={options.ptq_sweep}",
              f"--bn_bits={options.ptq_bn_bits}", f"--calibration_data={options.train_data}",
              f"--output={folder_of(options, seed, 'ptq')}/ptq.json"], "ptq.json")
  fixed = [train(options, seed, f"fbqat{bits}", [architecture, f"--abits={bits}", f"--wbits={bits}"])
           for bits in FIXED_BITS]
  bit_search = training(options, seed, "qsubnet_search", "precision_search", options.search_epochs,
                        [architecture] + shlex.split(options.precision_search_flags),
                        "architecture.json")
  found = qdarts(options, seed, "qdarts", [])
  return ([float_search] + subnet + [ptq] + sum(fixed, []) + [bit_search] +
          train(options, seed, "qsubnet", [f"--architecture={bit_search.result}"]) +
          found + random(options, seed, "random",
                         lambda: f"--target_bitops={bit_ops_of(found[0].result)}"))


def steps_of_target(options, seed, target):
  return (qdarts(options, seed, f"qdarts_{target}", [f"--target_bitops={target}"]) +
          random(options, seed, f"random_{target}", f"--target_bitops={target}"))


def row_of(evaluation, search_seconds, train_seconds):
  cost = evaluation["cost"]
  exact = cost["exact_network"]
  return {
      "accuracy": 100 * evaluation["means"]["accuracy"],
      "bit_ops": cost["exact_cells"]["bit_ops"],
      "published_bit_ops_millions": cost["published_cells"]["bit_ops_millions"],
      "network_bit_ops": exact["bit_ops"],
      "weight_bytes": exact["weight_bytes"],
      "activation_bytes": exact["activation_bytes"],
      "search_seconds": search_seconds,
      "train_seconds": train_seconds,
  }


def row_of_training(options, seed, name, search_seconds):
  folder = folder_of(options, seed, name)
  return row_of(read_json(folder, "evaluation/evaluation.json"), search_seconds, seconds_of(folder))


def rows_of_seed(options, seed):
  """{method: row} from the results of steps_of_seed."""
  def seconds(name):
    return seconds_of(folder_of(options, seed, name))
  float_seconds = seconds("subnet_search")
  rows = {"SubNet 32/32": row_of_training(options, seed, "subnet", float_seconds)}
  for entry in read_json(folder_of(options, seed, "ptq"), "ptq.json")["quantized"]:
    name = f"PTQ {entry['forward_bits']}/{entry['param_bits']} {entry['method']}"
    rows[name] = row_of(entry, float_seconds, seconds("subnet") + seconds("ptq"))
  for bits in FIXED_BITS:
    rows[f"FBQAT {bits}/{bits}"] = row_of_training(options, seed, f"fbqat{bits}", float_seconds)
  rows["QSubNet"] = row_of_training(options, seed, "qsubnet",
                                    float_seconds + seconds("qsubnet_search"))
  rows["QDARTS"] = row_of_training(options, seed, "qdarts", seconds("qdarts_search"))
  rows["random"] = row_of_training(options, seed, "random", seconds("random_search"))
  return rows


def pareto_list(options, seed):
  """A row per budget in order of BitOps; dominated: another one is at most as dear and more accurate."""
  points = []
  for target in options.target_bitops:
    search_seconds = seconds_of(folder_of(options, seed, f"qdarts_{target}_search"))
    random_row = row_of_training(options, seed, f"random_{target}", 0.0)
    points.append({"target_bit_ops": float(target), "random_accuracy": random_row["accuracy"],
                   **row_of_training(options, seed, f"qdarts_{target}", search_seconds)})
  points.sort(key=lambda point: (point["bit_ops"], -point["accuracy"]))
  best = -math.inf
  for point in points:
    point["dominated"] = point["accuracy"] <= best
    best = max(best, point["accuracy"])
  return points


def summarize(rows_by_seed):
  """[{"method", field: {"mean", "deviation"}}], deviations with n - 1."""
  summary = []
  for method in next(iter(rows_by_seed.values())):
    rows = [rows[method] for rows in rows_by_seed.values()]
    line = {"method": method}
    for field in rows[0]:
      values = [row[field] for row in rows]
      line[field] = {"mean": statistics.mean(values),
                     "deviation": statistics.stdev(values) if len(values) > 1 else 0.0}
    summary.append(line)
  return summary


def paired(rows_by_seed, method, other):
  """How much more accurate a method is, seed by seed: what a paired t-test is made of."""
  differences = [rows[method]["accuracy"] - rows[other]["accuracy"] for rows in rows_by_seed.values()]
  mean = statistics.mean(differences)
  deviation = statistics.stdev(differences) if len(differences) > 1 else 0.0
  t = mean / (deviation / math.sqrt(len(differences))) if deviation else None
  return {"method": method, "other": other, "mean": mean, "deviation": deviation, "t": t}


def text_of_pair(pair, seeds):
  t = f", t = {pair['t']:.2f}" if pair["t"] is not None else ""
  return (f"{pair['method']} less {pair['other']}, seed by seed: {pair['mean']:+.2f} ± {pair['deviation']:.2f} "
          f"points over {seeds} seeds{t}\n")


def cells_of_method(line):
  def mean(field, scale=1.0):
    return line[field]["mean"] * scale
  return (line["method"],
          f"{mean('accuracy'):.2f} ± {line['accuracy']['deviation']:.2f}",
          f"{mean('bit_ops', 1e-9):.4g}", f"{mean('published_bit_ops_millions'):,.1f}",
          f"{mean('weight_bytes', 1e-3):.4g}", f"{mean('activation_bytes', 1e-3):.4g}",
          f"{mean('search_seconds'):.0f}", f"{mean('train_seconds'):.0f}")


def cells_of_point(point):
  target = point["target_bit_ops"]
  return (f"{target * 1e-9:.4g}", f"{point['bit_ops'] * 1e-9:.4g}",
          f"{100 * (point['bit_ops'] / target - 1):+.1f}",
          f"{point['published_bit_ops_millions']:,.1f}", f"{point['accuracy']:.2f}",
          f"{point['random_accuracy']:.2f}",
          "yes" if point["dominated"] else "no")


def text_table(lines):
  widths = [max(map(len, column)) for column in zip(*lines)]
  return "".join(
      "  ".join([line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])]) +
      "\n" for line in lines)


def markdown_table(lines):
  rule = ("---",) + ("---:",) * (len(lines[0]) - 1)
  return "".join("| " + " | ".join(line) + " |\n" for line in [lines[0], rule] + lines[1:])


def write(path, text):
  with open(path + ".tmp", "w") as file:
    file.write(text)
  os.replace(path + ".tmp", path)


def dry_run(steps, genotype):
  """Has every tool check its flags and files, and say what it would do; alike commands but once."""
  seen = set()
  for step in steps:
    command = step.dry_command(genotype)
    key = tuple(word for word in command if not word.startswith(("--run=", "--seed=")))
    if key in seen:
      continue
    seen.add(key)
    print("==", shlex.join(command), flush=True)
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status != 0:
      sys.exit(f"compare: {step.tool} would fail (status {status})")
  print(f"would run {len(steps)} steps in {os.path.dirname(os.path.dirname(steps[0].folder))}")


class Number:
  """A number in a range, as a type of argparse; its text is kept."""

  def __init__(self, convert, least, most=math.inf):
    self.convert, self.least, self.most = convert, least, most

  def __call__(self, text):
    kind = "a whole number" if self.convert is int else "a number"
    bounds = f"{self.least} or more" if self.most == math.inf else f"from {self.least} to {self.most}"
    try:
      value = self.convert(text)
    except ValueError:
      value = math.nan
    if not math.isfinite(value) or not self.least <= value <= self.most:
      raise argparse.ArgumentTypeError(f"{text!r} must be {kind} {bounds}")
    return text


class Numbers:
  """Several, with commas between."""

  def __init__(self, number):
    self.number = number

  def __call__(self, text):
    return [self.number(part) for part in text.split(",")] if text else []


# Old name: new name, as tools/flags/renamed_flags.cc has it for the other tools.
RENAMED = {"out": "output"}


class Renamed(argparse.Action):
  """Refuses a flag by naming what it is called now."""

  def __call__(self, parser, namespace, values, option_string=None):
    parser.error(f"{option_string}: is --{RENAMED[self.dest]} now")


def parser_of_flags():
  parser = Parser("compare", __doc__)
  for old in RENAMED:
    parser.add_argument("--" + old, action=Renamed, help=argparse.SUPPRESS)
  path = os.path.expanduser
  epochs = Number(int, 1, 10**6)
  parser.add_argument("--train_data", required=True, type=path, help="training images")
  parser.add_argument("--test_data", required=True, type=path, help="images to compare on")
  parser.add_argument("--output", required=True, type=path, help="folder of all runs and of the results")
  parser.add_argument("--preset", default="cifar", choices=GENOTYPES, help="preset of search and training")
  parser.add_argument("--seeds", default="2,3", type=Numbers(Number(int, 0)), help="seeds; each runs everything")
  parser.add_argument("--search_epochs", type=epochs, default="50")
  parser.add_argument("--train_epochs", type=epochs, default="600")
  parser.add_argument("--search_flags", default="", help="more flags for every search")
  parser.add_argument("--train_flags", default="", help="more flags for every training")
  parser.add_argument("--precision_search_flags", default="", help="more flags for QSubNet's search")
  parser.add_argument("--ptq_methods", default="linear", help="methods of PTQ")
  parser.add_argument("--ptq_sweep", default="8/8,4/4", help="bits of PTQ: outputs/parameters")
  parser.add_argument("--ptq_bn_bits", type=Number(int, 1, 32), default="12")
  parser.add_argument("--target_bitops", default="", type=Numbers(Number(float, 1)),
                      help="budgets of the Pareto list")
  parser.add_argument("--launcher", default="", help="what runs searches and trainings: 'mpirun -np 2'")
  parser.add_argument("--tools", default=os.path.dirname(os.path.abspath(__file__)), type=path,
                      help="folder of the tools' binaries")
  parser.add_argument("--dry_run", action="store_true",
                      help="have every tool check what it can, and run nothing")
  return parser


def parse_flags(arguments):
  parser = parser_of_flags()
  options = parser.parse_args(arguments)
  if not options.seeds:
    parser.error("--seeds: there must be one")
  return options


def compare(options):
  steps = [step for seed in options.seeds for step in steps_of_seed(options, seed)]
  for target in options.target_bitops:
    steps += steps_of_target(options, options.seeds[0], target)
  if options.dry_run:
    dry_run(steps, GENOTYPES[options.preset])
    return
  for step in steps:
    step.run()
  rows_by_seed = {seed: rows_of_seed(options, seed) for seed in options.seeds}
  summary = summarize(rows_by_seed)
  pareto = pareto_list(options, options.seeds[0])
  pair = paired(rows_by_seed, "QDARTS", "random")
  results = {"options": vars(options), "rows": rows_by_seed, "summary": summary, "paired": [pair],
             "pareto": pareto}
  write(os.path.join(options.output, "comparison.json"), json.dumps(results, indent=1) + "\n")
  tables = [[ROW] + [cells_of_method(line) for line in summary]]
  if pareto:
    tables.append([PARETO_ROW] + [cells_of_point(point) for point in pareto])
  note = text_of_pair(pair, len(rows_by_seed))
  def document(table):
    return "\n".join([table(tables[0]), note] + [table(lines) for lines in tables[1:]])
  write(os.path.join(options.output, "comparison.md"), document(markdown_table))
  text = document(text_table)
  write(os.path.join(options.output, "comparison.txt"), text)
  print(text, end="")


def main(arguments):
  sys.stdout.reconfigure(errors="backslashreplace")  # Names need not be UTF-8.
  try:
    try:
      compare(parse_flags(arguments))
    finally:
      sys.stdout.flush()
  except OSError as error:
    if error.filename is not None:
      sys.exit(f"compare: {error.filename}: {error.strerror}")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Nothing is flushed once more.
    sys.exit(f"compare: standard output: {error.strerror}")


if __name__ == "__main__":
  main(sys.argv[1:])
