"""What a search's logits say: choices, probabilities, entropy, and whether the search or the initial
draw decided a row."""

import math

from reports.genotype import FIRST_EDGE, GAMMA_ROWS, NODES
from reports.run import dictionary, is_number

SEARCH_DECIDED, DRAW_DECIDED, NOT_MOVED = "search", "initial draw", "did not move"


def logits_of(line):
  return dictionary(dictionary(line).get("logits"))


def at(tensor, *indices):
  """An element of nested lists, or None where they do not reach."""
  for index in indices:
    if not isinstance(tensor, list) or not 0 <= index < len(tensor):
      return None
    tensor = tensor[index]
  return tensor


def row_of(tensor, *indices):
  """A row of finite logits, or None."""
  row = at(tensor, *indices)
  return row if isinstance(row, list) and row and all(map(is_number, row)) else None


def softmax(row):
  top = max(row)
  powers = [math.exp(value - top) for value in row]
  return [power / sum(powers) for power in powers]


def argmax(row):
  return max(range(len(row)), key=lambda i: (row[i], -i))


def entropy(probabilities):
  """Between 0, decided, and 1, all alike."""
  if len(probabilities) < 2:
    return 0.0
  return -sum(p * math.log(p) for p in probabilities if p > 0) / math.log(len(probabilities))


def who_decided(start, end, first=0):
  """Of options `first` and on: would the row choose alike had the initial draw been its mirror image?"""
  start, end = start[first:], end[first:]
  if len(start) != len(end):
    return None
  moved = [b - a for a, b in zip(start, end)]
  if max(map(abs, moved)) <= 1e-6 * max(1e-3, *map(abs, start)):
    return NOT_MOVED
  mirrored = [b - 2 * a for a, b in zip(start, end)]
  return SEARCH_DECIDED if argmax(mirrored) == argmax(end) else DRAW_DECIDED


def alpha_rows(logits, kind):
  """[(edge, row)] of the 14 edges."""
  rows = logits.get(f"alphas_{kind}")
  return [(edge, row_of(rows, edge)) for edge in range(len(rows) if isinstance(rows, list) else 0)]


def beta_rows(logits, kind):
  """[(node, row)]: the betas of a node's edges compete."""
  betas = row_of(logits.get(f"betas_{kind}"))
  if betas is None:
    return []
  return [(node, betas[FIRST_EDGE[node]:FIRST_EDGE[node] + node + 2]) for node in range(NODES)]


def gamma_sites(logits, kind):
  """[((cell, place, gamma row), activation row, weight row)] of what convolutions read: place is
  "preprocess0", "preprocess1" or an edge."""
  cell_name = "celln" if kind == "normal" else "cellr"
  sites = []
  edges = logits.get(f"gamma_activ_{cell_name}")
  for cell in range(len(edges) if isinstance(edges, list) else 0):
    for place in ("preprocess0", "preprocess1"):
      pair = [row_of(logits.get(f"gamma_{of}_{cell_name}_{place}"), cell)
              for of in ("activ", "weight")]
      sites.append(((cell, place, None), *pair))
    for edge in range(len(edges[cell]) if isinstance(edges[cell], list) else 0):
      for gamma_row in sorted(GAMMA_ROWS.values()):
        pair = [row_of(logits.get(f"gamma_{of}_{cell_name}"), cell, edge, gamma_row)
                for of in ("activ", "weight")]
        sites.append(((cell, edge, gamma_row), *pair))
  return sites


def bit_rows(logits, of):
  """[(convolution, row)] of a precision search; `of`: "activ" or "weight"."""
  rows = logits.get(f"alpha_{of}")
  return [(i, row_of(rows, i)) for i in range(len(rows) if isinstance(rows, list) else 0)]


def groups(logits):
  """{"alpha, normal": {key: row}, …}: all rows by what they choose, the keys alike in every epoch."""
  found = {}
  for kind, title in (("normal", "normal"), ("reduce", "reduction")):
    found[f"alpha, {title} cell"] = dict(alpha_rows(logits, kind))
    found[f"beta, {title} cell"] = dict(beta_rows(logits, kind))
    sites = gamma_sites(logits, kind)
    found[f"gamma of activations, {title} cells"] = {site: a for site, a, _ in sites}
    found[f"gamma of weights, {title} cells"] = {site: w for site, _, w in sites}
  found["bits of activations"] = dict(bit_rows(logits, "activ"))
  found["bits of weights"] = dict(bit_rows(logits, "weight"))
  cleaned = {name: {key: row for key, row in rows.items() if row} for name, rows in found.items()}
  return {name: rows for name, rows in cleaned.items() if rows}


def mean_entropy(rows):
  values = [entropy(softmax(row)) for row in rows.values()]
  return sum(values) / len(values) if values else None


def decisions(start, end):
  """[(group, {SEARCH_DECIDED: n, DRAW_DECIDED: n, NOT_MOVED: n})]; alpha's `none` is never chosen."""
  before, after = groups(start), groups(end)
  table = []
  for name, rows in after.items():
    counts = {SEARCH_DECIDED: 0, DRAW_DECIDED: 0, NOT_MOVED: 0}
    for key, row in rows.items():
      other = before.get(name, {}).get(key)
      who = who_decided(other, row, first=1 if name.startswith("alpha") else 0) if other else None
      if who:
        counts[who] += 1
    if any(counts.values()):
      table.append((name, counts))
  return table


def agreement(ends):
  """[(group, share)] of the last logits of several searches: how many rows two of them choose alike, the mean
  over all pairs. Groups and rows that not all of them have are left out."""
  found = [groups(end) for end in ends]
  table = []
  for name in found[0] if len(found) > 1 else ():
    first = 1 if name.startswith("alpha") else 0
    rows = [rows.get(name, {}) for rows in found]
    keys = [key for key in rows[0] if all(key in other and len(other[key]) == len(rows[0][key]) for other in rows)]
    choices = [[argmax(other[key][first:]) for key in keys] for other in rows]
    pairs = [(a, b) for i, a in enumerate(choices) for b in choices[:i]]
    if keys:
      alike = sum(x == y for a, b in pairs for x, y in zip(a, b))
      table.append((name, alike / (len(pairs) * len(keys))))
  return table
