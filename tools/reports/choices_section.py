"""How a search came to its choice: alphas, betas and gammas over time, entropy, who decided."""

import math

from reports import genotype, logits, svg
from reports.choices import candidate_bits
from reports.heat_map import heat_map
from reports.line_chart import Line, line_chart
from reports.summary_section import genotype_changes

KINDS = (("normal", "normal cell"), ("reduce", "reduction cell"))
ROOMY, MOST_ROWS = 40, 72  # Rows that are high, and those that are high enough for figures.


def recorded(run):
  """[(epoch, logits)] of the epochs that have them, from the start."""
  return [(epoch, logits.logits_of(line)) for epoch, line in run.history() if logits.logits_of(line)]


def darkest(values):
  """The share that the darkest shade stands for, in twentieths: near the start all are alike and small."""
  most = max((value for row in values for value in row if value is not None), default=1)
  return min(1, math.ceil(20 * most) / 20)


def alpha_map(history, kind, title):
  """The probability of each edge's strongest operation, and which it is."""
  epochs = [epoch for epoch, _ in history]
  values = [[None] * len(epochs) for _ in range(genotype.EDGES)]
  codes = [[""] * len(epochs) for _ in range(genotype.EDGES)]
  for column, (_, found) in enumerate(history):
    for edge, row in logits.alpha_rows(found, kind)[:genotype.EDGES]:
      if not row:
        continue
      probabilities = logits.softmax(row)
      choice = 1 + logits.argmax(probabilities[1:]) if len(row) > 1 else 0
      values[edge][column] = probabilities[choice]
      names = genotype.PRIMITIVES
      codes[edge][column] = genotype.SHORT[names[choice]] if choice < len(names) else str(choice)
  key = ", ".join(f"{code} {name}" for name, code in genotype.SHORT.items() if name != "none")
  return heat_map(f"Alpha, {title}: the strongest operation", genotype.edge_names(), epochs, values,
                  0, darkest(values), codes, scale="probability", note=f"Of those that a genotype may hold: {key}.")


def all_alphas(history, kind, title):
  """Every operation of every edge."""
  epochs = [epoch for epoch, _ in history]
  names, values = [], []
  for edge, name in enumerate(genotype.edge_names()):
    for option, primitive in enumerate(genotype.PRIMITIVES):
      row = []
      for _, found in history:
        alphas = logits.row_of(found.get(f"alphas_{kind}"), edge)
        row.append(logits.softmax(alphas)[option] if alphas and option < len(alphas) else None)
      names.append(f"{name} {genotype.SHORT[primitive]}")
      values.append(row)
  return heat_map(f"Alpha, {title}: every operation", names, epochs, values, 0, darkest(values), row_height=11,
                  scale="probability")


def beta_map(history, kind, title):
  epochs = [epoch for epoch, _ in history]
  values = [[None] * len(epochs) for _ in range(genotype.EDGES)]
  for column, (_, found) in enumerate(history):
    edge = 0
    for _, row in logits.beta_rows(found, kind):
      for probability in logits.softmax(row) if row else []:
        values[edge][column] = probability
        edge += 1
  return heat_map(f"Beta, {title}: how much a node takes of each edge", genotype.edge_names(), epochs,
                  values, 0, darkest(values), scale="share of the node")


def _site_name(site, cells):
  """For people, or None if the cell as it is now does not read it."""
  number, place, gamma_row = site
  if gamma_row is None:
    return f"cell {number}, input {place[-1]}"
  for position, (primitive, _) in enumerate(cells.edges):
    if cells.alpha_edge(position) == place and genotype.GAMMA_ROWS.get(primitive) == gamma_row:
      return f"cell {number}, edge {position} {genotype.SHORT.get(primitive, primitive)}"
  return None


