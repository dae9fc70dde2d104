#!/usr/bin/env python3
"""What is read of runs: whole, going on, killed, damaged; and what their logits say."""

import json
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.abspath("tools"))

from reports import choices, genotype, logits, summary_section, testing_runs  # noqa: E402
from reports.comparison import Comparison  # noqa: E402
from reports.run import ReportError, Run, name_runs  # noqa: E402


class ReadingTest(unittest.TestCase):

  def setUp(self):
    self.root = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))

  def tearDown(self):
    shutil.rmtree(self.root)

  def folder(self, name):
    return os.path.join(self.root, name)

  def file(self, run, name):
    return os.path.join(run, name)

  def append(self, path, text):
    with open(path, "ab") as file:
      file.write(text)

  def error(self, read, path):
    with self.assertRaises(ReportError) as caught:
      read(path)
    return str(caught.exception)

  def test_a_whole_run_has_no_problems(self):
    for make, kind in ((testing_runs.search_run, "search"), (testing_runs.training_run, "training"),
                       (testing_runs.precision_run, "precision search")):
      run = Run(make(self.folder(make.__name__)))
      self.assertEqual(run.problems, [])
      self.assertEqual((run.kind, run.state()), (kind, "finished, 12 epochs"))
      self.assertEqual([epoch for epoch, _ in run.history()], list(range(13)))
      self.assertEqual(len(run.epoch_series("loss")), 12)

  def test_agreement_of_searches_is_the_share_of_rows_chosen_alike(self):
    ends = [{"alpha_activ": [[0, 1], [0, 1], [2, 1], [1, 0]], "alpha_weight": [[1, 0]]},
            {"alpha_activ": [[0, 3], [1, 0], [2, 0], [1, 0]], "alpha_weight": [[1, 0], [1, 0]]},
            {"alpha_activ": [[1, 0], [1, 0], [2, 0], [1, 0]], "alpha_weight": [[1, 0]]}]
    # Of activations: 3, 2 and 3 of 4.
    self.assertEqual(logits.agreement(ends), [("bits of activations", 8 / 12), ("bits of weights", 1)])
    self.assertEqual(logits.agreement(ends[:1]), [])
    self.assertEqual(logits.agreement([]), [])
    # `none`, an alpha's first, is never chosen.
    self.assertEqual(logits.agreement([{"alphas_normal": [[9, 1, 0]]}, {"alphas_normal": [[0, 1, 0]]}]),
                     [("alpha, normal cell", 1)])

  def test_half_a_line_is_left_out_and_said(self):
    path = testing_runs.search_run(self.folder("run"), done=5)
    whole = Run(path)
    self.append(self.file(path, "metrics.jsonl"), b'{"kind": "train", "loss": 0.')
    cut = Run(path)
    self.assertEqual(cut.lines, whole.lines)
    self.assertIn("metrics.jsonl ends in half a line, which is left out", cut.problems)
    self.assertEqual(cut.state(), "5 of 12 epochs")

  def test_every_way_to_cut_the_metrics_short_can_be_read(self):
    path = testing_runs.training_run(self.folder("run"), epochs=2)
    with open(self.file(path, "metrics.jsonl"), "rb") as file:
      text = file.read()
    for length in range(0, len(text), 97):
      with open(self.file(path, "metrics.jsonl"), "wb") as file:
        file.write(text[:length])
      run = Run(path)
      summary_section.facts(run)
      self.assertLessEqual(len(run.lines), text.count(b"\n"))

  def test_damage_is_said_by_file_and_line(self):
    path = testing_runs.search_run(self.folder("run"))
    with open(self.file(path, "metrics.jsonl"), "rb") as file:
      lines = file.read().split(b"\n")
    lines[3] = b"\xff\xfe\x00"
    lines[5] = b"[1, 2]"
    with open(self.file(path, "metrics.jsonl"), "wb") as file:
      file.write(b"\n".join(lines))
    self.append(self.file(path, "architecture.json"), b"}")
    run = Run(path)
    self.assertIn("line 4 of metrics.jsonl is damaged and left out", run.problems)
    self.assertIn("line 6 of metrics.jsonl is damaged and left out", run.problems)
    self.assertTrue(any(p.startswith("architecture.json is damaged: ") for p in run.problems))

  def test_values_of_the_wrong_kind_are_no_numbers(self):
    path = testing_runs.training_run(self.folder("run"), epochs=2)
    with open(self.file(path, "metrics.jsonl"), "a", encoding="utf-8") as file:
      for wrong in ("x", None, [], {}, True):
        print(json.dumps({"kind": "epoch", "epoch": 3, "loss": wrong, "seconds": wrong, "time": wrong,
                          "global_step": wrong, "logits": wrong, "genotype": wrong}), file=file)
      print('{"kind": "epoch", "epoch": 4, "loss": NaN, "time": 1e300}', file=file)
    run = Run(path)
    self.assertEqual(len(run.epoch_series("loss")), 2)
    self.assertIsNone(run.last_time)
    self.assertTrue(any(p.startswith("loss is no finite number from step") for p in run.problems))
    summary_section.facts(run)

  def test_what_is_no_run_is_an_error_that_names_it(self):
    os.mkdir(self.folder("empty"))
    self.assertEqual(self.error(Run, self.folder("empty")),
                     f"{self.folder('empty')}: is no run: it has no readable config.json, metrics.jsonl or "
                     "architecture.json")

  def test_a_newer_version_is_an_error_that_names_both(self):
    for name, reads in (("config.json", 1), ("architecture.json", 1)):
      path = testing_runs.search_run(self.folder(name))
      with open(self.file(path, name), encoding="utf-8") as file:
        value = json.load(file)
      testing_runs.write_json(path, name, {**value, "version": 7})
      self.assertEqual(self.error(Run, path), f"{path}/{name}: is of version 7; this report reads version {reads}")

  def test_an_empty_comparison_is_an_error(self):
    for text in ("", "[]", "{}", '{"summary": [], "pareto": []}', '{"summary": [{"method": "x"}]}'):
      os.makedirs(self.folder("c"), exist_ok=True)
      with open(self.file(self.folder("c"), "comparison.json"), "w", encoding="utf-8") as file:
        file.write(text)
      self.assertIn("comparison.json: ", self.error(Comparison, self.folder("c")))

  def test_a_comparison_without_some_numbers_says_so(self):
    path = testing_runs.comparison(self.folder("c"))
    with open(self.file(path, "comparison.json"), encoding="utf-8") as file:
      value = json.load(file)
    del value["summary"][1]["accuracy"]
    del value["pareto"][0]["bit_ops"]
    testing_runs.write_json(path, "comparison.json", value)
    comparison = Comparison(path)
    self.assertEqual((len(comparison.methods), len(comparison.points)), (8, 9))
    self.assertEqual(comparison.problems, ["PTQ 8/8 linear has no accuracy or no BitOps and is left out",
                                           "budget 1 lacks its numbers and is left out"])

  def test_runs_of_the_same_name_are_told_apart(self):
    runs = [Run(testing_runs.training_run(self.folder(f"{name}/run"), epochs=1)) for name in "ab"]
    name_runs(runs)
    self.assertEqual([run.name for run in runs], ["a/run", "b/run"])

  def test_the_genotype_last_changed_where_it_did(self):
    run = Run(testing_runs.search_run(self.folder("run"), epochs=12))
    changes, seen = summary_section.genotype_changes(run)
    self.assertTrue(seen)
    self.assertEqual(changes, [(6, ["normal"])])

  def test_a_killed_search_shows_the_bits_of_its_gammas(self):
    run = Run(testing_runs.search_run(self.folder("run"), done=5))
    cells, origin = choices.drawn_cells(run)
    self.assertEqual(origin, "as the search would have chosen after epoch 5")
    found = logits.logits_of(run.epoch_lines()[5])
    operation = cells["normal"].operations[2]
    self.assertEqual(operation.name, "sep_conv_3x3")
    edge = genotype.FIRST_EDGE[1] + 0
    for cell in range(testing_runs.LAYERS - 2):
      expected = tuple(testing_runs.BITS[logits.argmax(found[f"gamma_{of}_celln"][cell][edge][0])]
                       for of in ("activ", "weight"))
      self.assertEqual(operation.bits[cell], expected)
    self.assertEqual(cells["normal"].operations[0].bits, {})  # A pool.

  def test_an_architecture_gives_bits_and_costs_by_cell(self):
    architecture = testing_runs.architecture()
    cells = choices.of_architecture(architecture)
    self.assertEqual(cells["reduce"].cells, [2, 5])
    self.assertEqual(cells["normal"].cells, [0, 1, 3, 4, 6, 7])
    operation = cells["reduce"].operations[0]
    self.assertEqual(operation.bits[2], tuple(architecture["bits"]["cells.2._ops.0.conv1"]))
    costs = architecture["cost"]["convolutions"]
    self.assertEqual(operation.bit_ops[2], sum(costs[f"cells.2._ops.0.conv{i}"][3] for i in (1, 2, 5, 6)))


