"""Accuracy against cost, a letter a point, with deviations; the best for their cost are joined."""

import math

from reports import svg
from reports.line_chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, log_ticks, spread, tick_labels, ticks

TALL = HEIGHT + 70


class Point:
  def __init__(self, mark, name, x, y, dx=0.0, dy=0.0):
    self.mark = mark      # A letter or two.
    self.name = name
    self.x, self.y = x, y
    self.dx, self.dy = dx, dy


def front(points):
  """Those that no other beats at equal or lower cost, by cost."""
  best, chosen = -math.inf, []
  for point in sorted(points, key=lambda p: (p.x, -p.y)):
    if point.y > best:
      chosen.append(point)
      best = point.y
  return chosen


def _apart(places):
  """Moves marks that would cover each other apart, upwards and to the side."""
  done = []
  for x, y in places:
    shift = 0
    while any(abs(x + 8 * shift - a) < 15 and abs(y - 12 * shift - b) < 14 for a, b in done):
      shift += 1
    done.append((x + 8 * shift, y - 12 * shift))
  return done


def _scale(points):
  xs = [math.log10(p.x) for p in points]
  x_low, x_high = spread(xs)
  ys = [p.y - p.dy for p in points] + [p.y + p.dy for p in points]
  y_low, y_high = spread(ys)
  def place(x, y):
    return (LEFT + (math.log10(x) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT),
            TALL - BOTTOM - (y - y_low) / (y_high - y_low) * (TALL - TOP - BOTTOM))
  return place, (x_low, x_high), (y_low, y_high)


def _frame(place, x_range, y_range, x_label, y_label):
  parts = []
  levels = ticks(*y_range)
  for value, label in zip(levels, tick_labels(levels)):
    _, y = place(10 ** x_range[0], value)
    parts.append(svg.tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
    parts.append(svg.text(LEFT - 5, y + 4, label, class_="tick", text_anchor="end"))
  for value, label in log_ticks(*x_range):
    x, _ = place(10 ** value, y_range[0])
    parts.append(svg.tag("line", x1=x, x2=x, y1=TOP, y2=TALL - BOTTOM, class_="grid"))
    parts.append(svg.text(x, TALL - BOTTOM + 15, label, class_="tick", text_anchor="middle"))
  parts.append(svg.text((LEFT + WIDTH - RIGHT) / 2, TALL - 4, x_label, class_="tick",
                        text_anchor="middle"))
  parts.append(svg.text(4, TOP, y_label, class_="tick"))
  return "".join(parts)


def scatter(title, points, x_label, y_label, note=""):
  points = [p for p in points if p.x > 0]
  if not points:
    return ""
  place, x_range, y_range = _scale(points)
  content = _frame(place, x_range, y_range, x_label, y_label)
  best = front(points)
  if len(best) > 1:
    path = "M" + "L".join("{} {}".format(*map(svg.number, map(float, place(p.x, p.y)))) for p in best)
    content += svg.tag("path", svg.title("the best for their cost"), d=path, class_="front")
  marks = _apart([place(p.x, p.y) for p in points])
  for point, (mark_x, mark_y) in zip(points, marks):
    x, y = place(point.x, point.y)
    bars = [(x, x, *sorted((place(point.x, point.y - point.dy)[1], place(point.x, point.y + point.dy)[1])))]
    low = max(point.x - point.dx, point.x * 0.2)
    bars.append((max(LEFT, place(low, point.y)[0]), min(WIDTH - RIGHT, place(point.x + point.dx, point.y)[0]), y, y))
    content += "".join(svg.tag("line", x1=a, x2=b, y1=c, y2=d, class_="bar") for a, b, c, d in bars
                       if b - a > 0.5 or d - c > 0.5)
    if (mark_x, mark_y) != (x, y):
      content += svg.tag("line", x1=x, y1=y, x2=mark_x, y2=mark_y, class_="leader")
      content += svg.tag("circle", cx=x, cy=y, r=2, class_="dot")
    shape = svg.tag("circle", cx=mark_x, cy=mark_y, r=8, class_="point")
    content += svg.tag("g", svg.title(point.name) + shape +
                       svg.text(mark_x, mark_y + 4, point.mark, class_="letter", text_anchor="middle"))
  key = "".join(f"<li><b>{svg.escape(p.mark)}</b> {svg.escape(p.name)}</li>" for p in points)
  chart = svg.drawing(WIDTH, TALL, title, content, class_="chart")
  return svg.figure(title, chart + f'<ul class="key">{key}</ul>', note)
