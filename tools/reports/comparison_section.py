"""A comparison: its table, accuracy against cost with deviations, the list of budgets."""

from reports import svg
from reports.scatter import Point, scatter


def mark_of(index, first="a"):
  """Of a method: a, b, …, z, a1, b1, …; runs begin with A."""
  return chr(ord(first) + index % 26) + (str(index // 26) if index >= 26 else "")


def points_of(comparison):
  points = []
  for method in comparison.methods:
    (x, dx), (y, dy) = method["bit_ops"], method["accuracy"]
    points.append(Point(mark_of(len(points)), method["method"], x, y, dx, dy))
  for i, point in enumerate(comparison.points):
    points.append(Point(str(i + 1), f"QDARTS, budget {svg.with_unit(point['target_bit_ops'], 'BitOps')}",
                        point["bit_ops"], point["accuracy"], ring=True))
  return points


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
  for i, point in enumerate(comparison.points):
    off = 100 * (point["bit_ops"] / point["target_bit_ops"] - 1) if point["target_bit_ops"] else 0
    rows.append([str(i + 1), svg.with_unit(point["target_bit_ops"], "BitOps"),
                 svg.with_unit(point["bit_ops"], "BitOps"), f"{off:+.1f} %", f"{point['accuracy']:.2f}",
                 "yes" if point.get("dominated") else "no"])
  return ["", "budget", "BitOps", "off by", "accuracy, %", "dominated"], rows


def section(comparisons):
  parts = []
  for comparison in comparisons:
    parts.append(f"<h3>{svg.escape(comparison.name)}</h3>")
    if comparison.methods:
      parts.append(svg.table(*method_table(comparison)))
    chart = scatter("Accuracy against cost", points_of(comparison), "BitOps of the cells (exact)",
                    "accuracy, %", note=f"Bars: deviations over {len(comparison.seeds)} seeds. The line joins those that "
                    "none beats at the same cost or less. Circles: methods; squares: budgets, first seed.")
    parts.append(f'<div class="wide">{chart}</div>')
    if comparison.points:
      parts.append("<h4>Budgets</h4>" + svg.table(*budget_table(comparison)))
  return "".join(parts)
