#!/usr/bin/env python3
"""Reports of what the real tools write: a search, one that was cut short, a training, a precision search."""

import json
import os
import shutil
import subprocess
import unittest

TOOLS = os.path.abspath("tools")
DIGITS = os.path.abspath("tools/sample_data/digits/train.tar")
WORK = os.environ["TEST_TMPDIR"]
SMALL = ["--preset=quickstart", "--seed=2"]
EPOCHS = 2


def tool(name, *flags):
  done = subprocess.run([os.path.join(TOOLS, name), *flags], cwd=WORK, capture_output=True, text=True)
  if done.returncode != 0:
    raise AssertionError(f"{name} {' '.join(flags)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
  return done.stdout


class ReportTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    shape = ["--image_size=16", "--layers=3", "--derive_layers=3"]
    tool("search", *SMALL, *shape, "--batch=16", f"--train_data={DIGITS}", "--run=search", f"--epochs={EPOCHS}",
         "--train_fraction=0.1", "--search_fraction=0.1")
    tool("pack", f"--input={DIGITS}", "--output=data")
    network = ["--architecture=search/architecture.json", "--train_data=data", "--epochs=1", "--batch=256"]
    tool("train", *SMALL, *network, "--test_data=data", "--run=train")
    tool("precision_search", *SMALL, *network, "--run=bits")
    cls.runs = ["search", "train", "bits"]
    cls.report = json.loads(tool("report", *cls.runs, "--format=json"))["runs"]

  def test_the_runs_are_whole(self):
    self.assertEqual([run["kind"] for run in self.report], ["search", "training", "precision search"])
    self.assertEqual([run["problems"] for run in self.report], [[], [], []])
    for run in self.report:
      self.assertEqual(run["environment"]["ranks"], 1)
      self.assertEqual(run["epochs"][0]["kind"], "start")
      for line in run["epochs"][1:]:
        self.assertGreater(line["seconds"]["step"], 0)
        self.assertGreater(line["peak_memory_bytes"], 1e6)
        self.assertGreater(line["gradient_norm"], 0)

  def test_the_search_tells_how_it_chose(self):
    search = self.report[0]
    self.assertEqual(len(search["epochs"]), 1 + EPOCHS)
    for line in search["epochs"]:
      self.assertEqual(len(line["logits"]), 16)
      self.assertEqual([len(row) for row in line["logits"]["alphas_normal"]], [8] * 14)
    self.assertEqual(search["decisions"]["alpha, normal cell"]["did not move"], 0)
    self.assertEqual(sum(search["decisions"]["alpha, reduction cell"].values()), 14)
    self.assertAlmostEqual(search["entropy"][0]["alpha, normal cell"], 1, places=4)
    # The gammas' largest entries are the architecture's bits: cell 0 is the first normal one.
    gammas = search["epochs"][-1]["logits"]
    with open(os.path.join(WORK, "search/architecture.json"), encoding="utf-8") as file:
      bits = json.load(file)["bits"]
    for i, of in enumerate(("activ", "weight")):
      row = gammas[f"gamma_{of}_celln_preprocess0"][0]
      self.assertEqual(bits["cells.0.preprocess0.conv"][i], (2, 4)[row.index(max(row))])

  def test_costs_by_layer_add_up_to_the_totals(self):
    for run in self.report:
      cost = run["cost"]
      convolutions = cost["convolutions"].values()
      self.assertAlmostEqual(sum(c[3] for c in convolutions) / cost["exact_network"]["bit_ops"], 1)
      self.assertAlmostEqual(sum(c[6] for c in convolutions if len(c) > 6) /
                             cost["published_cells"]["bit_ops_millions"], 1)

  def test_a_search_cut_short_is_drawn_from_its_last_epoch(self):
    shutil.copytree(os.path.join(WORK, "search"), os.path.join(WORK, "cut"))
    os.remove(os.path.join(WORK, "cut/architecture.json"))
    with open(os.path.join(WORK, "cut/metrics.jsonl"), "rb+") as file:
      file.truncate(os.path.getsize(file.name) - 40)
    cut = json.loads(tool("report", "cut", "--format=json"))["runs"][0]
    self.assertIn("metrics.jsonl ends in half a line, which is left out", cut["problems"])
    self.assertEqual(cut["cells_from"], f"as the search would have chosen after epoch {EPOCHS - 1}")
    self.assertEqual(len(cut["cells"]["normal"]["edges"]), 8)

  def test_there_is_a_page_and_a_picture(self):
    self.assertEqual(tool("report", *self.runs, "--output=page.html"), "page.html\n")
    with open(os.path.join(WORK, "page.html"), encoding="utf-8") as file:
      self.assertIn("BitOps by layer, exact", file.read())
    self.assertTrue(tool("report", "search", "--format=svg").startswith("<svg"))


if __name__ == "__main__":
  unittest.main()
