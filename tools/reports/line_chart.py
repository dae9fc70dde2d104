"""Lines over epochs, told apart by colour, dashes, marks and the letter at their end."""

import math

from reports import svg

WIDTH, HEIGHT = 400, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 12, 34  # On the left at least.
DIGIT = 6.6  # Width of a tick's digit.
DASHES = (None, "6 3", "2 3", "8 3 2 3")
COLORS = 8
POINTS = 300


class Line:
  """`points`: [(x, y)]; `mark`: the letter at its end; `look`: which colour and mark; `dash`: which."""

  def __init__(self, name, points, mark="", look=0, dash=0, faint=False):
    self.name = name
    self.points = thinned(points)
    self.mark = mark
    self.look = look
    self.dash = dash
    self.faint = faint


def thinned(points):
  """At most POINTS of them, means of as many neighbours each."""
  step = math.ceil(len(points) / POINTS) or 1
  groups = [points[i:i + step] for i in range(0, len(points), step)]
  return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


def ticks(low, high, count=5):
  """Round numbers from `low` to `high`."""
  raw = (high - low) / count
  power = 10 ** math.floor(math.log10(raw))
  step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
  first = math.ceil(low / step - 1e-9)
  return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_labels(values):
  """With as many digits as it takes to tell neighbours apart."""
  for digits in range(3, 12):
    labels = [svg.short(float(value), digits) for value in values]
    if len(set(labels)) == len(labels):
      break
  return labels


def log_ticks(low, high):
  """Powers of ten, or 1, 2, 5 of each where there are few; `low` and `high` are logarithms."""
  for factors in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
    values = [math.log10(f) + p for p in range(math.floor(low), math.ceil(high) + 1) for f in factors]
    values = [v for v in values if low - 1e-9 <= v <= high + 1e-9]
    if len(values) >= 3:
      break
  while len(values) > 7:
    values = values[::2]
  return [(v, prefixed(10.0 ** v)) for v in values]


def prefixed(value):
  """100 M in place of 100,000,000."""
  return svg.with_unit(value, "", digits=3).strip() if value >= 1e4 else svg.short(value, 3)


def spread(values):
  low, high = min(values), max(values)
  if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
    pad = abs(low) * 0.1 or 1.0
    return low - pad, high + pad
  pad = 0.05 * (high - low)
  return low - pad, high + pad


def marker(look, x, y, size=3.2):
  """Circle, square, triangle, diamond, in turn."""
  shape = look % 4
  class_ = f"mark c{look % COLORS}"
  if shape == 0:
    return svg.tag("circle", cx=x, cy=y, r=size, class_=class_)
  offsets = {1: ((-1, -1), (1, -1), (1, 1), (-1, 1)), 2: ((0, -1.2), (1.1, 1), (-1.1, 1)),
             3: ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0))}[shape]
  points = " ".join(f"{svg.number(float(x + size * dx))},{svg.number(float(y + size * dy))}"
                    for dx, dy in offsets)
  return svg.tag("polygon", points=points, class_=class_)


