"""BitOps and memory, in total and by layer, in the exact and the published convention."""

from reports import svg
from reports.run import dictionary, is_number

TOTALS = (
    ("the network, exact", "exact_network", (("bit_ops", 1, "BitOps"), ("weight_bytes", 1, "B"),
                                             ("activation_bytes", 1, "B"))),
    ("the cells, exact", "exact_cells", (("bit_ops", 1, "BitOps"), ("weight_bytes", 1, "B"),
                                         ("activation_bytes", 1, "B"))),
    ("the cells, as published", "published_cells",
     (("bit_ops_millions", 1e6, "BitOps"), ("weight_megabits", 1e6, "bit"),
      ("activation_kilobits", 1e3, "bit"))),
)
WIDTH = 400


def totals_table(cost):
  rows = []
  for name, key, columns in TOTALS:
    part = dictionary(cost.get(key))
    compression = dictionary(part.get("compression"))
    row = [name]
    for (field, scale, unit), factor in zip(columns, ("bit_ops", "weight_memory", "activation_memory")):
      value = part.get(field)
      text = svg.with_unit(value * scale, unit) if is_number(value) else "–"
      if is_number(compression.get(factor)):
        text += f" (÷ {svg.short(float(compression[factor]), 3)})"
      row.append(text)
    rows.append(row)
  return svg.table(["total of", "BitOps", "weights", "activations"], rows)


def convolutions(cost):
  """[(name, form, (a, w), exact costs, published costs or None)] of the file, what is damaged left out."""
  found = []
  for name, value in dictionary(cost.get("convolutions")).items():
    if not isinstance(value, list) or len(value) < 6 or not all(map(is_number, value[1:])):
      continue
    published = value[6:9] if len(value) >= 9 else None
    found.append((name, str(value[0]), (value[1], value[2]), value[3:6], published))
  return found


def layer_of(name):
  words = name.split(".")
  return f"cell {words[1]}" if words[0] == "cells" and len(words) > 1 else words[0]


def by_layer(convs):
  """{layer: [exact BitOps, exact weights, exact activations, published BitOps, bits, bits]} in order."""
  layers = {}
  for name, _, _, exact, published in convs:
    sums = layers.setdefault(layer_of(name), [0.0] * 6)
    for i, value in enumerate(list(exact) + list(published or (0, 0, 0))):
      sums[i] += value
  return layers


def bars(title, layers, column, text):
  """Horizontal bars with their values in figures."""
  height, left, right = 16, 62, 92
  values = [sums[column] for sums in layers.values()]
  top = max(values, default=0)
  if top <= 0:
    return ""
  content = ""
  for i, (layer, sums) in enumerate(layers.items()):
    y = i * height
    content += svg.text(left - 5, y + 11.5, layer, class_="tick", text_anchor="end")
    content += svg.tag("rect", svg.title(f"{layer}: {text(sums[column])}"), x=left, y=y + 2,
                       width=max(0.5, sums[column] / top * (WIDTH - left - right)), height=height - 4,
                       class_="bar-fill")
    content += svg.text(left + sums[column] / top * (WIDTH - left - right) + 5, y + 11.5,
                        text(sums[column]), class_="tick")
  return svg.figure(title, svg.drawing(WIDTH, height * len(layers) + 4, title, content, class_="chart"))


def convolution_table(convs):
  rows = []
  for name, form, (a, w), exact, published in convs:
    row = [name, form, "float" if (a, w) == (32, 32) else f"{int(a)}/{int(w)}",
           svg.short(exact[0] * 1e-6), svg.short(exact[1] * 1e-3), svg.short(exact[2] * 1e-3)]
    row += [svg.short(float(v)) for v in published] if published else ["–"] * 3
    rows.append(row)
  return svg.table(["convolution", "channels, kernel/stride, groups, side", "bits", "M BitOps",
                    "activations, KB", "weights, KB", "published M BitOps", "published activations, Kb",
                    "published weights, Mb"], rows, class_="dense")


def of_run(cost):
  parts = [totals_table(cost)]
  convs = convolutions(cost)
  if not convs:
    return parts[0] + ('<p class="note">The costs by layer are not in this architecture file, which an '
                       "older build wrote: what reads it and writes it anew (train, evaluate) adds them.</p>")
  layers = by_layer(convs)
  charts = [
      bars("BitOps by layer, exact", layers, 0, lambda v: svg.with_unit(v, "BitOps")),
      bars("BitOps by layer, as published", {k: v for k, v in layers.items() if v[3] > 0}, 3,
           lambda v: svg.with_unit(v * 1e6, "BitOps")),
      bars("Memory of weights by layer, exact", layers, 2, svg.memory),
      bars("Memory of activations by layer, exact", layers, 1, svg.memory),
      bars("Weights by layer, as published", {k: v for k, v in layers.items() if v[5] > 0}, 5,
           lambda v: svg.with_unit(v * 1e6, "bit")),
      bars("Activations by layer, as published", {k: v for k, v in layers.items() if v[4] > 0}, 4,
           lambda v: svg.with_unit(v * 1e3, "bit")),
  ]
  note = ('<p class="note">÷: how many times less than the same network at 32/32 bits. Published: groups are '
          "not divided out, and only what is quantized counts.</p>")
  return (parts[0] + note + f'<div class="charts">{"".join(charts)}</div>' +
          svg.details(f"All {len(convs)} convolutions", convolution_table(convs)))


def section(marked):
  parts = []
  for mark, run in marked:
    cost = dictionary(dictionary(run.any_architecture()).get("cost"))
    if cost:
      parts.append(f"<h3>{svg.escape(f'{mark}: {run.name}')}</h3>" + of_run(cost))
  return "".join(parts)
