#!/usr/bin/env python3
"""The page and the other formats, without a browser: whole, self-contained, well-formed, honest."""

import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.abspath("tools"))

from reports import heat_map, line_chart, page, scatter, svg, testing_runs  # noqa: E402
from reports.run import Run  # noqa: E402

PROGRAM = os.path.abspath("tools/report")
VOID = {"meta", "link", "br"}


class Balance(html.parser.HTMLParser):
  """Complains about elements that are not closed, and collects what could be fetched."""

  def __init__(self):
    super().__init__()
    self.open, self.faults, self.addresses = [], [], []

  def handle_starttag(self, tag, attrs):
    self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href", "action") and v]
    if tag in ("script", "img", "iframe", "object"):
      self.faults.append(f"<{tag}>")
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    pass

  def handle_endtag(self, tag):
    if not self.open or self.open.pop() != tag:
      self.faults.append(f"</{tag}> at {self.getpos()}")


class PageTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    cls.root = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    cls.search = testing_runs.search_run(os.path.join(cls.root, "search"))
    cls.killed = testing_runs.search_run(os.path.join(cls.root, "killed"), done=5, seed=4)
    cls.train = testing_runs.training_run(os.path.join(cls.root, "train"), bad_samples=3)
    cls.bits = testing_runs.precision_run(os.path.join(cls.root, "bits"))
    cls.comparison = testing_runs.comparison(os.path.join(cls.root, "comparison"))
    cls.all = [cls.search, cls.killed, cls.train, cls.bits, cls.comparison]

  @classmethod
  def tearDownClass(cls):
    shutil.rmtree(cls.root)

  def report(self, *arguments):
    """(status, output, error)"""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=self.root)
    return done.returncode, done.stdout, done.stderr

  def page(self, *runs):
    status, _, error = self.report(*runs, "--output=page.html")
    self.assertEqual((status, error), (0, ""))
    with open(os.path.join(self.root, "page.html"), encoding="utf-8") as file:
      return file.read()

  def test_the_page_is_well_formed_and_fetches_nothing(self):
    balance = Balance()
    balance.feed(self.page(*self.all))
    self.assertEqual((balance.faults, balance.open), ([], []))
    self.assertEqual([a for a in balance.addresses if not a.startswith("#") and a != "data:,"], [])
    self.assertNotIn("url(", page.style())
    self.assertNotIn("@import", page.style())

  def test_it_has_every_part(self):
    text = self.page(*self.all)
    for part in ("Loss</figcaption>", "Accuracy, %</figcaption>", "Learning rate", "Norm of the gradient",
                 "Alpha, normal cell: the strongest", "Beta, reduction cell", "Gamma, normal cells: expected bits",
                 "Entropy of the choices", "Who decided", "last changed at epoch 6", "Normal cell (the network",
                 "Reduction cell (the network", "Bits along the depth", "BitOps by layer, exact",
                 "BitOps by layer, as published", "Memory of weights", "Accuracy against cost", "time split of",
                 "Throughput", "Peak memory", "bad samples were left out", "Settings</h3>", "Environment</h3>",
                 "Expected bits of weights"):
      self.assertIn(part, text)

  def test_a_wrong_command_line_is_one_line(self):
    for status, what, arguments in (
        (2, "RUN", ()), (2, "tells no format", (self.search, "--output=page.pdf")),
        (1, "no-run: is not there", ("no-run",)), (1, "--output=no/page.html: ", (self.search, "--output=no/page.html"))):
      done = self.report(*arguments)
      self.assertEqual((done[0], done[1], done[2].count("\n")), (status, "", 1), done)
      self.assertIn(what, done[2])
    with open("/dev/full", "w", encoding="utf-8") as full:
      done = subprocess.run([PROGRAM, self.search, "--format=json"], stdout=full, stderr=subprocess.PIPE, check=False)
    self.assertEqual((done.returncode, done.stderr), (1, b"report: standard output: No space left on device\n"))

  def test_what_is_missing_is_said(self):
    text = self.page(self.killed)
    self.assertIn("What is missing", text)
    self.assertIn("architecture.json is not there: the search is not finished", text)
    self.assertIn("5 of 12 epochs are finished; last heard of 20", text)
    self.assertNotIn("What is missing", self.page(self.search))

  def test_a_fixed_network_has_its_bits_and_no_cells(self):
    text = self.page(testing_runs.fixed_network_run(os.path.join(self.root, "fixed")))
    for part in ("edmips_resnet18, whose structure is given", "Bits along the depth", "Bits of every convolution",
                 "layer2.0.conv2", "Expected bits of activations", "Expected bits of weights"):
      self.assertIn(part, text)
    self.assertNotIn("What is missing", text)

  def test_a_run_of_an_older_build_says_what_it_lacks(self):
    old = shutil.copytree(self.search, os.path.join(self.root, "old"), dirs_exist_ok=True)
    with open(os.path.join(old, "metrics.jsonl"), encoding="utf-8") as file:
      lines = [json.loads(line) for line in file]
    lines = [{k: v for k, v in line.items() if k not in ("logits", "seconds", "time")}
             for line in lines if line["kind"] != "start"]
    testing_runs.write_lines(old, "metrics.jsonl", lines)
    architecture = testing_runs.architecture()
    del architecture["cost"]["convolutions"]
    testing_runs.write_json(old, "architecture.json", architecture)
    text = self.page(old)
    self.assertIn("Alphas, betas and gammas were not recorded", text)
    self.assertIn("No time split was recorded for A", text)
    self.assertIn("costs by layer are not in this architecture file", text)

  def test_no_run_makes_the_page_fail(self):
    """Whatever field is gone or of another kind, there is a page."""
    run = testing_runs.search_run(os.path.join(self.root, "broken"), epochs=2)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
      lines = [json.loads(line) for line in file]
    fields = sorted({field for line in lines for field in line})
    for wrong in (None, "<b>", [1], {"a": None}, -1e308):
      testing_runs.write_lines(run, "metrics.jsonl", lines + [
          {**line, field: wrong} for field in fields for line in (lines[0], lines[-2])])
      for name in ("config.json", "architecture.json"):
        with open(os.path.join(run, name), encoding="utf-8") as file:
          value = json.load(file)
        testing_runs.write_json(run, name, {key: v if key == "version" else wrong for key, v in value.items()})
        self.assertTrue(page.page([Run(run)], [], "now").endswith("</html>\n"))
        testing_runs.write_json(run, name, value)
    shutil.rmtree(run)

  def test_names_are_text_not_markup(self):
    run = testing_runs.training_run(os.path.join(self.root, "<script>alert(1)</script>"), epochs=2,
                                    bad_samples=1)
    text = self.page(run)
    self.assertNotIn("<script", text)
    self.assertIn("images/&lt;0&gt;.jpg", text)

  def test_other_formats(self):
    status, text, _ = self.report(*self.all, "--format=json")
    self.assertEqual(status, 0)
    report = json.loads(text)
    self.assertEqual([run["kind"] for run in report["runs"]], ["search", "search", "training", "precision search"])
    self.assertEqual(report["runs"][0]["genotype_changes"], [{"epoch": 6, "cells": ["normal"]}])
    self.assertEqual(len(report["runs"][0]["entropy"]), 13)
    self.assertEqual(len(report["comparisons"][0]["methods"]), 9)

    status, text, _ = self.report(*self.all, "--format=markdown")
    self.assertEqual(status, 0)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
      self.assertEqual(len({line.count(" | ") for line in table.splitlines()}), 1)

    status, text, _ = self.report(self.search, self.killed, "--format=svg")
    self.assertEqual(status, 0)
    root = xml.etree.ElementTree.fromstring(text)
    self.assertEqual(len(root.findall("{http://www.w3.org/2000/svg}svg")), 4)

    status, text, _ = self.report(self.search, "--format=dot")
    self.assertEqual(status, 0)
    self.assertEqual(text.count(" -> "), 2 * (8 + 4))
    self.assertEqual(text.count("{"), text.count("}"))

  def test_the_outputs_name_decides_the_format(self):
    for name, begins in (("a.md", "# Report"), ("a.json", "{"), ("a.svg", "<svg"), ("a.dot", "digraph")):
      status, out, _ = self.report(self.search, f"--output={name}")
      self.assertEqual((status, out), (0, name + "\n"))
      with open(os.path.join(self.root, name), encoding="utf-8") as file:
        self.assertTrue(file.read().startswith(begins))

  def test_errors_are_one_line_and_leave_nothing(self):
    before = sorted(os.listdir(self.root))
    os.makedirs(os.path.join(self.root, "empty"), exist_ok=True)
    for arguments, expected in (
        (["nowhere"], "report: nowhere: is not there\n"),
        (["page_test"], "report: page_test: is not there\n"),
        (["empty"], "report: empty: is no run: it has no readable config.json, metrics.jsonl or architecture.json\n"),
        ([self.search, "--output=no/folder/x.html"], "No such file or directory"),
        ([self.search, "--output=empty"], "tells no format"),
        ([self.search, "--output=empty", "--format=html"], "report: --output=empty: is a folder\n"),
        ([self.comparison, "--format=svg"], "there is no cell to draw in a comparison"),
        ([self.search, "--formt=svg"], "--formt")):
      status, out, error = self.report(*arguments)
      self.assertNotEqual(status, 0)
      self.assertEqual(out, "")
      self.assertIn(expected, error)
      self.assertNotIn("Traceback", error)
    os.rmdir(os.path.join(self.root, "empty"))
    self.assertEqual(sorted(os.listdir(self.root)), before)