class Axes:
  """Maps values to places, and draws the frame."""

  def __init__(self, xs, ys, x_label, log_y=False, zero=False):
    self.log_y = log_y and min(ys) > 0
    ys = [math.log10(y) for y in ys] if self.log_y else list(ys) + ([0.0] if zero else [])
    self.y_low, self.y_high = spread(ys)
    if self.log_y:  # Powers of ten that there are.
      self.y_low, self.y_high = max(self.y_low, -307), min(self.y_high, 308)
    self.x_low, self.x_high = min(xs), max(xs)
    if self.x_low == self.x_high:
      self.x_low, self.x_high = self.x_low - 0.5, self.x_high + 0.5
    self.x_label = x_label
    steps = ticks(self.y_low, self.y_high)
    self.levels = (log_ticks(self.y_low, self.y_high) if self.log_y else
                   list(zip(steps, tick_labels(steps))))
    self.left = max([LEFT] + [DIGIT * len(label) + 8 for _, label in self.levels])

  def x(self, value):
    return self.left + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - self.left - RIGHT)

  def y(self, value):
    value = math.log10(value) if self.log_y else value
    return HEIGHT - BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (HEIGHT - TOP - BOTTOM)

  def frame(self):
    parts = []
    for value, label in self.levels:
      y = self.y(10.0 ** value if self.log_y else value)
      parts.append(svg.tag("line", x1=self.left, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
      parts.append(svg.text(self.left - 5, y + 4, label, class_="tick", text_anchor="end"))
    for value in ticks(self.x_low, self.x_high, 6):
      if self.x_high - self.x_low >= 1 and value % 1:
        continue
      parts.append(svg.text(self.x(value), HEIGHT - BOTTOM + 15, svg.short(float(value), 3),
                            class_="tick", text_anchor="middle"))
    parts.append(svg.text((self.left + WIDTH - RIGHT) / 2, HEIGHT - 4, self.x_label, class_="tick",
                          text_anchor="middle"))
    return "".join(parts)


def _draw(line, axes):
  places = [(axes.x(x), axes.y(y)) for x, y in line.points]
  path = "M" + "L".join(f"{svg.number(round(x, 1))} {svg.number(round(y, 1))}" for x, y in places)
  look = f"c{line.look % COLORS}"
  parts = [svg.tag("path", svg.title(line.name), d=path, class_=f"line {look}" + (" faint" if line.faint else ""),
                   stroke_dasharray=DASHES[line.dash % len(DASHES)])]
  if not line.faint:
    every = max(1, math.ceil(len(places) / 12))
    for i, (x, y) in enumerate(places):
      if i % every == 0 or i == len(places) - 1:
        parts.append(marker(line.look, x, y))
  return "".join(parts)


def _letters(lines, axes):
  """At the ends of the lines; what would cover each other stands one below the other."""
  ends = sorted((axes.y(line.points[-1][1]) + 4, axes.x(line.points[-1][0]) + 7, line.mark)
                for line in lines if line.mark)
  content, done = "", []
  for y, x, mark in ends:
    while any(abs(x - a) < 12 and y - b < 11 for b, a in done):
      y += 1
    done.append((y, x))
    content += svg.text(x, y, mark, class_="letter")
  return content


def named(line):
  """With its mark, unless its name begins with it."""
  return line.name if not line.mark or line.name.startswith(line.mark) else f"{line.mark}: {line.name}"


def _legend(lines):
  """What each line is and ends with, beside a sample of it; the faint ones are in the chart's note."""
  items = []
  for line in (line for line in lines if not line.faint):
    sample = svg.tag("line", x1=0, x2=34, y1=6, y2=6, class_=f"line c{line.look % COLORS}",
                     stroke_dasharray=DASHES[line.dash % len(DASHES)]) + marker(line.look, 17, 6)
    value = f", at last {svg.short(float(line.points[-1][1]))}"
    items.append("<li>" + svg.tag("svg", sample, viewBox="0 0 34 12", width=34, height=12,
                                  aria_hidden="true") +
                 f"{svg.escape(named(line))}{value}</li>")
  return f'<ul class="legend">{"".join(items)}</ul>'


def line_chart(title, lines, x_label="epoch", log_y=False, zero=False, rule=None, note=""):
  """A figure; empty if no line has points. `rule`: (x, what it says), a vertical line."""
  lines = [line for line in lines if line.points]
  if not lines:
    return ""
  axes = Axes([x for line in lines for x, _ in line.points],
              [y for line in lines for _, y in line.points], x_label, log_y, zero)
  content = axes.frame()
  if rule:
    x = axes.x(min(max(rule[0], axes.x_low), axes.x_high))
    content += svg.tag("line", svg.title(rule[1]), x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM,
                       class_="rule")
  content += "".join(_draw(line, axes) for line in lines) + _letters(lines, axes)
  chart = svg.drawing(WIDTH, HEIGHT, title, content, class_="chart")
  return svg.figure(title, chart + _legend(lines), note)
