"""The network that was found: its cells, and its bits along the depth."""

from reports import svg
from reports.cells import caption_of, draw_cell
from reports.choices import FLOAT_BITS, drawn_cells
from reports.genotype import SHORT, state_name
from reports.line_chart import Line, line_chart
from reports.run import dictionary


def depth_rows(cells):
  """[(cell number, kind, [Operation])] in order of depth."""
  rows = [(number, kind, cell.preprocess + cell.operations)
          for kind, cell in cells.items() for number in cell.cells]
  return sorted(rows, key=lambda row: row[0])


def column_names(cells):
  names = ["input 0", "input 1"]
  count = max(len(cell.operations) for cell in cells.values())
  return names + [f"edge {i}" for i in range(count)]


def bits_grid(cells):
  """A table: a row per cell, activation/weight bits of each operation."""
  rows = []
  for number, kind, operations in numbered(cells):
    row = [f"{number} {'reduction' if kind == 'reduce' else 'normal'}"]
    for operation in operations:
      pair = operation.bits.get(number)
      bits = "" if pair is None else " float" if pair == (FLOAT_BITS,) * 2 else f" {pair[0]}/{pair[1]}"
      row.append(SHORT.get(operation.name, "") + bits)
    rows.append(row)
  return svg.table(["cell"] + column_names(cells), rows, class_="dense")


def numbered(cells):
  """depth_rows, unless the numbers are those of a kind's own cells (a search that is not finished)."""
  rows = depth_rows(cells)
  if len({number for number, _, _ in rows}) == len(rows):
    return rows
  return sorted(rows, key=lambda row: (row[1], row[0]))


def mean_bits(operations, number):
  pairs = [operation.bits[number] for operation in operations if number in operation.bits]
  if not pairs:
    return None
  return tuple(sum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1))


def depth_chart(marked_cells):
  lines = []
  for look, (mark, cells) in enumerate(marked_cells):
    rows = depth_rows(cells)
    if len({number for number, _, _ in rows}) != len(rows):
      continue
    means = [(number, mean_bits(operations, number)) for number, _, operations in rows]
    means = [(number, pair) for number, pair in means if pair]
    for which, what in enumerate(("activations", "weights")):
      lines.append(Line(f"{mark}: {what}", [(n, pair[which]) for n, pair in means],
                        mark if which == 0 else "", look, which))
  return line_chart("Bits along the depth: mean over a cell's operations", lines, "cell")


def genotype_text(cells):
  """For screen readers, and to copy."""
  lines = []
  for cell in cells.values():
    edges = ", ".join(f"{primitive} of {state_name(state)}" for primitive, state in cell.cell.edges)
    lines.append(f"{caption_of(cell)}: {edges}")
  return "".join(f"<p>{svg.escape(line)}</p>" for line in lines)


def fixed_network(network, bits):
  """Of a network whose structure is given: its bits along the depth, and in words."""
  pairs = [(name, pair) for name, pair in bits.items() if isinstance(pair, list) and len(pair) == 2]
  lines = [Line(what, [(i, pair[which]) for i, (_, pair) in enumerate(pairs)], str(which + 1), which, which)
           for which, what in enumerate(("activations", "weights"))]
  rows = [[name, str(activation), str(weight)] for name, (activation, weight) in pairs]
  return (f'<p class="note">{svg.escape(str(network))}, whose structure is given.</p>'
          f'<div class="charts">{line_chart("Bits along the depth", lines, "convolution")}</div>' +
          svg.details("Bits of every convolution", svg.table(["convolution", "activations", "weights"], rows)))


def section(marked):
  parts, for_depth = [], []
  for mark, run in marked:
    cells, origin = drawn_cells(run)
    heading = f"<h3>{svg.escape(f'{mark}: {run.name}')}</h3>"
    architecture = run.any_architecture() or {}
    network = dictionary(architecture.get("network")).get("name")
    if not cells and network:
      parts.append(heading + fixed_network(network, dictionary(architecture.get("bits"))))
      continue
    if not cells:
      parts.append(heading + '<p class="note">There is no architecture, nor an epoch with a genotype.</p>')
      continue
    for_depth.append((mark, cells))
    drawings = "".join(svg.figure(caption_of(cell), draw_cell(cell, f"{run.name}: {caption_of(cell)}"))
                       for cell in cells.values())
    parts.append(heading + f'<p class="note">{svg.escape(origin.capitalize())}. Each operation with its '
                 "(activation/weight) bits and its share of the BitOps of these cells; the more it costs, "
                 "the thicker its line; dashed: no convolution.</p>"
                 f'<div class="beside">{drawings}{depth_chart([(mark, cells)])}</div>' +
                 svg.details("The cells in words", genotype_text(cells)) +
                 svg.details("Bits of every operation in every cell", bits_grid(cells)))
  chart = depth_chart(for_depth) if len(for_depth) > 1 else ""
  return "".join(parts) + (f'<h3>All together</h3><div class="charts">{chart}</div>' if chart else "")
