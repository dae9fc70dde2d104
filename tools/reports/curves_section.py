"""Loss, accuracy, learning rate and whatever else was recorded, by epoch, all runs in one chart."""

from reports import svg
from reports.line_chart import Line, line_chart

# (caption, [(kind of line, field, what)], options of line_chart)
CHARTS = (
    ("Loss", (("epoch", "loss", "training"), ("epoch", "search_loss", "search half"),
              ("evaluation", "loss", "test")), {}),
    ("Accuracy", (("epoch", "accuracy", "training"), ("epoch", "search_accuracy", "search half"),
                  ("evaluation", "accuracy", "test")), {}),
    ("Learning rate", (("epoch", "learning_rate", "weights"),), {"zero": True}),
    ("Complexity (expected BitOps, in units of the first convolution's MACs)",
     (("epoch", "complexity", "expected"),), {}),
    ("Complexity's weight in the loss", (("epoch", "complexity_weight", "weight"),), {}),
    ("Times over the budget", (("epoch", "times_over_target", "BitOps / budget"),), {}),
    ("Norm of the gradient", (("epoch", "gradient_norm", "weights"),
                              ("epoch", "alpha_gradient_norm", "alpha"),
                              ("epoch", "gamma_gradient_norm", "gamma")), {"log_y": True}),
)
PERCENT = ("accuracy", "search_accuracy")


def lines_of(marked, series):
  lines = []
  for look, (mark, run) in enumerate(marked):
    for dash, (kind, field, what) in enumerate(series):
      scale = 100 if field in PERCENT else 1
      points = [(x, scale * y) for x, y in run.epoch_series(field, kind)]
      if points:
        first = not any(line.look == look for line in lines)
        lines.append(Line(f"{mark}: {what}", points, mark if first else "", look, dash))
  return lines


def steps_of(marked, field):
  """What was reported between the epochs, behind the epochs' lines."""
  return [Line(f"{mark}: between epochs", run.step_series(field), "", look, 0, faint=True)
          for look, (mark, run) in enumerate(marked) if len(run.step_series(field)) > 1]


def section(marked):
  parts = []
  for caption, series, options in CHARTS:
    lines = lines_of(marked, series)
    behind = []
    if caption in ("Loss", "Accuracy"):
      field = series[0][1]
      behind = steps_of(marked, field)
      if field in PERCENT:
        for line in behind:
          line.points = [(x, 100 * y) for x, y in line.points]
    unit = ", %" if caption == "Accuracy" else ""
    rule = None
    begin = alpha_begin(marked)
    if begin and caption in ("Loss", "Accuracy", "Norm of the gradient"):
      rule = (begin, f"alphas move from epoch {begin + 1} on")
    notes = ["Thin: training, between epochs."] if behind else []
    notes += [f"Dotted: {rule[1]}."] if rule else []
    parts.append(line_chart(caption + unit, behind + lines, rule=rule, note=" ".join(notes), **options))
  parts = [part for part in parts if part]
  if not parts:
    return '<p class="note">Nothing was recorded to draw.</p>'
  return f'<div class="charts">{"".join(parts)}</div>'


def alpha_begin(marked):
  """The epoch after which the alphas of the only search move, or None."""
  begins = {run.task.get("alpha_begin") for _, run in marked if run.kind == "search"}
  begin = begins.pop() if len(begins) == 1 else None
  return begin if isinstance(begin, int) and begin > 0 else None
