#!/usr/bin/env python3
"""compare.py with tools that only pretend: what runs, what is skipped, what the table says."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import compare
from comparison import tables

# Writes what the real tool would, and notes that it ran. Accuracy is a tenth of the seed.
FAKE_TOOL = """#!/usr/bin/env python3
import json, os, sys
name = os.path.basename(sys.argv[0])
flags = dict((f[2:] + "=").split("=")[:2] for f in sys.argv[1:])
log = os.environ["FAKE_LOG"]
budget = flags.get("target_bitops", flags.get("target_compression", ""))
print(name, flags.get("run", flags.get("output")), budget, file=open(log, "a"))
if name == os.environ.get("FAKE_FAILURE"): sys.exit(int(os.environ.get("FAKE_STATUS", 3)))
cost = {"exact_network": {"bit_ops": 2e9, "weight_bytes": 3e3, "activation_bytes": 4e3},
        "exact_cells": {"bit_ops": 1e9}, "published_cells": {"bit_ops_millions": 5}}
def seed_of(path): return int(path.split("seed")[1].split("/")[0])
def result(path):
  seed = seed_of(path)
  step = path.split("/")[-3]
  if "_" in step and step[-1].isdigit(): cost["exact_cells"]["bit_ops"] = 1e9 * (float(step.rsplit("_", 1)[1]) / 32) ** 2
  return {"means": {"accuracy": seed / 10}, "cost": cost}
file = "network.json" if "network" in flags else "architecture.json"
if name in ("search", "precision_search"):
  json.dump({"cost": cost}, open(flags["run"] + "/" + file, "w"))
  json.dump({"kind": "epoch", "epoch": 1, "logits": {"alpha_activ": [[0, seed_of(flags["run"])]]}},
            open(flags["run"] + "/metrics.jsonl", "w"))
elif name == "train":
  open(flags["run"] + "/weights.pt", "w")
  json.dump({"cost": cost}, open(flags["run"] + "/" + file, "w"))
elif name == "evaluate":
  json.dump(result(flags["output"]), open(flags["output"], "w"))
elif name == "ptq":
  entry = dict(result(flags["output"]), method="linear", param_bits=8, forward_bits=8)
  json.dump({"quantized": [entry]}, open(flags["output"], "w"))
