"""The methods of a comparison as steps, and what their results say.

SubNet (PC-DARTS in float); on its genotype PTQ, FBQAT at 2, 3 and 4 bits, QSubNet, bits by
sensitivity, and random bits; QDARTS
over bits 2, 4 and over 2, 4, 8; a random architecture with random bits. All that choose bits do it on one
budget, what FBQAT costs at 3 bits, so that accuracies can be compared. For each further budget, with the first
seed, QDARTS, QSubNet and a random architecture."""

import os
import shlex

from comparison.steps import Step, read_json
from reports import logits
from reports.run import Run

FIXED_BITS = (2, 3, 4)
EQUAL_BITS = 3  # Whose BitOps all budgets of a seed are.
QDARTS_BITS = ("2,4", "2,4,8")
OWN, RANDOM = "QDARTS {2,4}", "random architecture"
# What QDARTS is compared with seed by seed.
RIVALS = (RANDOM, "random bits", "sensitivity", "QSubNet", f"FBQAT {EQUAL_BITS}/{EQUAL_BITS}")


class Trained:
  """A method's network: searched (unless it is SubNet's with other bits), trained, evaluated."""

  def __init__(self, searches, training, evaluation):
    self.searches, self.training, self.evaluation = searches, training, evaluation

  def steps(self):
    return self.searches + [self.training, self.evaluation]

  def row(self):
    return _row(read_json(self.evaluation.result), sum(step.seconds() for step in self.searches),
                self.training.seconds())


class Ptq:
  """SubNet's network quantized without training: a row for each method and pair of bits."""

  def __init__(self, subnet, step):
    self.subnet, self.step = subnet, step

  def steps(self):
    return [self.step]

  def rows(self):
    searches = sum(step.seconds() for step in self.subnet.searches)
    seconds = self.subnet.training.seconds() + self.step.seconds()
    return {f"PTQ {entry['forward_bits']}/{entry['param_bits']} {entry['method']}": _row(entry, searches, seconds)
            for entry in read_json(self.step.result)["quantized"]}


def _row(evaluation, search_seconds, train_seconds):
  cost = evaluation["cost"]
  exact = cost["exact_network"]
  return {
      "accuracy": 100 * evaluation["means"]["accuracy"],
      "bit_ops": cost["exact_cells"]["bit_ops"],
      "published_bit_ops_millions": cost["published_cells"]["bit_ops_millions"],
      "network_bit_ops": exact["bit_ops"],
      "weight_bytes": exact["weight_bytes"],
      "activation_bytes": exact["activation_bytes"],
      "search_seconds": search_seconds,
      "train_seconds": train_seconds,
  }


