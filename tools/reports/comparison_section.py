"""A comparison: its table, accuracy against cost with deviations, differences seed by seed, the list of budgets."""

from reports import svg
from reports.line_chart import Line, line_chart
from reports.run import is_number
from reports.scatter import Point, scatter


def mark_of(index, first="a"):
  """Of a method: a, b, …, z, a1, b1, …; runs begin with A."""
  return chr(ord(first) + index % 26) + (str(index // 26) if index >= 26 else "")


def points_of(comparison):
  points = []
  for method in comparison.methods:
    (x, dx), (y, dy) = method["bit_ops"], method["accuracy"]
    points.append(Point(mark_of(len(points)), method["method"], x, y, dx, dy))
  return points


def budget_chart(comparison):
  """Accuracy over cost, a line for each method."""
  by_method = {}
  for point in sorted(comparison.points, key=lambda p: p["bit_ops"]):
    by_method.setdefault(point["method"], []).append((point["bit_ops"] * 1e-6, point["accuracy"]))
  lines = [Line(method, points, mark=chr(ord("A") + i % 26), look=i, dash=i)
           for i, (method, points) in enumerate(by_method.items())]
  return line_chart("Accuracy on budgets, %", lines, x_label="BitOps of the cells, M",
                    note="One seed a point: differences below the deviations of the table say little.")


def pair_table(comparison):
  rows = [[f"{pair.get('method')} less {pair.get('other')}", f"{pair['mean']:+.2f} ± {pair['deviation']:.2f}",
           f"{pair['t']:.2f}" if is_number(pair.get("t")) else "–"] for pair in comparison.pairs]
  return ["", "points, seed by seed", "t"], rows


def method_table(comparison):
  def text(method, field, scale=1.0, digits=4):
    if field not in method:
      return "–"
    mean, deviation = method[field]
    text_ = svg.short(float(mean * scale), digits)
    return f"{text_} ± {svg.short(float(deviation * scale), 2)}" if deviation else text_
  rows = [[f"{mark_of(i)}: {m['method']}", text(m, "accuracy"), text(m, "bit_ops", 1e-9),
           text(m, "published_bit_ops_millions"), text(m, "weight_bytes", 1e-3),
           text(m, "activation_bytes", 1e-3), text(m, "search_seconds", digits=3),
           text(m, "train_seconds", digits=3)] for i, m in enumerate(comparison.methods)]
  return ["method", "accuracy, %", "BitOps, G", "published, M", "weights, KB", "activations, KB",
          "search, s", "train, s"], rows


def budget_table(comparison):
  rows = []
  for point in comparison.points:
    off = 100 * (point["bit_ops"] / point["target_bit_ops"] - 1) if point["target_bit_ops"] else 0
    rows.append([svg.with_unit(point["target_bit_ops"], "BitOps"), point["method"],
                 svg.with_unit(point["bit_ops"], "BitOps"), f"{off:+.1f} %", f"{point['accuracy']:.2f}",
                 "yes" if point.get("dominated") else "no"])
  return ["budget", "method", "BitOps", "off by", "accuracy, %", "dominated"], rows


def section(comparisons):
  parts = []
  for comparison in comparisons:
    parts.append(f"<h3>{svg.escape(comparison.name)}</h3>")
    if comparison.methods:
      parts.append(svg.table(*method_table(comparison)))
    chart = scatter("Accuracy against cost", points_of(comparison), "BitOps of the cells (exact)",
                    "accuracy, %", note=f"Bars: deviations over {len(comparison.seeds)} seeds. The line joins those that "
                    "none beats at the same cost or less.")
    parts.append(f'<div class="wide">{chart}</div>')
    if comparison.pairs:
      parts.append("<h4>Seed by seed</h4>" + svg.table(*pair_table(comparison)))
    if comparison.points:
      parts.append("<h4>Budgets</h4>" + budget_chart(comparison) + svg.table(*budget_table(comparison)))
  return "".join(parts)
