"""A cell as a picture: every edge with its operation and bits, thicker where it is expensive.

A node's two operations stand side by side above it. An edge runs from the state it reads along a lane
at the side, so that no line crosses a word.
"""

import math

from reports import svg
from reports.genotype import state_name

WIDTH = 400
BOX = 132, 34          # An operation.
COLUMN = 118, 282      # Middles of the left and the right operation.
MIDDLE = WIDTH / 2
LANE = 9               # Between lanes.
NODE_HEIGHT = 20
ROW = 104              # From a node to the next.
TOP = 100              # Of the first operations' middle.


class Wire:
  """An edge of the drawing: from `state` to the operation at `position`."""

  def __init__(self, position, state, width, dashed):
    self.position = position
    self.state = state
    self.width = width
    self.dashed = dashed
    self.side = None  # 0 left, 1 right.
    self.lane = 0


def _wires(cell):
  """Of a DrawnCell, each with its lane; the input of lower number stands left."""
  heaviest = max([op.weight() for op in cell.operations + cell.preprocess] + [1e-30])
  wires = []
  for i, (_, state) in enumerate(cell.cell.edges):
    weight = cell.operations[i].weight()
    width = 1.2 + 4.8 * math.sqrt(weight / heaviest)
    wires.append(Wire(i, state, width, dashed=not cell.operations[i].bits))
  for first, second in zip(wires[::2], wires[1::2]):
    first.side, second.side = (0, 1) if first.state <= second.state else (1, 0)
  for side in (0, 1):
    taken = []  # (lane, first node row, last node row)
    for wire in (w for w in wires if w.side == side):
      begin, end = max(-1, wire.state - 2), wire.position // 2
      lane = 0
      while any(l == lane and begin <= last and first <= end for l, first, last in taken):
        lane += 1
      wire.lane = lane
      taken.append((lane, begin, end))
  return wires


def _state_place(state):
  if state < 2:
    return COLUMN[state], 26
  return MIDDLE, TOP + (state - 2) * ROW + 48


def _buses(wires):
  """{position: how far below its state the wire turns}; both inputs share their room."""
  groups = {}
  for wire in wires:
    groups.setdefault(max(1, wire.state), []).append(wire)
  offsets = {}
  for state, group in groups.items():
    room = (TOP - BOX[1] / 2 - 26 - NODE_HEIGHT / 2 - 12) if state == 1 else 13
    for i, wire in enumerate(sorted(group, key=lambda w: (w.side, w.lane))):
      offsets[wire.position] = i * min(7, room / max(1, len(group) - 1))
  return offsets


