"""Run folders as the tools write them (docs/metrics.md), made up: for tests."""

import json
import math
import os
import random

from reports import genotype

LAYERS = 8
BITS = [2, 4]
NORMAL = [("sep_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 0), ("dil_conv_5x5", 1),
          ("sep_conv_5x5", 0), ("sep_conv_3x3", 1), ("avg_pool_3x3", 0), ("dil_conv_3x3", 1)]
REDUCE = [("sep_conv_5x5", 1), ("max_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_5x5", 2),
          ("sep_conv_3x3", 0), ("sep_conv_3x3", 3), ("sep_conv_3x3", 1), ("sep_conv_3x3", 2)]
CONVOLUTIONS = {"sep_conv_3x3": ("1", "2", "5", "6"), "sep_conv_5x5": ("1", "2", "5", "6"),
                "dil_conv_3x3": ("1", "2"), "dil_conv_5x5": ("1", "2")}


def write_json(folder, name, value):
  os.makedirs(folder, exist_ok=True)
  with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
    json.dump(value, file)


def write_lines(folder, name, lines):
  os.makedirs(folder, exist_ok=True)
  with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
    file.writelines(json.dumps(line) + "\n" for line in lines)


def genotype_text(normal=None, reduce=None):
  return (f"Genotype(normal={normal or NORMAL}, normal_concat=range(2, 6), "
          f"reduce={reduce or REDUCE}, reduce_concat=range(2, 6))")


def architecture(seed=1, layers=LAYERS, bits=BITS):
  rng = random.Random(seed)
  widths, convolutions = {}, {"stem.0": ["3->48 3x3/1 g1 @32", 32, 32, 1.36e9, 12288, 5184]}
  for cell in range(layers):
    edges = REDUCE if cell in (layers // 3, 2 * layers // 3) else NORMAL
    names = [f"cells.{cell}.preprocess{i}.conv" for i in (0, 1)]
    names += [f"cells.{cell}._ops.{i}.conv{c}" for i, (primitive, _) in enumerate(edges)
              for c in CONVOLUTIONS.get(primitive, ())]
    pairs = {}
    for name in names:
      a, w = widths[name] = pairs.setdefault(name.rpartition(".")[0], [rng.choice(bits), rng.choice(bits)])
      macs = rng.choice((1.5e5, 2.6e5, 9e5)) * (4 if "preprocess" in name else 1)
      convolutions[name] = ["16->16 3x3/1 g16 @32", a, w, macs * a * w, 2048.0 * a, 18.0 * w,
                            macs * a * w * 1.6e-5, 16.4 * a, 2.3e-3 * w]
  convolutions["classifier"] = ["256->10 1x1/1 g1 @1", 32, 32, 2.6e6, 1024, 10240]
  part = {"compression": {"bit_ops": 120.5, "weight_memory": 11.25, "activation_memory": 10.1}}
  return {
      "format": "nqdarts architecture", "version": 1, "build_id": "0" * 40,
      "network": {"images": "cifar", "image_side": 32, "channels": 16, "layers": layers, "classes": 10},
      "genotype": {"normal": NORMAL, "normal_concat": [2, 3, 4, 5], "reduce": REDUCE,
                   "reduce_concat": [2, 3, 4, 5]},
      "bits": widths, "search": {},
      "cost": {"parameters": 123456,
               "published_cells": {"bit_ops_millions": 812.5, "activation_kilobits": 2500.0,
                                   "weight_megabits": 1.5, **part},
               "exact_cells": {"bit_ops": 5.1e8, "activation_bytes": 312000.0, "weight_bytes": 61000.0, **part},
               "exact_network": {"bit_ops": 1.9e9, "activation_bytes": 330000.0, "weight_bytes": 77000.0, **part},
               "convolutions": convolutions}}


def _nested(rng, shape, scale):
  if not shape:
    return rng.gauss(0, scale)
  return [_nested(rng, shape[1:], scale) for _ in range(shape[0])]


def _moved(start, drift, amount):
  if isinstance(start, list):
    return [_moved(s, d, amount) for s, d in zip(start, drift)]
  return round(start + amount * drift, 6)


def logits_shapes(layers=LAYERS, bits=BITS):
  shapes = {f"alphas_{kind}": (14, 8) for kind in ("normal", "reduce")}
  shapes.update({f"betas_{kind}": (14,) for kind in ("normal", "reduce")})
  for cell, count in (("n", layers - 2), ("r", 2)):
    for of in ("activ", "weight"):
      shapes[f"gamma_{of}_cell{cell}"] = (count, 14, 6, len(bits))
      for i in (0, 1):
        shapes[f"gamma_{of}_cell{cell}_preprocess{i}"] = (count, len(bits))
  return shapes


def logits_over_time(seed, epochs, shapes):
  """[logits] of the start and every epoch: the initial draw, then a steady drift."""
  rng = random.Random(seed)
  start = {name: _nested(rng, shape, 1e-3) for name, shape in shapes.items()}
  drift = {name: _nested(rng, shape, 1.0) for name, shape in shapes.items()}
  for kind, edges in (("normal", NORMAL), ("reduce", REDUCE)):
    if f"alphas_{kind}" in drift:
      for position, (primitive, state) in enumerate(edges):
        edge = genotype.FIRST_EDGE[position // 2] + state
        drift[f"alphas_{kind}"][edge][genotype.PRIMITIVES.index(primitive)] += 4
  return [{name: _moved(start[name], drift[name], 0.8 * epoch / epochs) for name in shapes}
          for epoch in range(epochs + 1)]


def _settings(**changed):
  return {"batch": "64", "lr": "0.10000000000000001", "epochs": "12", "seed": "2", "preset": "cifar",
          "device": "cpu", "train_data": "shards/train", **changed}


def config(task, epochs, **settings):
  return {"format": "nqdarts run", "version": 1, "settings": _settings(**settings),
          "identity": {"config": task, "epochs": epochs, "seed": 2,
                       "data": {"train": {"samples": 1437, "classes": ["0", "1"], "labels": "0963f6cf"}}},
          "environment": {"ranks": 2, "threads": 1, "processor": "A processor", "instruction_set": "AVX2",
                          "torch": "2.11.0"},
          "build": "1" * 40}


def metric_lines(epochs, done, steps=6, seed=1, summaries=None, search=False, test=True):
  """Lines of a run of which `done` epochs are finished. `summaries`: what Task::EpochSummary adds."""
  rng = random.Random(seed)
  time = 1790000000
  def common(kind, step):
    return {"kind": kind, "global_step": step, "epoch": 0 if step == 0 else (step - 1) // steps + 1,
            "time": time + 40 * step}
  def measures(part):
    loss = 2.3 * math.exp(-2 * part) + 0.1 * rng.random()
    found = {"loss": loss, "accuracy": 1 - 0.4 * loss, "gradient_norm": 2 * loss}
    if search:
      found.update(search_loss=loss + 0.1, search_accuracy=0.97 - 0.4 * loss, complexity=9 - part,
                   alpha_gradient_norm=0.01 * loss, gamma_gradient_norm=0.002 * loss)
    return found
  lines = [{**common("start", 0), "learning_rate": 0.1, **(summaries[0] if summaries else {})}]
  for step in range(1, done * steps + 1):
    part = step / (epochs * steps)
    if step % 2 == 0:
      lines.append({**common("train", step), **measures(part), "images_per_second": 200 + 40 * rng.random()})
    if step % steps == 0:
      epoch = step // steps
      lines.append({**common("epoch", step), **measures(part),
                    "learning_rate": 0.05 * (1 + math.cos(math.pi * (epoch - 1) / epochs)),
                    "seconds": {"data": 3.0, "wait": 1.5, "step": 60.0 + rng.random(), "evaluation": 6.0,
                                "checkpoint": 0.8},
                    "peak_memory_bytes": 1_200_000_000 + 1_000_000 * epoch,
                    **(summaries[epoch] if summaries else {})})
      if test:
        lines.append({**common("evaluation", step), "loss": 2.2 * math.exp(-1.8 * part),
                      "accuracy": 0.95 - 0.8 * math.exp(-3 * part)})
  return lines


def search_run(folder, epochs=12, done=None, seed=1, bits=BITS):
  """A search; its genotype changes for the last time at half its epochs."""
  done = epochs if done is None else done
  summaries = []
  for epoch, logits in enumerate(logits_over_time(seed, epochs, logits_shapes(bits=bits))):
    early = [("max_pool_3x3", p) for _, p in NORMAL[:2]] + NORMAL[2:]
    summaries.append({"genotype": genotype_text(early if 2 * epoch < epochs else None), "logits": logits})
  task = {"supernet": {"bits": bits, "layers": LAYERS, "channels": 16}, "alpha_begin": 2}
  write_json(folder, "config.json", config(task, epochs))
  write_lines(folder, "metrics.jsonl", metric_lines(epochs, done, seed=seed, summaries=summaries, search=True))
  if done == epochs:
    write_json(folder, "architecture.json", architecture(seed, bits=bits))
  return folder


def training_run(folder, epochs=12, done=None, seed=1, bad_samples=0):
  found = architecture(seed)
  write_json(folder, "config.json", config({"rate": {"base": 0.1}, "architecture": json.dumps(found)}, epochs,
                                           lr="0.025000000000000001"))
  write_lines(folder, "metrics.jsonl", metric_lines(epochs, epochs if done is None else done, seed=seed))
  write_json(folder, "architecture.json", found)
  if bad_samples:
    write_lines(folder, "bad_samples.jsonl", [
        {"stream": "train", "id": i, "name": f"images/<{i}>.jpg", "reason": "no JPEG image: starts with 00"}
        for i in range(bad_samples)])
  return folder


def bit_search_run(folder, file, found, bits, candidates, epochs, seed):
  """`candidates`: how many there are for activations and for weights."""
  shapes = {f"alpha_{of}": (len(found["bits"]), count) for of, count in zip(("activ", "weight"), candidates)}
  summaries = [{"logits": logits} for logits in logits_over_time(seed, epochs, shapes)]
  task = {"bits": bits, "alpha_rate": {"base": 0.01}, "architecture": json.dumps(found)}
  write_json(folder, "config.json", config(task, epochs))
  write_lines(folder, "metrics.jsonl", metric_lines(epochs, epochs, seed=seed, summaries=summaries))
  write_json(folder, file, found)
  return folder


def precision_run(folder, epochs=12, seed=3):
  return bit_search_run(folder, "architecture.json", architecture(seed), BITS, (2, 2), epochs, seed)


def fixed_network_run(folder, epochs=6, seed=4):
  """A search for the bits of a network whose structure is given."""
  rng = random.Random(seed)
  bits = {"activation": [2, 3, 4], "weight": [1, 2, 3, 4]}
  names = [f"layer{stage}.0.conv{i}" for stage in (1, 2) for i in (1, 2)]
  widths = {name: [rng.choice(bits["activation"]), rng.choice(bits["weight"])] for name in names}
  found = dict(architecture(seed), format="nqdarts fixed network", bits=widths,
               network={"name": "edmips_resnet18", "images": "imagenet", "image_side": 224, "classes": 10})
  del found["genotype"]
  found["cost"]["convolutions"] = {name: ["64->64 3x3/1 g1 @56", *pair, 4.6e8, 5e4, 9e3, 462.4, 401.4, 0.07]
                                   for name, pair in widths.items()}
  return bit_search_run(folder, "network.json", found, bits, (3, 4), epochs, seed)


def comparison(folder, methods=9, budgets=5):
  names = ["SubNet 32/32", "PTQ 8/8 linear", "PTQ 4/8 linear", "PTQ 4/4 linear", "PTQ 2/2 linear", "FBQAT 2/2",
           "FBQAT 4/4", "QSubNet", "QDARTS"][:methods]
  bit_ops = [8.034e9, 5.021e8, 2.511e8, 1.255e8, 3.138e7, 3.138e7, 1.255e8, 3.335e7, 4.481e7]
  accuracy = [96.67, 96.5, 62.08, 45.83, 9.86, 61.81, 92.22, 84.17, 88.06]
  summary = [{"method": name, "accuracy": {"mean": accuracy[i], "deviation": 1.0 + i % 4},
              "bit_ops": {"mean": bit_ops[i], "deviation": 0.05 * bit_ops[i]},
              "published_bit_ops_millions": {"mean": bit_ops[i] * 6e-6, "deviation": 0.0},
              "weight_bytes": {"mean": 5e4, "deviation": 0.0}, "activation_bytes": {"mean": 3e5, "deviation": 0.0},
              "search_seconds": {"mean": 33.0, "deviation": 2.0},
              "train_seconds": {"mean": 26.0, "deviation": 1.0}} for i, name in enumerate(names)]
  pareto = [{"target_bit_ops": 2e7 * (i + 1), "method": method, "bit_ops": 2e7 * (i + 1) * (1.02 - 0.01 * i),
             "accuracy": 70.0 + 7 * i - (9 if i == 3 else 0) - below, "dominated": i == 3 or below > 0}
            for i in range(budgets) for method, below in (("QDARTS {2,4}", 0), ("random architecture", 6))]
  paired = [{"method": "QDARTS", "other": "QSubNet", "mean": 3.9, "deviation": 1.2, "t": 4.6}]
  write_json(folder, "comparison.json", {"options": {}, "rows": {"2": {}, "3": {}}, "summary": summary,
                                         "paired": paired, "pareto": pareto})
  return folder