"""


# Notes its command line, or fails.
FAKE_DRY_TOOL = """#!/usr/bin/env python3
import os, sys
if os.path.basename(sys.argv[0]) == os.environ.get("FAKE_FAILURE"): sys.exit(3)
print(*sys.argv, file=open(os.environ["FAKE_LOG"], "a"))
"""


class CompareTest(unittest.TestCase):

  def setUp(self):
    self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    self.log = os.path.join(self.folder, "log")
    os.environ["FAKE_LOG"] = self.log
    os.environ.pop("FAKE_FAILURE", None)
    os.environ.pop("FAKE_STATUS", None)
    for tool in ("search", "train", "evaluate", "ptq", "precision_search"):
      path = os.path.join(self.folder, tool)
      with open(path, "w") as file:
        file.write(FAKE_TOOL)
      os.chmod(path, 0o755)

  def compare(self, *flags):
    out = os.path.join(self.folder, "out")
    compare.main(["--train_data=x", "--test_data=y", f"--output={out}", f"--tools={self.folder}",
                  *flags])
    with open(os.path.join(out, "comparison.json")) as file:
      return json.load(file)

  def calls(self):
    if not os.path.exists(self.log):
      return []
    with open(self.log) as file:
      return file.read().splitlines()

  def test_every_method_once_per_seed_and_nothing_twice(self):
    results = self.compare("--seeds=2,4")
    methods = [line["method"] for line in results["summary"]]
    self.assertEqual(methods, ["SubNet 32/32", "PTQ 8/8 linear", "FBQAT 2/2", "FBQAT 3/3", "FBQAT 4/4", "random bits",
                               "sensitivity", "QSubNet", "QDARTS {2,4}", "QDARTS {2,4,8}", "random architecture"])
    accuracy = results["summary"][0]["accuracy"]
    self.assertAlmostEqual(accuracy["mean"], 30)
    self.assertAlmostEqual(accuracy["deviation"], 200 ** 0.5)
    self.assertEqual(results["pareto"], [])
    self.assertEqual([pair["other"] for pair in results["paired"]],
                     ["random architecture", "random bits", "sensitivity", "QSubNet", "FBQAT 3/3"])
    self.assertEqual(results["paired"][0]["mean"], 0)
    self.assertEqual(results["agreement"], {"bits of activations": 1})
    # Per seed: 3 searches of operations and a draw, two of bits and a draw, 10 trainings, each evaluated, and PTQ.
    self.assertEqual(len(self.calls()), 2 * (4 + 3 + 10 + 10 + 1))
    # All searches for bits are on the budget of 3 bits on SubNet's genotype.
    budgets = [call.split()[2:] for call in self.calls() if call.split()[0].endswith("search")]
    self.assertEqual(sorted(budgets), [[]] * 2 + [[str(1024 / 9)]] * 6 + [[f"{1e9 * 9 / 1024:.0f}"]] * 6)
    self.compare("--seeds=2,4")
    self.assertEqual(len(self.calls()), 2 * (4 + 3 + 10 + 10 + 1))

  def costs(self, *budgets):
    """Of three methods each; on the common budget the pretended networks cost what they always do."""
    return [1e9 if bits == 3 else 1e9 * (bits / 32) ** 2 for bits in budgets for _ in range(3)]

  def test_pareto_list_in_order_of_cost(self):
    results = self.compare("--seeds=2,4", "--budget_bits=4,2,3.5")
    points = results["pareto"]
    budgets = [1e9 * (bits / 32) ** 2 for bits in (2, 3, 3.5, 4) for _ in range(3)]
    self.assertEqual([point["target_bit_ops"] for point in points], budgets)
    self.assertEqual([point["bit_ops"] for point in points], self.costs(2, 3, 3.5, 4))
    self.assertEqual([point["method"] for point in points[:3]], ["QDARTS {2,4}", "QSubNet", "random architecture"])
    # All are equally accurate, of the first seed.
    self.assertEqual({point["accuracy"] for point in points}, {20})
    self.assertEqual([point["dominated"] for point in points], 3 * [False] + 9 * [True])
    targets = [call.split()[2] for call in self.calls() if call.split()[0].endswith("search") and call[-1].isdigit()]
    self.assertEqual({f"{budget:.0f}" for budget in budgets} - set(targets), set())

  def test_a_network_that_is_given_has_its_bits_searched_alone(self):
    results = self.compare("--seeds=2,4", "--network=resnet18", "--preset=imagenet", "--budget_bits=2,4,2.5")
    methods = [line["method"] for line in results["summary"]]
    self.assertEqual(methods, ["float 32/32", "PTQ 8/8 linear", "FBQAT 2/2", "FBQAT 3/3", "FBQAT 4/4", "random bits",
                               "sensitivity", "differentiable"])
    self.assertEqual([pair["other"] for pair in results["paired"]], ["random bits", "sensitivity", "FBQAT 3/3"])
    self.assertEqual(results["paired"][0]["method"], "differentiable")
    points = results["pareto"]
    self.assertEqual([point["method"] for point in points], 4 * ["differentiable", "sensitivity", "random bits"])
    self.assertEqual([point["bit_ops"] for point in points], self.costs(2, 2.5, 3, 4))
    # Per seed 7 trainings, each evaluated, 3 choices of bits, PTQ; with the first, 9 choices, trained and evaluated.
    self.assertEqual(len(self.calls()), 2 * (7 + 7 + 3 + 1) + 3 * 9)
    self.assertFalse([call for call in self.calls() if call.startswith("search ")])
    seed = compare.methods.FixedSeed(compare.parse_flags(
        ["--train_data=x", "--test_data=y", "--output=z", "--network=resnet18"]), 2)
    starts = {step.folder: [word for word in step.words if str(word).startswith("--initial_weights=")] for step in seed.steps()}
    self.assertEqual(starts["z/seed2/float"], [])
    for step in ("fbqat2", "random_bits", "differentiable_search", "sensitivity_search"):
      self.assertEqual(starts["z/seed2/" + step], ["--initial_weights=z/seed2/float/weights.pt"])
    budgets = [call.split()[2] for call in self.calls() if call.startswith("precision_search ")]
    self.assertEqual(sorted(set(map(float, budgets))), [64, 1024 / 9, (32 / 2.5) ** 2, 256])

  def test_several_jobs_give_what_one_gives_and_print_into_files(self):
    self.compare("--seeds=2", "--budget_bits=2")
    with open(os.path.join(self.folder, "out", "comparison.md")) as file:
      one = file.read()
    shutil.rmtree(os.path.join(self.folder, "out"))
    self.compare("--seeds=2", "--budget_bits=2", "--jobs=3")
    with open(os.path.join(self.folder, "out", "comparison.md")) as file:
      self.assertEqual(file.read(), one)
    os.remove(os.path.join(self.folder, "out", "seed2", "qdarts24", "weights.pt"))
    with open(os.path.join(self.folder, "train"), "w") as file:
      file.write("#!/bin/sh\necho started\necho train: too hot >&2\nexit 1\n")
    error = io.StringIO()
    with self.assertRaises(SystemExit) as failure, contextlib.redirect_stderr(error):
      self.compare("--seeds=2", "--budget_bits=2", "--jobs=2")
    self.assertEqual(failure.exception.code, 1)
    self.assertRegex(error.getvalue(), r"^compare: train failed in .*/seed2/qdarts24 \(status 1\): train: too hot\n$")

  def test_a_stop_reaches_every_job(self):
    with open(os.path.join(self.folder, "search"), "w") as file:
      file.write("#!/bin/sh\ntrap 'echo stopped >>$FAKE_LOG; exit 75' TERM\necho began >>$FAKE_LOG\n"
                 "while true; do sleep 0.05; done\n")
    command = [compare.__file__, "--train_data=x", "--test_data=y", f"--output={self.folder}/out",
               f"--tools={self.folder}", "--seeds=2,3,4", "--jobs=2"]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while self.calls().count("began") < 2:
      time.sleep(0.01)
    started.terminate()
    _, error = started.communicate()
    self.assertEqual(started.returncode, 75)
    self.assertEqual(sorted(self.calls()), ["began", "began", "stopped", "stopped"])
    self.assertRegex(error.decode(), r"^compare: stopped; search goes on in .* when it is started again\n$")

  def test_goes_on_where_a_tool_failed(self):
    os.environ["FAKE_FAILURE"] = "ptq"
    error = io.StringIO()
    with self.assertRaises(SystemExit), contextlib.redirect_stderr(error):
      self.compare("--seeds=2")
    self.assertIn("ptq failed in", error.getvalue())
    before = len(self.calls())
    del os.environ["FAKE_FAILURE"]
    self.compare("--seeds=2")
    self.assertTrue(self.calls()[before].startswith("ptq "))

  def test_stopped_as_its_tool_was_and_a_refused_one_leaves_its_folder_empty(self):
    os.environ.update(FAKE_FAILURE="search", FAKE_STATUS="75")
    with self.assertRaises(SystemExit) as stopped:
      self.compare("--seeds=2")
    self.assertEqual(stopped.exception.code, 75)
    self.assertEqual(os.listdir(os.path.join(self.folder, "out", "seed2", "subnet_search")), [])

  def test_a_dry_run_leaves_nothing(self):
    out = os.path.join(self.folder, "out")
    with open(os.path.join(self.folder, "search"), "w") as file:
      file.write(FAKE_DRY_TOOL)
    for tool in ("train", "evaluate", "ptq", "precision_search"):
      shutil.copy(os.path.join(self.folder, "search"), os.path.join(self.folder, tool))
    flags = ["--train_data=x", "--test_data=y", f"--output={out}", f"--tools={self.folder}",
             "--dry_run", "--budget_bits=2"]
    compare.main(flags)
    self.assertFalse(os.path.exists(out))
    calls = self.calls()
    # Both seeds alike, and budgets of QDARTS yet unknown: searches in float, among 2 and among 3 bits, and a draw; QSubNet on
    # two budgets and random bits; trainings in float and at each of 3 bits; evaluation; PTQ.
    self.assertEqual(len(calls), 4 + 3 + 4 + 1 + 1)
    self.assertTrue(all("--dry_run" in call for call in calls))
    for call in calls:
      self.assertNotIn(out + "/seed2/subnet_search/architecture.json", call)
    os.environ["FAKE_FAILURE"] = "ptq"
    with self.assertRaises(SystemExit) as failure:
      compare.main(flags)
    self.assertIn("ptq would fail", str(failure.exception))

  def test_a_dry_run_of_a_network_that_is_given_looks_at_its_images(self):
    for tool in ("train", "evaluate", "ptq", "precision_search"):
      with open(os.path.join(self.folder, tool), "w") as file:
        file.write(FAKE_DRY_TOOL)
    compare.main(["--train_data=x", "--test_data=y", f"--output={self.folder}/out", f"--tools={self.folder}", "--dry_run",
                  "--network=inception_v3", "--network_flags=--image_size=75", "--train_flags=--weight_lr=0.1"])
    for call in self.calls():
      self.assertEqual(call.split().count("--image_size=75"), 1)
    evaluation = next(call for call in self.calls() if os.path.basename(call.split()[0]) == "evaluate")
    for flag in ("--network=inception_v3", "--image_size=75", "--preset=cifar"):
      self.assertIn(flag, evaluation.split())
    self.assertNotIn("weight_lr", evaluation)

  def test_every_number_has_a_range_and_flags_have_one_name(self):
    for action in compare.parser_of_flags()._actions:
      self.assertNotIn(action.type, (int, float), action.dest)
    for flag, text in (("--train_epochs=0", "'0' must be a whole number from 1 to 1000000"),
                       ("--search_epochs=nan", "must be a whole number"),
                       ("--budget_bits=2,inf", "'inf' must be a number from 1 to 8"),
                       ("--seeds=2,x", "'x' must be a whole number 0 or more"),
                       ("--seeds=", "there must be one"), ("--preset=edmips_resnet18", "is for --network"),
                       ("--network_flags=--image_size=75", "is for --network"), ("--preset=pcdarts", "choose from"),
                       ("--out=x", "--out: is --output now"), ("--outp=x", "unrecognized")):
      error = io.StringIO()
      with self.assertRaises(SystemExit) as refusal, contextlib.redirect_stderr(error):
        compare.parse_flags(["--train_data=x", "--test_data=y", "--output=z", flag])
      self.assertEqual(refusal.exception.code, 2)
      self.assertIn(text, error.getvalue())
      self.assertEqual(error.getvalue().count("\n"), 1, error.getvalue())

  def test_home_folder_and_full_output(self):
    options = compare.parse_flags(["--train_data=~/x", "--test_data=y", "--output=~/z"])
    self.assertEqual(options.output, os.path.expanduser("~") + "/z")
    with open("/dev/full", "w") as full:
      done = subprocess.run([compare.__file__, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertEqual(done.stderr, b"compare: standard output: No space left on device\n")

  def test_tables(self):
    self.compare("--seeds=2", "--budget_bits=2")
    with open(os.path.join(self.folder, "out", "comparison.txt")) as file:
      methods, pairs, pareto = (table.splitlines() for table in file.read().split("\n\n"))
    self.assertEqual(pairs[0],
                     "QDARTS {2,4} less random architecture, seed by seed: +0.00 ± 0.00 points over 1 seeds")
    for table in (methods, pareto):
      self.assertEqual(len({len(line) for line in table}), 1)
    self.assertRegex(methods[1], r"^SubNet 32/32 +20.00 ± 0.00 +1 +5\.0 +3 +4 +\d+ +\d+$")
    self.assertRegex(pareto[1], r"^ 0\.003906  QDARTS \{2,4\} +0.003906 +\+0.0 +5\.0 +20.00 +no$")
    with open(os.path.join(self.folder, "out", "comparison.md")) as file:
      methods, *_, pareto = (table.splitlines() for table in file.read().split("\n\n"))
    self.assertEqual({line.count("|") for line in methods}, {len(tables.METHOD_HEAD) + 1})
    self.assertEqual({line.count("|") for line in pareto}, {len(tables.BUDGET_HEAD) + 1})


if __name__ == "__main__":
  unittest.main()