class LogitsTest(unittest.TestCase):

  def test_who_decided(self):
    draw, search, still = logits.DRAW_DECIDED, logits.SEARCH_DECIDED, logits.NOT_MOVED
    # The second wins, and it is the second that was raised.
    self.assertEqual(logits.who_decided([0.1, 0.0, 0.0], [0.1, 0.5, 0.0]), search)
    # The first wins by its start alone: the search raised the second.
    self.assertEqual(logits.who_decided([0.9, 0.0, 0.0], [0.9, 0.5, 0.0]), draw)
    self.assertEqual(logits.who_decided([0.9, 0.0], [0.9, 0.0]), still)
    # `none`, which no genotype holds, is passed over.
    self.assertEqual(logits.who_decided([0.0, 0.0, 0.1], [9.0, 0.2, 0.1], first=1), search)

  def test_entropy(self):
    self.assertAlmostEqual(logits.entropy([0.25] * 4), 1)
    self.assertEqual(logits.entropy([1.0, 0.0]), 0)
    self.assertEqual(logits.argmax([2, 7, 7]), 1)  # Of equals the first, as the search takes it.

  def test_damaged_logits_are_rows_that_are_not_there(self):
    for wrong in (None, 3, "x", [], [[]], [[None, 1.0]], [["a"]], {"a": 1}):
      names = list(testing_runs.logits_shapes()) + ["alpha_activ"]
      self.assertEqual(logits.groups({name: wrong for name in names}), {})

  def test_a_group_counts_each_row_once(self):
    start, end = testing_runs.logits_over_time(1, 1, testing_runs.logits_shapes())
    table = {name: sum(counts.values()) for name, counts in logits.decisions(start, end)}
    self.assertEqual(table["alpha, normal cell"], 14)
    self.assertEqual(table["beta, reduction cell"], 4)
    self.assertEqual(table["gamma of weights, normal cells"], 6 * (2 + 14 * 5))

  def test_genotypes(self):
    cells = genotype.from_text(testing_runs.genotype_text())
    self.assertEqual(cells["normal"].edges, testing_runs.NORMAL)
    self.assertEqual(cells["normal"].concat, [2, 3, 4, 5])
    self.assertEqual(cells["normal"].alpha_edge(7), 9 + 1)
    for wrong in (None, 3, "", "Genotype(", "Genotype(normal=[], reduce=[])", "alphas_normal is not finite",
                  testing_runs.genotype_text(normal=[("a", 9), ("b", 0)]),
                  "Genotype(normal=[__import__('os')], normal_concat=[2], reduce=[1], reduce_concat=[2])"):
      self.assertIsNone(genotype.from_text(wrong), wrong)


if __name__ == "__main__":
  unittest.main()
