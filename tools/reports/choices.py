"""A run's cells with the bits of each operation: from the architecture, or from the logits of a search
that has none yet."""

from reports import genotype, logits
from reports.run import dictionary, is_number

FLOAT_BITS = 32


class Operation:
  """An edge of the genotype, or a preprocessing: its bits and cost in every cell of its kind."""

  def __init__(self, name):
    self.name = name      # "sep_conv_3x3", "preprocessing"
    self.bits = {}        # {cell: (activation, weight)}; none for what has no convolution.
    self.bit_ops = {}     # {cell: BitOps, groups divided out}; empty where they are not recorded.

  def bits_text(self):
    """"2/4", or with how many cells of each: "2/4 ×5, 4/4 ×1"; "" without convolutions."""
    counts = {}
    for pair in self.bits.values():
      counts[pair] = counts.get(pair, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= 1:
      return "".join(pair_text(pair) for pair, _ in ordered)
    return ", ".join(f"{pair_text(pair)} ×{count}" for pair, count in ordered)

  def weight(self):
    """How expensive it is: BitOps over all cells, else bits times bits."""
    if self.bit_ops:
      return sum(self.bit_ops.values())
    return float(sum(a * w for a, w in self.bits.values()))


def pair_text(pair):
  return "float" if pair == (FLOAT_BITS, FLOAT_BITS) else f"{pair[0]}/{pair[1]}"


class DrawnCell:
  """A kind of cell, normal or reduction, with its operations."""

  def __init__(self, kind, cell):
    self.kind = kind
    self.cell = cell
    self.preprocess = [Operation("preprocessing"), Operation("preprocessing")]
    self.operations = [Operation(primitive) for primitive, _ in cell.edges]
    self.cells = []  # Numbers of the network's cells that are of this kind.


def is_reduction(cell, layers):
  return cell in (layers // 3, 2 * layers // 3)


def _pair(value):
  if isinstance(value, list) and len(value) == 2 and all(is_number(v) for v in value):
    return int(value[0]), int(value[1])
  return None


def of_architecture(architecture):
  """{"normal": DrawnCell, "reduce": DrawnCell}, or None."""
  cells = genotype.from_json(dictionary(architecture.get("genotype")))
  if cells is None:
    return None
  layers = dictionary(architecture.get("network")).get("layers")
  drawn = {kind: DrawnCell(kind, cell) for kind, cell in cells.items()}
  costs = dictionary(dictionary(architecture.get("cost")).get("convolutions"))
  if is_number(layers):
    for number in range(int(min(layers, 1000))):
      drawn["reduce" if is_reduction(number, int(layers)) else "normal"].cells.append(number)
  for name, value in dictionary(architecture.get("bits")).items():
    operation, number = _operation(drawn, name, layers)
    pair = _pair(value)
    if operation is None or pair is None:
      continue
    operation.bits.setdefault(number, pair)
    cost = costs.get(name)
    if isinstance(cost, list) and len(cost) > 3 and is_number(cost[3]):
      operation.bit_ops[number] = operation.bit_ops.get(number, 0) + cost[3]
  return drawn


def _operation(drawn, name, layers):
  """The operation that the convolution "cells.3._ops.5.conv1" belongs to, and the cell's number."""
  words = name.split(".")
  if len(words) < 3 or words[0] != "cells" or not words[1].isdigit() or not is_number(layers):
    return None, None
  number = int(words[1])
  cell = drawn["reduce" if is_reduction(number, int(layers)) else "normal"]
  if words[2] in ("preprocess0", "preprocess1"):
    return cell.preprocess[int(words[2][-1])], number
  if words[2] == "_ops" and len(words) > 3 and words[3].isdigit():
    position = int(words[3])
    if position < len(cell.operations):
      return cell.operations[position], number
  return None, None


def of_epoch(line, bits):
  """The same from the line of an epoch: the genotype with the bits of the largest gammas, for the cells
  of the supernet. `bits`: the candidates."""
  cells = genotype.from_text(dictionary(line).get("genotype"))
  if cells is None:
    return None
  drawn = {kind: DrawnCell(kind, cell) for kind, cell in cells.items()}
  for kind, cell in drawn.items():
    found = {site: (a, w) for site, a, w in logits.gamma_sites(logits.logits_of(line), kind)}
    for (number, place, gamma_row), (activ, weight) in found.items():
      if number not in cell.cells:
        cell.cells.append(number)
      if not activ or not weight or max(len(activ), len(weight)) > len(bits):
        continue
      pair = (bits[logits.argmax(activ)], bits[logits.argmax(weight)])
      if gamma_row is None:
        cell.preprocess[int(place[-1])].bits[number] = pair
        continue
      for position, operation in enumerate(cell.operations):
        reads = genotype.GAMMA_ROWS.get(operation.name)
        strided = kind == "reduce" and cell.cell.edges[position][1] < 2
        if operation.name == "skip_connect" and not strided:
          continue  # The identity.
        if cell.cell.alpha_edge(position) == place and reads == gamma_row:
          operation.bits[number] = pair
  return drawn


def candidate_bits(run, of="weight"):
  """Of "activation" or "weight": searches of fixed networks may have others for each."""
  bits = dictionary(run.task.get("supernet")).get("bits") or run.task.get("bits")
  bits = bits.get(of) if isinstance(bits, dict) else bits
  return [int(b) for b in bits] if isinstance(bits, list) and all(map(is_number, bits)) else []


def drawn_cells(run):
  """Of a run, with a word on where they are from; (None, "") if it has none."""
  architecture = run.any_architecture()
  if architecture:
    return of_architecture(architecture), "of the architecture file"
  for epoch, line in reversed(run.history()):
    cells = of_epoch(line, candidate_bits(run))
    if cells:
      return cells, f"as the search would have chosen after epoch {epoch}"
  return None, ""
