#!/usr/bin/env python3
r"""Trains every method on one data set and prints one table.

    bazel run //tools:compare -- --train_data=$PWD/shards/train --test_data=$PWD/shards/test \
        --output=$PWD/runs/compare --preset=quickstart --seeds=2,3 --search_epochs=3 --train_epochs=10

Methods: SubNet (PC-DARTS in float); on its genotype PTQ, FBQAT at 2, 3 and 4 bits, QSubNet, bits by sensitivity, and
random bits; QDARTS among bits {2,4} and {2,4,8}; a random architecture with random bits, without which no search has
shown anything. With --network=resnet18 the network is given: in float, PTQ, FBQAT, random bits, sensitivity, and the
differentiable search for bits, all from the weights in float. All searches have one budget, what FBQAT costs at 3
bits, so that accuracies can be compared. With --budget_bits=2.5,3.5 moreover, with the first seed, QDARTS, QSubNet and
a random architecture, or the differentiable search, sensitivity and random bits, on what the float network would cost
at so many bits.

Every step runs an ordinary tool in an ordinary run folder, <output>/seed<seed>/<step>/, and is skipped once its
result is there: started again after a stop, the comparison goes on where it was; --dry_run has every tool check its
flags first. With --jobs=2 two steps run at a time, and what they print goes to <step>.log. Results:
<output>/comparison.{txt,md,json}.

BitOps are those of the cells or quantized convolutions, where the methods differ, with groups divided out and as the
published code counts; memory is that of the whole network, whose stem and classifier are in float. Times are CPU
seconds.
"""

import argparse
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from comparison import methods, steps, tables  # noqa: E402
from reports.command_line import Parser  # noqa: E402

# The presets that search, training and the search for bits have, each with a genotype of its images.
GENOTYPES = {"cifar": "PC_DARTS_cifar", "fashion": "PC_DARTS_cifar", "imagenet": "PC_DARTS_image",
             "quickstart": "PC_DARTS_cifar"}
# Those of networks whose structure is given.
EDMIPS = ("edmips_resnet18", "edmips_resnet50", "edmips_googlenet", "edmips_inception_v3")


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
  parser.add_argument("--network", default="", help="a network whose structure is given, in place of cells: resnet18")
  parser.add_argument("--network_flags", default="", help="what else says which network: --image_size=96")
  parser.add_argument("--preset", default="cifar", choices=(*GENOTYPES, *EDMIPS), help="preset of search and training")
  parser.add_argument("--seeds", default="2,3", type=Numbers(Number(int, 0)), help="seeds; each runs everything")
  parser.add_argument("--search_epochs", type=epochs, default="50")
  parser.add_argument("--train_epochs", type=epochs, default="600")
  parser.add_argument("--search_flags", default="", help="more flags for every search")
  parser.add_argument("--train_flags", default="", help="more flags for every training")
  parser.add_argument("--precision_search_flags", default="", help="more flags for searches of bits alone")
  parser.add_argument("--ptq_methods", default="linear", help="methods of PTQ")
  parser.add_argument("--ptq_sweep", default="8/8,4/4", help="bits of PTQ: outputs/parameters")
  parser.add_argument("--ptq_flags", default="", help="more flags for PTQ")
  parser.add_argument("--budget_bits", default="", type=Numbers(Number(float, 1, 8)),
                      help="further budgets of the searches: what the float network costs at so many bits")
  parser.add_argument("--jobs", type=Number(int, 1, 4096), default="1",
                      help="steps at a time; OMP_NUM_THREADS says how many threads each of them has")
  parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="of every tool")
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
  if options.preset in EDMIPS and not options.network:
    parser.error(f"--preset={options.preset}: is for --network")
  if options.network_flags and not options.network:
    parser.error("--network_flags: is for --network")
  if options.network and options.search_flags:
    parser.error("--search_flags: contradicts --network, whose operations are not searched")
  return options


def stand_in(options):
  """Flags that name a network like one that is still to be found."""
  if not options.network:
    return [f"--architecture={GENOTYPES[options.preset]}"]
  return [*methods.given_network(options), f"--preset={options.preset}"]


def compare(options):
  comparison = methods.Comparison(options)
  plan = comparison.steps()
  if options.dry_run:
    steps.dry_run(plan, stand_in(options))
    print(f"would run {len(plan)} steps in {options.output}")
    return
  steps.run(plan, int(options.jobs))
  tables.report(comparison, options)


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
