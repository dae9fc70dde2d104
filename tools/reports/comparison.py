"""The results of tools/compare.py."""

import json
import os

from reports.run import ReportError, dictionary, is_number, read_text

FIELDS = ("accuracy", "bit_ops", "published_bit_ops_millions", "weight_bytes", "activation_bytes",
          "search_seconds", "train_seconds")


def is_comparison(path):
  return os.path.exists(os.path.join(path, "comparison.json"))


class Comparison:
  """Methods with means and deviations over seeds, and the list of budgets."""

  def __init__(self, path):
    self.path = path
    self.name = os.path.basename(os.path.abspath(path))
    self.problems = []
    file = os.path.join(path, "comparison.json")
    try:
      results = json.loads(read_text(file) or "")
    except (json.JSONDecodeError, RecursionError) as error:
      raise ReportError(f"{file}: is damaged: {error}") from None
    results = dictionary(results)
    self.seeds = list(dictionary(results.get("rows")))
    self.methods = self._methods(results.get("summary"))
    self.points = self._points(results.get("pareto"))
    self.pairs = self._pairs(results.get("paired"))
    self.options = dictionary(results.get("options"))
    if not self.methods and not self.points:
      raise ReportError(f"{file}: compares nothing: it has neither methods nor budgets")

  def _methods(self, summary):
    """[{"method", field: (mean, deviation)}]"""
    methods = []
    for i, line in enumerate(summary if isinstance(summary, list) else []):
      line = dictionary(line)
      method = {"method": str(line.get("method", f"method {i + 1}"))}
      for field in FIELDS:
        value = dictionary(line.get(field))
        if is_number(value.get("mean")):
          deviation = value.get("deviation")
          method[field] = (value["mean"], deviation if is_number(deviation) else 0.0)
      if "accuracy" in method and "bit_ops" in method:
        methods.append(method)
      else:
        self.problems.append(f"{method['method']} has no accuracy or no BitOps and is left out")
    return methods

  def _pairs(self, paired):
    """Those of methods compared seed by seed that have their numbers."""
    pairs = [dictionary(pair) for pair in (paired if isinstance(paired, list) else [])]
    return [pair for pair in pairs if all(is_number(pair.get(field)) for field in ("mean", "deviation"))]

  def _points(self, pareto):
    points = []
    for i, point in enumerate(pareto if isinstance(pareto, list) else []):
      point = dictionary(point)
      if all(is_number(point.get(f)) for f in ("target_bit_ops", "bit_ops", "accuracy")):
        points.append({**point, "method": str(point.get("method", "QDARTS"))})
      else:
        self.problems.append(f"budget {i + 1} lacks its numbers and is left out")
    return points

  def state(self):
    return f"{len(self.methods)} methods, {len(self.seeds)} seeds, {len({p['target_bit_ops'] for p in self.points})} budgets"