def _wire_path(wire, bus):
  """Down from the state, along the bus below it to the lane, down the lane, into the operation."""
  x, y = _state_place(wire.state)
  box_x, box_y = COLUMN[wire.side], TOP + (wire.position // 2) * ROW
  lane_x = (38 - wire.lane * LANE) if wire.side == 0 else (WIDTH - 38 + wire.lane * LANE)
  edge_x = box_x - BOX[0] / 2 if wire.side == 0 else box_x + BOX[0] / 2
  bus_y = y + NODE_HEIGHT / 2 + 6 + bus
  r = 4 if lane_x > x else -4
  into = 4 if edge_x > lane_x else -4
  return (f"M{svg.number(x)} {svg.number(y)}V{svg.number(float(bus_y - 4))}q0 4 {r} 4H{svg.number(float(lane_x - r))}"
          f"q{r} 0 {r} 4V{svg.number(float(box_y - 4))}q0 4 {into} 4H{svg.number(float(edge_x))}")


def _look(wire):
  return {"stroke_width": wire.width, "stroke_dasharray": "5 3" if wire.dashed else None}


def short_bits(operation):
  """The bits where there is little room: all, or the most frequent and that there are others."""
  text = operation.bits_text()
  return text if len(text) <= 22 else text.split(",")[0] + " and others"


def _operation(operation, x, y, share, arrow_to, wire):
  """The operation's box and, under it, its line to the node; `share`: of the cells' BitOps, or None."""
  width, height = BOX
  what = operation.name.replace("_", " ")
  bits = operation.bits_text() or "no bits"
  drawn = short_bits(operation) or "no bits"
  shown = f" · {100 * share:.0f} %" if share is not None else ""
  if len(drawn + shown) > 26:
    drawn = bits.split(",")[0] + " and others"
  lines = [what, drawn + shown]
  parts = [svg.title(f"{what}: (activation/weight) bits {bits}" +
                     (f", {100 * share:.1f} % of the BitOps of these cells" if share is not None else "")),
           svg.tag("rect", x=x - width / 2, y=y - height / 2, width=width, height=height, rx=4,
                   class_="operation")]
  small = "bits small" if len(lines[1]) > 20 else "bits"
  parts.append(svg.text(x, y - 3, lines[0], class_="name", text_anchor="middle"))
  parts.append(svg.text(x, y + 11, lines[1], class_=small, text_anchor="middle"))
  arrow = svg.tag("path", d=f"M{svg.number(x)} {svg.number(y + height / 2)}L{svg.number(float(arrow_to[0]))} "
                  f"{svg.number(float(arrow_to[1]))}", class_="wire", **wire)
  return arrow + svg.tag("g", "".join(parts))


def _node(state, x, y):
  name = state_name(state)
  width = 20 + 7 * len(name)
  return (svg.tag("rect", x=x - width / 2, y=y - NODE_HEIGHT / 2, width=width, height=NODE_HEIGHT,
                  rx=NODE_HEIGHT / 2, class_="node") +
          svg.text(x, y + 4, name, class_="name", text_anchor="middle"))


def draw_cell(cell, caption):
  """SVG of a DrawnCell."""
  nodes = len(cell.cell.edges) // 2
  costs = sum(sum(op.bit_ops.values()) for op in cell.operations + cell.preprocess)
  wires = _wires(cell)
  buses = _buses(wires)
  lines, boxes = [], []
  for wire in wires:
    lines.append(svg.tag("path", d=_wire_path(wire, buses[wire.position]), class_="wire",
                         **_look(wire)))
  for wire in wires:
    node = wire.position // 2
    y = TOP + node * ROW
    operation = cell.operations[wire.position]
    share = sum(operation.bit_ops.values()) / costs if costs else None
    x = COLUMN[wire.side]
    to = (MIDDLE + (-14 if wire.side == 0 else 14), y + 48 - NODE_HEIGHT / 2)
    boxes.append(_operation(operation, x, y, share if operation.bits else None, to, _look(wire)))
  for state in range(2 + nodes):
    boxes.append(_node(state, *_state_place(state)))
  for i, operation in enumerate(cell.preprocess):
    if operation.bits:
      boxes.append(svg.text(COLUMN[i], 11, "conv " + short_bits(operation), text_anchor="middle",
                            class_="bits small"))
  bottom = TOP + (nodes - 1) * ROW + 48
  output = ", ".join(state_name(state) for state in cell.cell.concat)
  boxes.append(svg.text(MIDDLE, bottom + 30, f"output: {output}, side by side", class_="tick",
                        text_anchor="middle"))
  return svg.drawing(WIDTH, bottom + 38, caption, "".join(lines + boxes), class_="cell")


def caption_of(cell):
  name = "Normal cell" if cell.kind == "normal" else "Reduction cell"
  if not cell.cells:
    return name
  return f"{name} (the network's {_ranges(cell.cells)})"


def _ranges(numbers):
  """0–1, 3"""
  parts = []
  for n in sorted(numbers):
    if parts and parts[-1][1] == n - 1:
      parts[-1][1] = n
    else:
      parts.append([n, n])
  return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in parts)


def dot(cells, name):
  """Graphviz text of both cells."""
  def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
  lines = [f"digraph {quoted(name)} {{", "  rankdir=TB; node [shape=box, fontname=sans];"]
  for kind, cell in cells.items():
    lines.append(f"  subgraph cluster_{kind} {{ label={quoted(caption_of(cell))};")
    heaviest = max([op.weight() for op in cell.operations] + [1e-30])
    for i, operation in enumerate(cell.preprocess):
      bits = operation.bits_text()
      lines.append(f"    {kind}_{i} [label={quoted(state_name(i) + (chr(10) + bits if bits else ''))}];"
                   .replace("\n", "\\n"))
    for i, (primitive, state) in enumerate(cell.cell.edges):
      operation = cell.operations[i]
      label = primitive + (f"\n{operation.bits_text()}" if operation.bits else "")
      width = 1 + 5 * math.sqrt(operation.weight() / heaviest)
      lines.append(f"    {kind}_{state} -> {kind}_{2 + i // 2} [label={quoted(label)}, "
                   f"penwidth={width:.2f}];".replace("\n", "\\n"))
    for node in range(len(cell.cell.edges) // 2):
      lines.append(f"    {kind}_{2 + node} [label={quoted(state_name(2 + node))}];")
    lines.append(f"    {kind}_output [label=output];")
    lines += [f"    {kind}_{state} -> {kind}_output [style=dashed];" for state in cell.cell.concat]
    lines.append("  }")
  return "\n".join(lines + ["}"]) + "\n"
