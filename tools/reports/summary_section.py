"""The runs at a glance, and what the reader should know about each."""

from reports import svg
from reports.genotype import from_text
from reports.run import dictionary, is_number


def best(series):
  """(epoch, value) of the largest."""
  return max(series, key=lambda point: point[1]) if series else None


def genotype_changes(run):
  """[(epoch, the kinds of cells that changed)], and whether any genotype was recorded."""
  changes, before, seen = [], None, False
  for epoch, line in run.history():
    now = from_text(line.get("genotype"))
    if now is None:
      continue
    seen = True
    if before is not None:
      changed = [kind for kind in ("normal", "reduce") if now[kind] != before[kind]]
      if changed:
        changes.append((epoch, changed))
    before = now
  return changes, seen


def last_change_text(run):
  changes, seen = genotype_changes(run)
  if not seen:
    return None
  if not changes:
    return "never since the first record"
  return f"epoch {changes[-1][0]} of {run.epochs_done}"


def facts(run):
  """{what: value as text} of one run."""
  rows = {"kind": run.kind, "state": run.state()}
  loss = run.epoch_series("loss")
  accuracy = run.epoch_series("accuracy")
  tested = run.epoch_series("accuracy", "evaluation")
  if loss:
    rows["last training loss"] = svg.short(float(loss[-1][1]))
  if accuracy:
    rows["last training accuracy"] = f"{100 * accuracy[-1][1]:.2f} %"
  if tested:
    epoch, value = best(tested)
    rows["best test accuracy"] = f"{100 * value:.2f} % (epoch {epoch})"
    rows["last test accuracy"] = f"{100 * tested[-1][1]:.2f} %"
  evaluated = dictionary(run.evaluation.get("means")).get("accuracy")
  if is_number(evaluated):
    rows["evaluated accuracy"] = f"{100 * evaluated:.2f} %"
  if run.kind == "search":
    rows["genotype last changed"] = last_change_text(run)
  rows.update(cost_facts(dictionary(dictionary(run.any_architecture()).get("cost"))))
  speed = run.step_series("images_per_second")
  if speed:
    rows["images per second, median"] = svg.short(sorted(v for _, v in speed)[len(speed) // 2], 3)
  peak = [line["peak_memory_bytes"] for line in run.of_kind("epoch")
          if is_number(line.get("peak_memory_bytes"))]
  if peak:
    rows["peak memory of a process"] = svg.memory(max(peak))
  if run.bad_samples:
    rows["bad samples left out"] = str(len(run.bad_samples))
  return rows


def cost_facts(cost):
  exact = dictionary(cost.get("exact_network"))
  published = dictionary(cost.get("published_cells"))
  rows = {}
  if is_number(cost.get("parameters")):
    rows["parameters"] = svg.short(cost["parameters"])
  if is_number(exact.get("bit_ops")):
    rows["BitOps of the network, exact"] = svg.with_unit(exact["bit_ops"], "BitOps")
  if is_number(published.get("bit_ops_millions")):
    rows["BitOps of the cells, as published"] = svg.with_unit(1e6 * published["bit_ops_millions"], "BitOps")
  if is_number(exact.get("weight_bytes")):
    rows["weights"] = svg.memory(exact["weight_bytes"])
  if is_number(exact.get("activation_bytes")):
    rows["activations"] = svg.memory(exact["activation_bytes"])
  return rows


def summary_table(marked):
  """(head, rows): a column a run."""
  columns = [facts(run) for _, run in marked]
  names = list(dict.fromkeys(name for column in columns for name in column))
  head = [""] + [f"{mark}: {run.name}" for mark, run in marked]
  return head, [[name] + [column.get(name) or "–" for column in columns] for name in names]


def problems_of(marked, comparisons):
  """[(who, what)] that the reader should know."""
  return ([(f"{mark}: {run.name}", problem) for mark, run in marked for problem in run.problems] +
          [(c.name, problem) for c in comparisons for problem in c.problems])


def section(marked, comparisons):
  parts = []
  problems = problems_of(marked, comparisons)
  if problems:
    items = "".join(f"<li><b>{svg.escape(who)}</b>: {svg.escape(what)}</li>" for who, what in problems)
    parts.append(f'<div class="missing" role="note"><h3>What is missing</h3><ul>{items}</ul></div>')
  if marked:
    parts.append(svg.table(*summary_table(marked), class_="facts"))
  for comparison in comparisons:
    parts.append(f"<p><b>{svg.escape(comparison.name)}</b>: {svg.escape(comparison.state())}</p>")
  return "".join(parts)
