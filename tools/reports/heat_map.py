"""Heat maps over epochs: darker is more, and where there is room the cell says what it stands for."""

import math

from reports import svg

WIDTH = 400
LEVELS = 10  # Steps of shade; colours are of the style sheet.
OVER = 6     # From this one on, words are in the other colour.
CODE_WIDTH = 12
COLUMNS = 60


def thinned_columns(count):
  """Indices of at most COLUMNS of `count`, with the first and the last."""
  if count <= COLUMNS:
    return list(range(count))
  return sorted({round(i * (count - 1) / (COLUMNS - 1)) for i in range(COLUMNS)})


def level(value, low, high):
  part = (value - low) / (high - low) if high > low else 0.0
  return min(LEVELS - 1, max(0, int(part * LEVELS)))


def _words(row_height):
  """The class of words beside rows of this height."""
  return "tick" if row_height >= 13 else "tick small"


def _labels(rows, left, top, row_height):
  """Every row's, or as many as can be read."""
  words = _words(row_height)
  every = math.ceil(11 / row_height)
  return "".join(
      svg.text(left - 4, top + (i + 0.5) * row_height + 3.5, label, class_=words, text_anchor="end")
      for i, label in enumerate(rows) if i % every == 0)


def _cells(values, columns, low, high, left, top, width, height):
  """A path per shade: one element each, however many cells there are."""
  paths = {}
  for r, row in enumerate(values):
    for c, column in enumerate(columns):
      value = row[column] if column < len(row) else None
      if value is None:
        continue
      x, y = left + c * width, top + r * height
      paths.setdefault(level(value, low, high), []).append(
          f"M{svg.number(round(x, 2))} {svg.number(round(float(y), 2))}h{svg.number(round(width, 2))}"
          f"v{svg.number(round(float(height), 2))}h-{svg.number(round(width, 2))}z")
  return "".join(svg.tag("path", d="".join(parts), class_=f"h{shade}")
                 for shade, parts in sorted(paths.items()))


def _codes(codes, values, columns, low, high, left, top, width, height):
  """In every cell, or where columns are narrow, once for every stretch of the same code that has room."""
  parts = []
  for r, row in enumerate(codes):
    shown = [row[column] if column < len(row) else "" for column in columns]
    c = 0
    while c < len(shown):
      end = c + 1
      while width < CODE_WIDTH and end < len(shown) and shown[end] == shown[c]:
        end += 1
      value = values[r][columns[c]] if columns[c] < len(values[r]) else None
      if shown[c] and value is not None and (end - c) * width >= CODE_WIDTH:
        x = left + c * width + max(width, CODE_WIDTH) / 2
        over = level(value, low, high) >= OVER
        parts.append(svg.text(x, top + (r + 0.5) * height + 3.2, shown[c],
                              class_="code over" if over else "code", text_anchor="middle"))
      c = end
  return "".join(parts)


def heat_map(title, row_names, epochs, values, low, high, codes=None, row_height=14, note="",
             scale="", label_width=92):
  """`values[row][column]` between `low` and `high`, None where there is none; `codes` likewise, words
  of one or two letters; `epochs` are the columns' names."""
  if not row_names or not epochs:
    return ""
  columns = thinned_columns(len(epochs))
  left, top = label_width, 4
  width = (WIDTH - left - 34) / len(columns)
  bottom = top + row_height * len(row_names)
  content = _cells(values, columns, low, high, left, top, width, row_height)
  if codes and row_height >= 11:
    content += _codes(codes, values, columns, low, high, left, top, width, row_height)
  content += _labels(row_names, left, top, row_height)
  every = math.ceil(len(columns) / 8)
  for c, column in enumerate(columns):
    if c % every == 0 or c == len(columns) - 1 and c % every > every / 2:
      content += svg.text(left + (c + 0.5) * width, bottom + 13, epochs[column], class_="tick",
                          text_anchor="middle")
  if row_height >= 11:  # The last column in figures.
    words = _words(row_height)
    for r, row in enumerate(values):
      if row and row[-1] is not None:
        content += svg.text(WIDTH - 30, top + (r + 0.5) * row_height + 3.5, f"{row[-1]:.2f}", class_=words)
  content += svg.text(left + (WIDTH - left - 34) / 2, bottom + 27, "epoch", class_="tick",
                      text_anchor="middle")
  drawing = svg.drawing(WIDTH, bottom + 30, title, content, class_="chart")
  return svg.figure(title, drawing + legend(low, high, scale), note)


def legend(low, high, what):
  """The shades with the values at both ends."""
  boxes = "".join(svg.tag("rect", x=i * 10, y=0, width=10, height=10, class_=f"h{i}")
                  for i in range(LEVELS))
  scale = svg.tag("svg", boxes, viewBox=f"0 0 {10 * LEVELS} 10", width=10 * LEVELS, height=10,
                  aria_hidden="true")
  return (f'<p class="scale">{svg.escape(svg.short(float(low), 3))} {scale} '
          f"{svg.escape(svg.short(float(high), 3))} {svg.escape(what)}</p>")
