"""Settings, data and environment; what differs between the runs comes first."""

import json

from reports import svg
from reports.run import dictionary


def written(value):
  """As a person types it: 0.05, not 0.050000000000000003; '' for what is empty."""
  if value == "":
    return "''"
  if isinstance(value, str):
    try:
      number = float(value)
    except ValueError:
      return value
    if "." in value or "e" in value.lower():
      return repr(float(f"{number:.12g}"))
    return value
  if isinstance(value, float):
    return repr(float(f"{value:.12g}"))
  return value if value is None else json.dumps(value)


def flat(value, prefix=""):
  """{"target.bit_ops": 0}: nested objects by path."""
  if not isinstance(value, dict):
    return {prefix: value}
  items = {}
  for key, inner in value.items():
    items.update(flat(inner, f"{prefix}.{key}" if prefix else str(key)))
  return items


def sources(run):
  config = dictionary(run.config)
  data = flat({"data": dictionary(run.identity.get("data"))})
  environment = dict(dictionary(config.get("environment")))
  if config.get("build"):
    environment["build"] = config["build"]
  return (("Settings", dictionary(config.get("settings"))), ("Data", data),
          ("Environment", flat(environment)))


def rows_of(columns):
  """(rows that differ, rows that are alike)"""
  names = list(dict.fromkeys(name for column in columns for name in column))
  rows = [[name] + [written(column.get(name)) if name in column else "–" for column in columns]
          for name in names]
  return ([row for row in rows if len(set(row[1:])) > 1], [row for row in rows if len(set(row[1:])) == 1])


def section(marked):
  if not any(run.config for _, run in marked):
    return '<p class="note">No config.json could be read.</p>'
  parts = []
  head = [""] + [f"{mark}: {run.name}" for mark, run in marked]
  for i, title in enumerate(("Settings", "Data", "Environment")):
    different, alike = rows_of([sources(run)[i][1] for _, run in marked])
    if not different and not alike:
      parts.append(f'<h3>{title}</h3><p class="note">Not recorded.</p>')
      continue
    parts.append(f"<h3>{title}</h3>")
    if different:
      parts.append(svg.table(head, different, class_="facts"))
    if alike:
      table = svg.table(["", "all runs"] if len(marked) > 1 else head,
                        [row[:2] for row in alike] if len(marked) > 1 else alike, class_="facts")
      parts.append(svg.details(f"{len(alike)} alike in all runs", table) if len(marked) > 1 else
                   table if len(alike) < 12 else svg.details(f"All {len(alike)}", table))
  return "".join(parts)
