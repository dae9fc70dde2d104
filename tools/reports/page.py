"""The page: one file, nothing fetched, no script; it adapts to width, darkness and paper by its style."""

import os

from reports import (architecture_section, choices_section, comparison_section, cost_section,
                     curves_section, settings_section, summary_section, svg, time_section)


def style():
  with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "style.css"),
            encoding="utf-8") as file:
    return file.read()


def mark_of(index):
  """How a run is called on the page: A, B, …"""
  return comparison_section.mark_of(index, "A")


def sections(runs, comparisons):
  """[(id, title, markup)], without those that have nothing to say."""
  marked = [(mark_of(i), run) for i, run in enumerate(runs)]
  found = [("summary", "At a glance", summary_section.section(marked, comparisons)),
           ("comparison", "Comparison", comparison_section.section(comparisons))]
  if marked:
    found += [
        ("curves", "Curves", curves_section.section(marked)),
        ("choices", "How the search chose", choices_section.section(marked)),
        ("architecture", "The network found", architecture_section.section(marked)),
        ("costs", "Costs", cost_section.section(marked)),
        ("time", "Time and samples", time_section.section(marked)),
        ("settings", "Settings and environment", settings_section.section(marked)),
    ]
  return [part for part in found if part[2]]


def page(runs, comparisons, when):
  """The whole document. `when`: the time it was made, as text."""
  parts = sections(runs, comparisons)
  names = [run.name for run in runs] + [comparison.name for comparison in comparisons]
  title = svg.escape("Report: " + ", ".join(names))
  links = "".join(f'<a href="#{name}">{svg.escape(caption)}</a>' for name, caption, _ in parts)
  body = "".join(f'<section id="{name}"><h2>{svg.escape(caption)}</h2>{content}</section>'
                 for name, caption, content in parts)
  return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
          '<meta name="viewport" content="width=device-width, initial-scale=1">'
          '<meta name="color-scheme" content="light dark">'
          f'<link rel="icon" href="data:,"><title>{title}</title><style>{style()}</style></head>'
          f'<body><h1>{title}</h1><p class="when">Made {svg.escape(when)} by tools/report.</p>'
          f"<nav>{links}</nav>{body}</body></html>\n")
