"""The same report in other forms: Markdown and JSON for texts and programs, SVG and DOT of the cells."""

import json
import re

from reports import (cells, comparison_section, cost_section, logits, page, settings_section,
                     summary_section, svg)
from reports.choices import drawn_cells, pair_text
from reports.run import ReportError, dictionary


def _markdown_table(head, rows):
  def line(values):
    return "| " + " | ".join(str(v).replace("|", "\\|").replace("\n", " ") for v in values) + " |"
  return "\n".join([line(head), line(["---"] * len(head))] + [line(row) for row in rows])


def markdown(runs, comparisons, when):
  marked = [(page.mark_of(i), run) for i, run in enumerate(runs)]
  parts = ["# Report", f"Made {when}."]
  problems = summary_section.problems_of(marked, comparisons)
  if problems:
    parts.append("What is missing:\n\n" + "\n".join(f"- {who}: {what}" for who, what in problems))
  if marked:
    parts.append(_markdown_table(*summary_section.summary_table(marked)))
  for mark, run in marked:
    found, origin = drawn_cells(run)
    if found:
      parts.append(f"## {mark}: {run.name}, {origin}")
      for cell in found.values():
        rows = [[cell.cell.edges[i][1], 2 + i // 2, op.name, op.bits_text() or "–"]
                for i, op in enumerate(cell.operations)]
        parts.append(f"{cells.caption_of(cell)}\n\n" +
                     _markdown_table(["from state", "to state", "operation", "bits"], rows))
  for comparison in comparisons:
    parts.append(f"## {comparison.name}")
    if comparison.methods:
      parts.append(_markdown_table(*comparison_section.method_table(comparison)))
    if comparison.points:
      parts.append(_markdown_table(*comparison_section.budget_table(comparison)))
  return "\n\n".join(parts) + "\n"


def _json_of_run(mark, run):
  found, origin = drawn_cells(run)
  history = [(epoch, logits.logits_of(line)) for epoch, line in run.history() if logits.logits_of(line)]
  changes, _ = summary_section.genotype_changes(run)
  return {
      "mark": mark, "name": run.name, "path": run.path, "kind": run.kind, "state": run.state(),
      "problems": run.problems, "facts": summary_section.facts(run),
      "epochs": [line for _, line in run.history()],
      "evaluations": run.of_kind("evaluation"),
      "genotype_changes": [{"epoch": epoch, "cells": kinds} for epoch, kinds in changes],
      "decisions": dict(logits.decisions(history[0][1], history[-1][1])) if run.start and history else {},
      "entropy": [{"epoch": epoch, **{name: logits.mean_entropy(rows)
                                      for name, rows in logits.groups(found_).items()}}
                  for epoch, found_ in history],
      "cells": {kind: {"edges": [
          {"operation": op.name, "from": cell.cell.edges[i][1], "to": 2 + i // 2,
           "bits": {number: pair_text(pair) for number, pair in op.bits.items()}}
          for i, op in enumerate(cell.operations)]} for kind, cell in (found or {}).items()},
      "cells_from": origin,
      "cost": dictionary(dictionary(run.any_architecture()).get("cost")),
      "settings": dictionary(dictionary(run.config).get("settings")),
      "environment": dictionary(dictionary(run.config).get("environment")),
      "bad_samples": run.bad_samples,
  }


def to_json(runs, comparisons, when):
  report = {
      "format": "nqdarts report", "version": 1, "made": when,
      "runs": [_json_of_run(page.mark_of(i), run) for i, run in enumerate(runs)],
      "comparisons": [{"name": c.name, "path": c.path, "problems": c.problems, "seeds": c.seeds,
                       "methods": c.methods, "budgets": c.points} for c in comparisons],
  }
  return json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n"


def _all_cells(runs):
  """[(run, cells)]; an error if there is nothing to draw."""
  found = [(run, drawn_cells(run)[0]) for run in runs]
  drawn = [(run, both) for run, both in found if both]
  if not drawn:
    raise ReportError("there is no cell to draw: " + "; ".join(
        f"{run.path} has neither an architecture nor an epoch with a genotype" for run in runs)
        if runs else "there is no cell to draw in a comparison: name one of its runs")
  return drawn


def to_svg(runs, comparisons, when):
  """Normal and reduction cell side by side, a row a run; the style travels along, in light colours."""
  del comparisons, when
  rows, y, width = [], 0.0, 2 * cells.WIDTH + 24
  for run, both in _all_cells(runs):
    tallest = 0.0
    rows.append(svg.text(8, y + 18, run.name, class_="letter"))
    for i, cell in enumerate(both.values()):
      drawing = cells.draw_cell(cell, cells.caption_of(cell))
      height = float(re.search(r'viewBox="0 0 \S+ ([\d.]+)"', drawing)[1])
      x = i * (cells.WIDTH + 24)
      rows.append(svg.text(x + 8, y + 38, cells.caption_of(cell)))
      rows.append(drawing.replace("<svg ", f'<svg x="{x}" y="{svg.number(y + 48)}" width="{cells.WIDTH}" '
                                  f'height="{svg.number(height)}" ', 1))
      tallest = max(tallest, height + 56)
    y += tallest
  light = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", page.style())
  content = f"<style>{light}</style>" + svg.tag("rect", width=width, height=y, fill="#ffffff") + "".join(rows)
  return svg.drawing(width, y, "cells", content, width=width, height=y) + "\n"


def to_dot(runs, comparisons, when):
  del comparisons, when
  return "".join(cells.dot(both, run.name) for run, both in _all_cells(runs))


FORMATS = {"html": page.page, "markdown": markdown, "json": to_json, "svg": to_svg, "dot": to_dot}
SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".svg": "svg",
            ".dot": "dot", ".gv": "dot"}
