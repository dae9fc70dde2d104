#!/usr/bin/env python3
"""Trains every method on one data set and prints one table.

    bazel run //tools:compare -- --train_data=$PWD/shards/train --test_data=$PWD/shards/test \
        --output=$PWD/runs/compare --preset=quickstart --seeds=2,3 --search_epochs=3 --train_epochs=10

Methods: SubNet (PC-DARTS in float), PTQ of it, FBQAT at 2 and at 4 bits and QSubNet on its genotype, and
QDARTS. With --target_bitops moreover a second table, the Pareto list: a QDARTS search and training for
each budget, with the first seed. Every step runs an ordinary tool in an ordinary run folder,
<output>/seed<seed>/<step>/, and is skipped once its result is there: started again after a stop, the
comparison goes on where it was. Results: <output>/comparison.{txt,md,json}.

BitOps are those of the cells, where the methods differ, with groups divided out and as the published code
counts; memory is that of the whole network, whose stem and classifier are in float.
"""

import argparse
import json
import math
import os
import shlex
import statistics
import subprocess
import sys
import time

ROW = ("method", "accuracy, %", "BitOps, G", "published, M", "weights, KB", "activations, KB",
       "search, s", "train, s")
PARETO_ROW = ("budget, G", "BitOps, G", "off by, %", "published, M", "accuracy, %", "dominated")


class Run:
  """A tool's run in its folder, finished when `result` is there."""

  def __init__(self, options, seed, step):
    self.options = options
    self.seed = seed
    self.folder = os.path.join(options.output, f"seed{seed}", step)

  def path(self, name):
    return os.path.join(self.folder, name)

  def tool(self, name, flags, result, parallel=False):
    """Runs the tool unless the result exists, and adds the seconds it took to seconds.json."""
    if os.path.exists(self.path(result)):
      return self
    os.makedirs(self.folder, exist_ok=True)
    launcher = shlex.split(self.options.launcher) if parallel else []
    command = launcher + [os.path.join(self.options.tools, name)] + flags
    print("==", shlex.join(command), flush=True)
    before = self.seconds()
    start = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    with open(self.path("seconds.json"), "w") as file:
      json.dump(before + time.monotonic() - start, file)
    if status != 0 or not os.path.exists(self.path(result)):
      sys.exit(f"compare: {name} failed in {self.folder} (status {status})")
    return self

  def training(self, name, epochs, data, flags, result):
    options = self.options
    return self.tool(
        name, [f"--preset={options.preset}", f"--run={self.folder}", "--resume=auto",
               f"--seed={self.seed}", f"--epochs={epochs}"] + data + flags, result, parallel=True)

  def seconds(self):
    return self.json("seconds.json") if os.path.exists(self.path("seconds.json")) else 0.0

  def json(self, name):
    with open(self.path(name)) as file:
      return json.load(file)


def search(options, seed, step, flags):
  return Run(options, seed, step).training(
      "search", options.search_epochs, [f"--train_data={options.train_data}"],
      flags + shlex.split(options.search_flags), "architecture.json")


def train(options, seed, step, flags):
  """Trains the network that `flags` describe and measures it."""
  data = [f"--train_data={options.train_data}", f"--test_data={options.test_data}"]
  run = Run(options, seed, step).training("train", options.train_epochs, data,
                                          flags + shlex.split(options.train_flags), "weights.pt")
  evaluation = Run(options, seed, step + "/evaluation")
  evaluation.tool("evaluate", [f"--architecture={run.path('architecture.json')}",
                               f"--weights={run.path('weights.pt')}",
                               f"--test_data={options.test_data}",
                               f"--output={evaluation.path('evaluation.json')}"], "evaluation.json")
  return run, evaluation.json("evaluation.json")


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


