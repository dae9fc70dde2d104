"""What a comparison found: means over seeds, tests, the list of budgets, as JSON, text and Markdown."""

import json
import math
import os
import statistics

from comparison.steps import write

METHOD_HEAD = ("method", "accuracy, %", "BitOps, G", "published, M", "weights, KB", "activations, KB",
               "search, CPU s", "train, CPU s")
BUDGET_HEAD = ("budget, G", "method", "BitOps, G", "off by, %", "published, M", "accuracy, %", "dominated")


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
  """How much more accurate a method is, seed by seed; t: of a paired t-test with n - 1 degrees of freedom."""
  differences = [rows[method]["accuracy"] - rows[other]["accuracy"] for rows in rows_by_seed.values()]
  mean = statistics.mean(differences)
  deviation = statistics.stdev(differences) if len(differences) > 1 else 0.0
  t = mean / (deviation / math.sqrt(len(differences))) if deviation else None
  return {"method": method, "other": other, "mean": mean, "deviation": deviation, "t": t}


def with_dominated(points):
  """Those of other budgets or methods that are at most as dear and more accurate, or as accurate and less dear,
  dominate a point."""
  def beats(a, b):
    return (a["bit_ops"] <= b["bit_ops"] and a["accuracy"] >= b["accuracy"] and
            (a["bit_ops"], a["accuracy"]) != (b["bit_ops"], b["accuracy"]))
  return [{**point, "dominated": any(beats(other, point) for other in points)} for point in points]


def _text_of_pair(pair, seeds):
  t = f", t = {pair['t']:.2f}" if pair["t"] is not None else ""
  return (f"{pair['method']} less {pair['other']}, seed by seed: {pair['mean']:+.2f} ± {pair['deviation']:.2f} "
          f"points over {seeds} seeds{t}\n")


def _cells_of_method(line):
  def mean(field, scale=1.0):
    return line[field]["mean"] * scale
  return (line["method"],
          f"{mean('accuracy'):.2f} ± {line['accuracy']['deviation']:.2f}",
          f"{mean('bit_ops', 1e-9):.4g}", f"{mean('published_bit_ops_millions'):,.1f}",
          f"{mean('weight_bytes', 1e-3):.4g}", f"{mean('activation_bytes', 1e-3):.4g}",
          f"{mean('search_seconds'):.0f}", f"{mean('train_seconds'):.0f}")


def _cells_of_point(point):
  target = point["target_bit_ops"]
  return (f"{target * 1e-9:.4g}", point["method"], f"{point['bit_ops'] * 1e-9:.4g}",
          f"{100 * (point['bit_ops'] / target - 1):+.1f}",
          f"{point['published_bit_ops_millions']:,.1f}", f"{point['accuracy']:.2f}",
          "yes" if point["dominated"] else "no")


def _text_of_agreement(own, agreement):
  shares = ", ".join(f"{what} {share:.2f}" for what, share in agreement)
  return f"{own} with two seeds, choices made alike: {shares}\n"


def _text_table(lines, left):
  """Columns of equal width; those in `left` begin at their left."""
  widths = [max(map(len, column)) for column in zip(*lines)]
  def cell(i, text):
    return text.ljust(widths[i]) if i in left else text.rjust(widths[i])
  return "".join("  ".join(cell(i, text) for i, text in enumerate(line)).rstrip() + "\n" for line in lines)


def _markdown_table(lines, left):
  rule = tuple("---" if i in left else "---:" for i in range(len(lines[0])))
  return "".join("| " + " | ".join(line) + " |\n" for line in [lines[0], rule] + lines[1:])


def report(comparison, options):
  """Writes comparison.{json,md,txt} into the folder of the output and prints the text."""
  rows_by_seed = comparison.rows_by_seed()
  summary = summarize(rows_by_seed)
  pairs = [paired(rows_by_seed, comparison.own, other) for other in comparison.rivals]
  points = with_dominated(comparison.points())
  results = {"options": vars(options), "rows": rows_by_seed, "summary": summary, "paired": pairs,
             "agreement": dict(comparison.agreement()), "pareto": points}
  write(os.path.join(options.output, "comparison.json"), json.dumps(results, indent=1) + "\n")
  methods = [METHOD_HEAD] + [_cells_of_method(line) for line in summary]
  budgets = [BUDGET_HEAD] + [_cells_of_point(point) for point in points]
  notes = [_text_of_pair(pair, len(rows_by_seed)) for pair in pairs]
  if results["agreement"]:
    notes.append(_text_of_agreement(comparison.own, results["agreement"].items()))
  def document(table, between):
    parts = [table(methods, (0,)), between.join(notes)] + ([table(budgets, (1,))] if points else [])
    return "\n".join(parts)
  write(os.path.join(options.output, "comparison.md"), document(_markdown_table, "\n"))
  text = document(_text_table, "")
  write(os.path.join(options.output, "comparison.txt"), text)
  print(text, end="")
