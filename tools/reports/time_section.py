"""Where the time went, how fast it was, and which samples were bad."""

from reports import svg
from reports.line_chart import Line, line_chart
from reports.run import dictionary, is_number

WIDTH = 400
MOST_SAMPLES = 50
PHASES = ("data", "wait", "step", "evaluation", "checkpoint")
WORDS = {"data": "waiting for data", "wait": "waiting for other ranks", "step": "steps",
         "evaluation": "evaluation", "checkpoint": "checkpoints"}


def split(run):
  """{phase: seconds} over all recorded epochs."""
  sums = {}
  for line in run.of_kind("epoch"):
    for phase, seconds in dictionary(line.get("seconds")).items():
      if is_number(seconds):
        sums[phase] = sums.get(phase, 0.0) + seconds
  order = {phase: i for i, phase in enumerate(PHASES)}
  return dict(sorted(sums.items(), key=lambda item: order.get(item[0], len(order))))


def split_bar(mark, run):
  """One bar, each part with its share; hatched alternately, so that neighbours differ without colour."""
  seconds = split(run)
  total = sum(seconds.values())
  if total <= 0:
    return ""
  x, content, items = 0.0, "", []
  for i, (phase, value) in enumerate(seconds.items()):
    width = value / total * WIDTH
    content += svg.tag("rect", svg.title(f"{WORDS.get(phase, phase)}: {svg.duration(value)}"), x=x, y=0,
                       width=width, height=26, class_=f"part p{i % 6}")
    if width > 20:
      content += svg.text(x + width / 2, 17, str(i + 1), class_="part-name", text_anchor="middle")
    items.append(f"<li><b>{i + 1}</b> {svg.escape(WORDS.get(phase, phase))}: {svg.duration(value)}, "
                 f"{100 * value / total:.1f} %</li>")
    x += width
  title = f"{mark}: time split of {svg.duration(total)}"
  return svg.figure(title, svg.drawing(WIDTH, 26, title, content, class_="chart") +
                    f'<ul class="key">{"".join(items)}</ul>')


def bad_samples(mark, run):
  if not run.bad_samples:
    return ""
  rows = [[str(sample.get("stream", "–")), str(sample.get("id", "–")), str(sample.get("name", "–")),
           str(sample.get("reason", "–"))] for sample in run.bad_samples[:MOST_SAMPLES]]
  more = len(run.bad_samples) - len(rows)
  return svg.details(
      f"{mark}: {len(run.bad_samples)} bad samples were left out",
      svg.table(["stream", "id", "name", "reason"], rows, first_is_head=False) +
      (f'<p class="note">And {more} more, in bad_samples.jsonl.</p>' if more else ""))


def section(marked):
  speed = [Line(f"{mark}: images per second", run.step_series("images_per_second"), mark, look)
           for look, (mark, run) in enumerate(marked)]
  memory = [Line(f"{mark}: peak of a process, GB",
                 [(x, y * 1e-9) for x, y in run.epoch_series("peak_memory_bytes")], mark, look)
            for look, (mark, run) in enumerate(marked)]
  charts = [line_chart("Throughput, images per second over all ranks", speed, zero=True),
            line_chart("Peak memory, GB", memory, zero=True)]
  charts += [split_bar(mark, run) for mark, run in marked]
  missing = [mark for mark, run in marked if run.lines and not split(run)]
  note = (f'<p class="note">No time split was recorded for {svg.escape(", ".join(missing))}.</p>'
          if missing else "")
  return (f'<div class="charts">{"".join(charts)}</div>' + note +
          "".join(bad_samples(mark, run) for mark, run in marked))