def rows_of_seed(options, seed):
  """{method: row}, every run with the same seed."""
  rows = {}
  float_search = search(options, seed, "subnet_search", ["--bits=32"])
  architecture = float_search.path("architecture.json")
  subnet, evaluation = train(options, seed, "subnet", [f"--architecture={architecture}"])
  rows["SubNet 32/32"] = row_of(evaluation, float_search.seconds(), subnet.seconds())

  ptq = Run(options, seed, "ptq")
  ptq.tool("ptq", [f"--architecture={architecture}", f"--weights={subnet.path('weights.pt')}",
                   f"--test_data={options.test_data}", f"--methods={options.ptq_methods}",
                   f"--sweep={options.ptq_sweep}", f"--bn_bits={options.ptq_bn_bits}",
                   f"--calibration_data={options.train_data}",
                   f"--output={ptq.path('ptq.json')}"], "ptq.json")
  for entry in ptq.json("ptq.json")["quantized"]:
    name = f"PTQ {entry['forward_bits']}/{entry['param_bits']} {entry['method']}"
    rows[name] = row_of(entry, float_search.seconds(), subnet.seconds() + ptq.seconds())

  for bits in (2, 4):
    run, evaluation = train(options, seed, f"fbqat{bits}",
                            [f"--architecture={architecture}", f"--abits={bits}", f"--wbits={bits}"])
    rows[f"FBQAT {bits}/{bits}"] = row_of(evaluation, float_search.seconds(), run.seconds())

  bit_search = Run(options, seed, "qsubnet_search").training(
      "precision_search", options.search_epochs, [f"--train_data={options.train_data}"],
      [f"--architecture={architecture}"] + shlex.split(options.precision_search_flags),
      "architecture.json")
  run, evaluation = train(options, seed, "qsubnet",
                          [f"--architecture={bit_search.path('architecture.json')}"])
  rows["QSubNet"] = row_of(evaluation, float_search.seconds() + bit_search.seconds(), run.seconds())

  rows["QDARTS"] = qdarts(options, seed, "qdarts", [])
  return rows


def qdarts(options, seed, step, flags):
  found = search(options, seed, step + "_search", flags)
  run, evaluation = train(options, seed, step, [f"--architecture={found.path('architecture.json')}"])
  return row_of(evaluation, found.seconds(), run.seconds())


def pareto_list(options, seed):
  """A row per budget in order of BitOps; dominated: another one is at most as dear and more accurate."""
  points = [{"target_bit_ops": float(target),
             **qdarts(options, seed, f"qdarts_{target}", [f"--target_bitops={target}"])}
            for target in filter(None, options.target_bitops.split(","))]
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


# Old name: new name, as tools/flags/renamed_flags.cc has it for the other tools.
RENAMED = {"out": "output"}


class Renamed(argparse.Action):
  """Refuses a flag by naming what it is called now."""

  def __call__(self, parser, namespace, values, option_string=None):
    parser.error(f"{option_string}: is --{RENAMED[self.dest]} now")


def parse_flags(arguments):
  parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
  for old in RENAMED:
    parser.add_argument("--" + old, action=Renamed, help=argparse.SUPPRESS)
  parser.add_argument("--train_data", required=True, help="training images")
  parser.add_argument("--test_data", required=True, help="images to compare on")
  parser.add_argument("--output", required=True, help="folder of all runs and of the results")
  parser.add_argument("--preset", default="cifar", help="preset of search and training")
  parser.add_argument("--seeds", default="2,3", help="seeds; each runs everything")
  parser.add_argument("--search_epochs", type=int, default=50)
  parser.add_argument("--train_epochs", type=int, default=600)
  parser.add_argument("--search_flags", default="", help="more flags for every search")
  parser.add_argument("--train_flags", default="", help="more flags for every training")
  parser.add_argument("--precision_search_flags", default="", help="more flags for QSubNet's search")
  parser.add_argument("--ptq_methods", default="linear", help="methods of PTQ")
  parser.add_argument("--ptq_sweep", default="8/8,4/4", help="bits of PTQ: outputs/parameters")
  parser.add_argument("--ptq_bn_bits", type=int, default=12)
  parser.add_argument("--target_bitops", default="", help="budgets of the Pareto list")
  parser.add_argument("--launcher", default="", help="what runs searches and trainings: 'mpirun -np 2'")
  parser.add_argument("--tools", default=os.path.dirname(os.path.abspath(__file__)),
                      help="folder of the tools' binaries")
  return parser.parse_args(arguments)


def main(arguments):
  options = parse_flags(arguments)
  seeds = options.seeds.split(",")
  rows_by_seed = {seed: rows_of_seed(options, seed) for seed in seeds}
  summary = summarize(rows_by_seed)
  pareto = pareto_list(options, seeds[0])
  results = {"options": vars(options), "rows": rows_by_seed, "summary": summary, "pareto": pareto}
  write(os.path.join(options.output, "comparison.json"), json.dumps(results, indent=1) + "\n")
  tables = [[ROW] + [cells_of_method(line) for line in summary]]
  if pareto:
    tables.append([PARETO_ROW] + [cells_of_point(point) for point in pareto])
  write(os.path.join(options.output, "comparison.md"), "\n".join(map(markdown_table, tables)))
  text = "\n".join(map(text_table, tables))
  write(os.path.join(options.output, "comparison.txt"), text)
  print(text, end="")


if __name__ == "__main__":
  main(sys.argv[1:])