class ChartsTest(unittest.TestCase):

  def test_numbers_are_written_as_people_write_them(self):
    for value, text in ((0.050000000000000003, "0.05"), (1234567, "1,234,567"), (0.0, "0"), (98.40000000001, "98.4"),
                        (1.5e-7, "1.5e-07"), (float("nan"), "not finite"), (-0.25, "-0.25")):
      self.assertEqual(svg.short(value), text)
    self.assertEqual(svg.with_unit(1.9e9, "BitOps"), "1.9 G BitOps")
    self.assertEqual(svg.duration(3725), "1 h 02 min")

  def test_lines_differ_without_colour(self):
    lines = [line_chart.Line(str(i), [(0, i), (1, i + 1)], str(i), i // 2, i % 2) for i in range(8)]
    text = line_chart.line_chart("x", lines)
    for i in range(8):
      self.assertIn(f">{i}</text>", text)
    looks = {(i // 2 % 4, i % 2) for i in range(8)}
    self.assertEqual(len(looks), 8)
    self.assertEqual(text.count("stroke-dasharray"), 2 * 4)

  def test_charts_of_nothing_one_point_or_one_value(self):
    self.assertEqual(line_chart.line_chart("x", [line_chart.Line("a", [])]), "")
    for points in ([(1, 0.0)], [(1, 5.0), (2, 5.0)], [(1, 1e-300), (2, 1e300)], [(0, -3), (9, -3.0000001)]):
      self.assertIn("<path", line_chart.line_chart("x", [line_chart.Line("a", points)], log_y=points[0][1] > 0))
    self.assertEqual(heat_map.heat_map("x", [], [1], [], 0, 1), "")
    self.assertEqual(scatter.scatter("x", [], "x", "y"), "")
    self.assertIn("<circle", scatter.scatter("x", [scatter.Point("a", "a", 1e9, 50.0)], "x", "y"))

  def test_marks_do_not_cover_each_other(self):
    places = scatter._apart([(100.0, 100.0)] * 6)
    for i, (x, y) in enumerate(places):
      for a, b in places[:i]:
        self.assertTrue(abs(x - a) >= 8 or abs(y - b) >= 12, places)

  def test_the_front_holds_what_none_beats(self):
    points = [scatter.Point(m, m, x, y) for m, x, y in (("a", 1, 5), ("b", 2, 4), ("c", 3, 9), ("d", 3, 8))]
    self.assertEqual([p.mark for p in scatter.front(points)], ["a", "c"])


def luminance(colour):
  parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
  linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
  high, low = sorted((luminance(one), luminance(other)), reverse=True)
  return (high + 0.05) / (low + 0.05)


class StyleTest(unittest.TestCase):
  """WCAG's contrasts: 4.5 for words, 3 for lines; light, dark and on paper."""

  def test_contrasts(self):
    palettes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
                for block in re.findall(r":root \{([^}]*)\}", page.style())]
    self.assertEqual(len(palettes), 3)
    for palette in palettes:
      for ground in ("ground", "panel"):
        for word in ("ink", "soft", "c0"):
          self.assertGreaterEqual(contrast(palette[word], palette[ground]), 4.5, (word, ground, palette))
        for i in range(8):
          self.assertGreaterEqual(contrast(palette[f"c{i}"], palette[ground]), 3, (i, ground))
      for level in range(heat_map.LEVELS):
        word = "over" if level >= heat_map.OVER else "code"
        self.assertGreaterEqual(contrast(palette[word], palette[f"h{level}"]), 4.5, (level, palette[f"h{level}"]))
      shades = [luminance(palette[f"h{i}"]) for i in range(heat_map.LEVELS)]
      self.assertIn(shades, (sorted(shades), sorted(shades, reverse=True)))
      self.assertGreaterEqual(contrast(palette["ink"], palette["warn"]), 4.5)


if __name__ == "__main__":
  unittest.main()
