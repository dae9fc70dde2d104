"""Genotypes and the search space, as far as a report draws them (nas/space)."""

import ast
import re

PRIMITIVES = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
              "dil_conv_3x3", "dil_conv_5x5")
# For the narrow columns of heat maps.
SHORT = dict(zip(PRIMITIVES, ("–", "mp", "ap", "sk", "s3", "s5", "d3", "d5")))
# The third dimension of a gamma tensor; row 4 is read by none.
GAMMA_ROWS = {"sep_conv_3x3": 0, "sep_conv_5x5": 1, "dil_conv_3x3": 2, "dil_conv_5x5": 3,
              "skip_connect": 5}
NODES = 4
FIRST_EDGE = (0, 2, 5, 9)  # Of each node; a node has an edge from every earlier state.
EDGES = 14


def state_name(state):
  return ("c[k−2]", "c[k−1]")[state] if state < 2 else f"node {state - 2}"


def edge_names():
  """Of the 14 edges of a searched cell, in the order of alpha's rows."""
  return [f"{state_name(p)} → {i}" for i in range(NODES) for p in range(i + 2)]


class Cell:
  """edges: [(primitive, predecessor)], two for each node; concat: the states of the output."""

  def __init__(self, edges, concat):
    self.edges = edges
    self.concat = concat

  def __eq__(self, other):
    return isinstance(other, Cell) and (self.edges, self.concat) == (other.edges, other.concat)

  def alpha_edge(self, position):
    """The row of alpha that the edge at `position` comes from; None beyond the searched nodes."""
    node = position // 2
    return FIRST_EDGE[node] + self.edges[position][1] if node < NODES else None


def _cell(edges, concat):
  pairs = [(str(primitive), int(predecessor)) for primitive, predecessor in edges]
  if not pairs or len(pairs) % 2 or any(not 0 <= p < 2 + i // 2 for i, (_, p) in enumerate(pairs)):
    raise ValueError("edges do not make a cell")
  return Cell(pairs, [int(state) for state in concat])


def from_json(genotype):
  """{"normal": Cell, "reduce": Cell}, or None if it is no genotype."""
  try:
    return {kind: _cell(genotype[kind], genotype[kind + "_concat"]) for kind in ("normal", "reduce")}
  except (KeyError, TypeError, ValueError):
    return None


def from_text(text):
  """The same from the published form, Genotype(normal=[('sep_conv_3x3', 1), …], …)."""
  if not isinstance(text, str) or not text.startswith("Genotype("):
    return None
  fields = {}
  for name, value in re.findall(r"(\w+)=(\[[^\]]*\]|range\(\d+, ?\d+\))", text):
    bounds = re.match(r"range\((\d+), ?(\d+)\)", value)
    try:
      fields[name] = (list(range(min(int(bounds[1]), 99), min(int(bounds[2]), 99))) if bounds
                      else ast.literal_eval(value))
    except (SyntaxError, ValueError):
      return None
  return from_json(fields)
