#!/usr/bin/env python3
"""compare.py with tools that only pretend: what runs, what is skipped, what the table says."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import compare

# Writes what the real tool would, and notes that it ran. Accuracy is a tenth of the seed.
FAKE_TOOL = """#!/usr/bin/env python3
import json, os, sys
name = os.path.basename(sys.argv[0])
flags = dict((f[2:] + "=").split("=")[:2] for f in sys.argv[1:])
log = os.environ["FAKE_LOG"]
print(name, flags.get("run", flags.get("output")), flags.get("target_bitops", ""), file=open(log, "a"))
if name == os.environ.get("FAKE_FAILURE"): sys.exit(int(os.environ.get("FAKE_STATUS", 3)))
cost = {"exact_network": {"bit_ops": 2e9, "weight_bytes": 3e3, "activation_bytes": 4e3},
        "exact_cells": {"bit_ops": 1e9}, "published_cells": {"bit_ops_millions": 5}}
def result(path):
  seed = int(path.split("seed")[1].split("/")[0])
  step = path.split("/")[-3]
  if step.startswith("qdarts_"): cost["exact_cells"]["bit_ops"] = float(step[len("qdarts_"):])
  return {"means": {"accuracy": seed / 10}, "cost": cost}
if name in ("search", "precision_search"):
  json.dump({"cost": cost}, open(flags["run"] + "/architecture.json", "w"))
elif name == "train":
  open(flags["run"] + "/weights.pt", "w")
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
    self.assertEqual(methods, ["SubNet 32/32", "PTQ 8/8 linear", "FBQAT 2/2", "FBQAT 4/4", "QSubNet",
                               "QDARTS", "random"])
    accuracy = results["summary"][0]["accuracy"]
    self.assertAlmostEqual(accuracy["mean"], 30)
    self.assertAlmostEqual(accuracy["deviation"], 200 ** 0.5)
    self.assertEqual(results["pareto"], [])
    self.assertEqual(results["paired"][0]["mean"], 0)
    # Per seed: 2 searches of operations and a draw, one of bits, 6 trainings, each evaluated, and PTQ.
    self.assertEqual(len(self.calls()), 2 * (3 + 1 + 6 + 6 + 1))
    # The draw is on the budget of what the search found.
    draws = [call for call in self.calls() if "random_search" in call]
    self.assertEqual([call.split()[-1] for call in draws], ["1000000000.0"] * 2)
    self.compare("--seeds=2,4")
    self.assertEqual(len(self.calls()), 2 * (3 + 1 + 6 + 6 + 1))

  def test_pareto_list_in_order_of_cost(self):
    results = self.compare("--seeds=2,4", "--target_bitops=3e9,1e9,2e9")
    points = results["pareto"]
    self.assertEqual([point["target_bit_ops"] for point in points], [1e9, 2e9, 3e9])
    self.assertEqual([point["bit_ops"] for point in points], [1e9, 2e9, 3e9])
    # All are equally accurate, of the first seed.
    self.assertEqual([point["accuracy"] for point in points], [20, 20, 20])
    self.assertEqual([point["dominated"] for point in points], [False, True, True])
    self.assertEqual([point["random_accuracy"] for point in points], [20, 20, 20])
    self.assertEqual(sum(call.endswith("e9") for call in self.calls()), 6)

  def test_goes_on_where_a_tool_failed(self):
    os.environ["FAKE_FAILURE"] = "ptq"
    with self.assertRaises(SystemExit) as failure:
      self.compare("--seeds=2")
    self.assertIn("ptq failed in", str(failure.exception))
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
             "--dry_run", "--target_bitops=1e9"]
    compare.main(flags)
    self.assertFalse(os.path.exists(out))
    calls = self.calls()
    # Both seeds alike: 3 searches, 2 draws, one search of bits; 7 trainings, of which 3 have the same flags; evaluation; PTQ.
    self.assertEqual(len(calls), 5 + 1 + 3 + 1 + 1)
    self.assertTrue(all("--dry_run" in call for call in calls))
    for call in calls:
      self.assertNotIn(out + "/seed2/subnet_search/architecture.json", call)
    os.environ["FAKE_FAILURE"] = "ptq"
    with self.assertRaises(SystemExit) as failure:
      compare.main(flags)
    self.assertIn("ptq would fail", str(failure.exception))

  def test_every_number_has_a_range_and_flags_have_one_name(self):
    for action in compare.parser_of_flags()._actions:
      self.assertNotIn(action.type, (int, float), action.dest)
    for flag, text in (("--train_epochs=0", "'0' must be a whole number from 1 to 1000000"),
                       ("--search_epochs=nan", "must be a whole number"),
                       ("--ptq_bn_bits=33", "must be a whole number from 1 to 32"),
                       ("--target_bitops=1e9,inf", "'inf' must be a number 1 or more"),
                       ("--seeds=2,x", "'x' must be a whole number 0 or more"),
                       ("--seeds=", "there must be one"), ("--preset=pcdarts", "choose from"),
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
    self.compare("--seeds=2", "--target_bitops=1e9")
    with open(os.path.join(self.folder, "out", "comparison.txt")) as file:
      methods, pair, pareto = (table.splitlines() for table in file.read().split("\n\n"))
    self.assertEqual(pair, ["QDARTS less random, seed by seed: +0.00 ± 0.00 points over 1 seeds"])
    for table in (methods, pareto):
      self.assertEqual(len({len(line) for line in table}), 1)
    self.assertRegex(methods[1], r"^SubNet 32/32 +20.00 ± 0.00 +1 +5\.0 +3 +4 +\d+ +\d+$")
    self.assertRegex(pareto[1], r"^1 +1 +\+0.0 +5\.0 +20.00 +20.00 +no$")
    with open(os.path.join(self.folder, "out", "comparison.md")) as file:
      methods, _, pareto = (table.splitlines() for table in file.read().split("\n\n"))
    self.assertEqual({line.count("|") for line in methods}, {len(compare.ROW) + 1})
    self.assertEqual({line.count("|") for line in pareto}, {len(compare.PARETO_ROW) + 1})


if __name__ == "__main__":
  unittest.main()