class Seed:
  """All methods with one seed."""

  def __init__(self, options, seed):
    self.options, self.seed = options, seed
    self._subnet_search = self._search("subnet", ["--bits=32"])
    self.subnet = self._train("subnet", [self._subnet_search])
    self.networks = {"SubNet 32/32": self.subnet}
    self.ptq = Ptq(self.subnet, self._ptq())
    for bits in FIXED_BITS:
      self.networks[f"FBQAT {bits}/{bits}"] = self._train(f"fbqat{bits}", [self._subnet_search],
                                                          [f"--abits={bits}", f"--wbits={bits}"])
    self.networks["random bits"] = self._bits_of_subnet("random_bits", EQUAL_BITS, ["--method=random"])
    self.networks["sensitivity"] = self._by_sensitivity()
    self.networks["QSubNet"] = self._bits_of_subnet("qsubnet", EQUAL_BITS, [])
    for bits in QDARTS_BITS:
      self.networks["QDARTS {" + bits + "}"] = self._qdarts(
          "qdarts" + bits.replace(",", ""), EQUAL_BITS, [f"--bits={bits}"])
    self.networks[RANDOM] = self._qdarts("random", EQUAL_BITS, ["--random"])

  def steps(self):
    return [step for network in self.networks.values() for step in network.steps()]

  def rows(self):
    """{method: row} once all steps are done."""
    rows = {"SubNet 32/32": self.subnet.row(), **self.ptq.rows()}
    rows.update((name, network.row()) for name, network in self.networks.items() if name not in rows)
    return rows

  def on_budget(self, bits):
    """{method: its network} of those that the list of budgets has, on what SubNet costs at `bits`."""
    return {OWN: self._qdarts(f"qdarts_{bits}", bits, [f"--bits={QDARTS_BITS[0]}"]),
            "QSubNet": self._bits_of_subnet(f"qsubnet_{bits}", bits, []),
            RANDOM: self._qdarts(f"random_{bits}", bits, ["--random"])}

  def bit_ops_at(self, bits):
    """What SubNet's cells cost if all is at `bits`, which need not be a whole number."""
    return read_json(self._subnet_search.result)["cost"]["exact_cells"]["bit_ops"] * (float(bits) / 32) ** 2

  def _folder(self, name):
    return os.path.join(self.options.output, f"seed{self.seed}", name)

  def _step(self, name, tool, flags, result, needs=(), launcher=()):
    return Step(self._folder(name), os.path.join(self.options.tools, tool), flags, result, needs, launcher)

  def _run(self, name, tool, epochs, flags, result, needs):
    """Of a tool that trains."""
    options = self.options
    common = [f"--preset={options.preset}", f"--run={self._folder(name)}", "--resume=auto", f"--seed={self.seed}",
              f"--epochs={epochs}", f"--train_data={options.train_data}"]
    return self._step(name, tool, common + flags, result, needs, shlex.split(options.launcher))

  def _search(self, name, flags, needs=()):
    return self._run(name + "_search", "search", self.options.search_epochs,
                     flags + shlex.split(self.options.search_flags), "architecture.json", needs)

  def _train(self, name, searches, flags=()):
    """The network that the last of `searches` found, with the bits of `flags` if there are any."""
    options = self.options
    training = self._run(name, "train", options.train_epochs,
                         [f"--architecture={searches[-1].result}"] + list(flags) +
                         shlex.split(options.train_flags), "weights.pt", [searches[-1]])
    folder = name + "/evaluation"
    evaluation = self._step(folder, "evaluate",
                            [f"--architecture={training.folder}/architecture.json", f"--weights={training.result}",
                             f"--test_data={options.test_data}",
                             f"--output={self._folder(folder)}/evaluation.json"], "evaluation.json", [training])
    return Trained(searches, training, evaluation)

  def _budget(self, bits):
    return lambda: f"--target_bitops={self.bit_ops_at(bits):.0f}"

  def _qdarts(self, name, bits, flags):
    return self._train(name, [self._search(name, flags + [self._budget(bits)], [self._subnet_search])])

  def _by_sensitivity(self):
    trained = self.subnet.training
    network = self._bits_of_subnet("sensitivity", EQUAL_BITS,
                                   ["--method=sensitivity", f"--initial_weights={trained.result}"], [trained])
    network.searches.insert(1, trained)  # It is measured on trained weights.
    return network

  def _bits_of_subnet(self, name, bits, flags, needs=()):
    subnet = self._subnet_search
    search = self._run(name + "_search", "precision_search", self.options.search_epochs,
                       [f"--architecture={subnet.result}", f"--target_compression={(32 / float(bits)) ** 2}"] + flags +
                       shlex.split(self.options.precision_search_flags), "architecture.json", [subnet, *needs])
    trained = self._train(name, [search])
    trained.searches = [subnet, search]  # Its genotype has to be found, too.
    return trained

  def _ptq(self):
    options = self.options
    return self._step("ptq", "ptq",
                      [f"--architecture={self._subnet_search.result}",
                       f"--weights={self.subnet.training.result}", f"--test_data={options.test_data}",
                       f"--methods={options.ptq_methods}", f"--sweep={options.ptq_sweep}",
                       f"--bn_bits={options.ptq_bn_bits}", f"--calibration_data={options.train_data}",
                       f"--output={self._folder('ptq')}/ptq.json"], "ptq.json", [self.subnet.training])


class Comparison:
  """The plan: every method with every seed, then the list of budgets with the first."""

  def __init__(self, options):
    self.seeds = {seed: Seed(options, seed) for seed in options.seeds}
    self.first = self.seeds[options.seeds[0]]
    self.budgets = {bits: self.first.on_budget(bits) for bits in sorted(options.budget_bits, key=float)}

  def steps(self):
    steps = [step for seed in self.seeds.values() for step in seed.steps()]
    for networks in self.budgets.values():
      steps += [step for network in networks.values() for step in network.steps()]
    steps += [step for seed in self.seeds.values() for step in seed.ptq.steps()]  # The longest of all.
    return list(dict.fromkeys(steps))  # SubNet's search is one of several methods' steps.

  def rows_by_seed(self):
    return {seed: methods.rows() for seed, methods in self.seeds.items()}

  def agreement(self):
    """[(what is chosen, share)]: how much alike the searches of QDARTS are with different seeds."""
    folders = [os.path.dirname(methods.networks[OWN].searches[-1].result) for methods in self.seeds.values()]
    return logits.agreement([logits.logits_of(Run(folder).history()[-1][1]) for folder in folders])

  def points(self):
    """[{"target_bit_ops", "method", row…}], by budget."""
    return [{"target_bit_ops": self.first.bit_ops_at(bits), "method": method, **network.row()}
            for bits, networks in self.budgets.items() for method, network in networks.items()]
