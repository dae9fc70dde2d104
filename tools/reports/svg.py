"""Pieces of SVG and HTML, and numbers as people write them."""

import html
import math


def escape(text):
  return html.escape(str(text), quote=True)


def tag(name, content="", **attributes):
  """An element; `content` is markup. `class_` and names with underscores become class and hyphens."""
  words = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(number(value))}"'
                  for key, value in attributes.items() if value is not None)
  return f"<{name}{words}>{content}</{name}>" if content != "" else f"<{name}{words}/>"


def number(value):
  """A coordinate: short, never in exponents."""
  if isinstance(value, float):
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
  return value


def text(x, y, content, **attributes):
  return tag("text", escape(content), x=x, y=y, **attributes)


def title(content):
  """What a pointer over the element shows, and a screen reader says."""
  return f"<title>{escape(content)}</title>"


def drawing(across, down, label, content, **attributes):
  return tag("svg", content, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {number(float(across))} "
             f"{number(float(down))}", role="img", aria_label=label, **attributes)


def short(value, digits=4):
  """0.05, 1,234, 1.2e-07: as a person writes it."""
  if isinstance(value, bool) or value is None:
    return str(value)
  if isinstance(value, int):
    return f"{value:,}"
  if not isinstance(value, float):
    return str(value)
  if not math.isfinite(value):
    return "not finite"
  if value and not 1e-4 <= abs(value) < 1e9:
    return f"{value:.{digits}g}"
  places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
  text_ = f"{value:,.{places}f}"
  return text_.rstrip("0").rstrip(".") if "." in text_ else text_


def with_unit(value, unit, scales=((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")), digits=4):
  for scale, prefix in scales:
    if abs(value) >= scale:
      return f"{short(value / scale, digits)} {prefix}{' ' if len(unit) > 3 else ''}{unit}"
  return f"{short(value)} {unit}"


def memory(value):
  return with_unit(value, "B", ((1e9, "G"), (1e6, "M"), (1e3, "K")))


def duration(seconds):
  seconds = float(seconds)
  if seconds < 60:
    return f"{short(seconds, 3)} s"
  minutes, rest = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def table(head, rows, class_=None, first_is_head=True):
  """Cells are text; a cell that begins with "<" is escaped like any other. Numbers are set right, and so is the head of a column of numbers."""
  def numeric(value):
    return value[:1].isdigit() or value[:1] in "+-−" and value[1:2].isdigit()
  def cell(i, value):
    value = "" if value is None else str(value)
    if i == 0 and first_is_head:
      return f'<th scope="row">{escape(value)}</th>'
    return f'<td class="number">{escape(value)}</td>' if numeric(value) else f"<td>{escape(value)}</td>"
  def heading(i, value):
    below = [row[i] for row in rows if i < len(row)]
    right = (i > 0 or not first_is_head) and below and all(numeric(str(entry)) for entry in below)
    return f'<th scope="col" class="number">{escape(value)}</th>' if right else f'<th scope="col">{escape(value)}</th>'
  heads = "".join(heading(i, value) for i, value in enumerate(head))
  body = "".join("<tr>" + "".join(cell(i, v) for i, v in enumerate(row)) + "</tr>" for row in rows)
  kind = f' class="{class_}"' if class_ else ""
  return (f'<div class="scroll" tabindex="0"><table{kind}><thead><tr>{heads}</tr></thead>'
          f"<tbody>{body}</tbody></table></div>")


def details(summary, content):
  return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def figure(caption, content, note=""):
  note = f'<p class="note">{escape(note)}</p>' if note else ""
  return f"<figure><figcaption>{escape(caption)}</figcaption>{content}{note}</figure>"