def gamma_maps(run, history, kind, title):
  """Expected bits of what the last genotype keeps, activations and weights apart."""
  bits = candidate_bits(run)
  cells = next((found for _, line in reversed(run.history())
                if (found := genotype.from_text(line.get("genotype")))), None)
  if not bits or not cells or not history:
    return ""
  sites = [(site, _site_name(site, cells[kind]))
           for site, _, _ in logits.gamma_sites(history[-1][1], kind)]
  sites = [(site, name) for site, name in sites if name]
  by_epoch = [{site: (a, w) for site, a, w in logits.gamma_sites(found, kind)} for _, found in history]
  parts = []
  for which, what in enumerate(("activations", "weights")):
    rows = [[by.get(site, (None, None))[which] for by in by_epoch] for site, _ in sites]
    parts.append(bits_map(f"Gamma, {title}s: expected bits of {what}", [name for _, name in sites],
                          [epoch for epoch, _ in history], rows, bits))
  return "".join(parts)


def bits_map(title, names, epochs, rows, bits):
  """`rows[r][epoch]`: logits over the candidates, or None."""
  def expected(row):
    return (sum(p * b for p, b in zip(logits.softmax(row), bits))
            if row and len(row) == len(bits) else None)
  def chosen(row):
    return str(bits[logits.argmax(row)]) if row and len(row) == len(bits) else ""
  values = [[expected(row) for row in line] for line in rows]
  codes = [[chosen(row) for row in line] for line in rows]
  height = 14 if len(names) <= ROOMY else 11 if len(names) <= MOST_ROWS else max(3, 700 / len(names))
  return heat_map(title, names, epochs, values, min(bits), max(bits), codes, row_height=height,
                  scale="bits", label_width=6 + 6 * min(18, max(map(len, names), default=0)), note="" if height >= 11 else "Too many rows for figures; "
                  "the architecture below has the bits of each convolution.")


def entropy_chart(run, history):
  series = {}
  for epoch, found in history:
    for name, rows in logits.groups(found).items():
      value = logits.mean_entropy(rows)
      if value is not None:
        series.setdefault(name, []).append((epoch, value))
  lines = [Line(name, points, str(i + 1), i, i // 4) for i, (name, points) in enumerate(series.items())]
  return line_chart("Entropy of the choices: 1 all alike, 0 decided", lines,
                    note="Mean over the rows of a group, in parts of the largest possible.")


def decision_table(run, history):
  """Who decided each group's rows."""
  if not run.start or not logits.logits_of(run.start):
    return ('<p class="note">What the initial draw decided cannot be told: the start was not recorded '
            "(the run is of an older build).</p>")
  table = logits.decisions(history[0][1], history[-1][1])
  rows = [[name] + [f"{counts[who]} of {sum(counts.values())}" for who in
                    (logits.SEARCH_DECIDED, logits.DRAW_DECIDED, logits.NOT_MOVED)]
          for name, counts in table]
  note = ('<p class="note">A row is decided by the search if it would choose the same had the initial draw '
          "been its mirror image, else by the initial draw. Rows that did "
          "not move are read by no convolution, or alphas had not begun.</p>")
  return "<h4>Who decided</h4>" + svg.table(
      ["rows of", "the search", "the initial draw", "did not move"], rows) + note


def edge_decisions(run, history):
  """Of the edges in the last genotype: the operation, its probability, who decided it."""
  cells = next((found for _, line in reversed(run.history())
                if (found := genotype.from_text(line.get("genotype")))), None)
  if not cells or not logits.logits_of(run.start):
    return ""
  rows = []
  for kind, title in KINDS:
    first, last = (dict(logits.alpha_rows(found, kind)) for found in (history[0][1], history[-1][1]))
    for position, (primitive, state) in enumerate(cells[kind].edges):
      edge = cells[kind].alpha_edge(position)
      before, after = first.get(edge), last.get(edge)
      if not before or not after:
        continue
      probability = logits.softmax(after)
      option = genotype.PRIMITIVES.index(primitive) if primitive in genotype.PRIMITIVES else None
      shown = svg.short(probability[option], 3) if option is not None and option < len(after) else "–"
      rows.append([f"{title}, {genotype.state_name(state)} → {position // 2}", primitive, shown,
                   logits.who_decided(before, after, first=1) or "–"])
  if not rows:
    return ""
  return svg.details("Edge by edge: who decided the genotype's operations",
                     svg.table(["edge", "operation", "probability", "decided by"], rows))


def change_list(run):
  changes, seen = genotype_changes(run)
  if not seen:
    return '<p class="note">No genotype was recorded.</p>'
  if not changes:
    return "<p>The genotype never changed from one record to the next.</p>"
  words = {"normal": "normal", "reduce": "reduction"}
  listed = "; ".join(f"epoch {epoch} ({' and '.join(words[k] for k in kinds)})" for epoch, kinds in changes)
  last = changes[-1][0]
  calm = run.epochs_done - last
  since = f"; the {calm} after it kept it" if calm else ": in the last one"
  return (f"<p>The genotype <b>last changed at epoch {last}</b> of {run.epochs_done}{since}.</p>" +
          svg.details(f"Every change ({len(changes)})", f"<p>{svg.escape(listed)}</p>"))


def of_search(run):
  history = recorded(run)
  parts = [change_list(run)]
  if not history:
    return "".join(parts) + ('<p class="note">Alphas, betas and gammas were not recorded '
                             "(the run is of an older build, or no epoch is finished).</p>")
  parts += [decision_table(run, history), edge_decisions(run, history)]
  charts = [entropy_chart(run, history)]
  for kind, title in KINDS:
    charts += [alpha_map(history, kind, title), beta_map(history, kind, title)]
  for kind, title in KINDS:
    charts.append(gamma_maps(run, history, kind, title))
  every = "".join(all_alphas(history, kind, title) for kind, title in KINDS)
  return "".join(parts) + f'<div class="charts">{"".join(charts)}</div>' + svg.details(
      "All operations of all edges over time", f'<div class="charts">{every}</div>')


def of_precision_search(run):
  history = recorded(run)
  if not history or not candidate_bits(run):
    return '<p class="note">The logits of the bits were not recorded.</p>'
  names = list((run.any_architecture() or {}).get("bits") or {})
  charts = [entropy_chart(run, history)]
  for of, what in (("activ", "activations"), ("weight", "weights")):
    bits = candidate_bits(run, what[:-1])
    count = max(len(logits.bit_rows(found, of)) for _, found in history)
    labels = [names[i].removeprefix("cells.") if i < len(names) else f"row {i}" for i in range(count)]
    rows = [[logits.row_of(found.get(f"alpha_{of}"), i) for _, found in history] for i in range(count)]
    charts.append(bits_map(f"Expected bits of {what}", labels, [e for e, _ in history], rows, bits))
  return decision_table(run, history) + f'<div class="charts">{"".join(charts)}</div>'


def agreement(marked, kind):
  """How much alike searches chose; empty with less than two."""
  searches = [(mark, logits.logits_of(run.history()[-1][1])) for mark, run in marked
              if run.kind == kind and run.history()]
  table = logits.agreement([end for _, end in searches])
  if not table:
    return ""
  marks = ", ".join(mark for mark, _ in searches)
  return (f"<h3>Agreement of {marks}</h3><p>The share of choices that two of them make alike, in the mean over pairs.</p>" +
          svg.table(["choices", "alike"], [[name, f"{share:.2f}"] for name, share in table]))


def section(marked):
  """Empty if no run searched."""
  parts = []
  for mark, run in marked:
    if run.kind == "search":
      parts.append(f"<h3>{svg.escape(f'{mark}: {run.name}')}</h3>" + of_search(run))
    elif run.kind == "precision search":
      parts.append(f"<h3>{svg.escape(f'{mark}: {run.name}')}</h3>" + of_precision_search(run))
  return "".join(parts) + agreement(marked, "search") + agreement(marked, "precision search")
