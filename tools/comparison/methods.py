"""The methods of a comparison as steps, and what their results say.

Of cells: SubNet (PC-DARTS in float); on its genotype PTQ, FBQAT at 2, 3 and 4 bits, random bits, bits by
sensitivity, and QSubNet; QDARTS over bits 2, 4 and over 2, 4, 8; a random architecture with random bits. Of a
network whose structure is given: the same in float, PTQ, FBQAT, random bits, bits by sensitivity, and the
differentiable search. All that choose bits do it on one budget, what FBQAT costs at 3 bits, so that accuracies can
be compared. For that and each further budget, with the first seed, the searches and what is drawn."""

import os
import shlex

from comparison.steps import Step, read_json
from reports import logits
from reports.run import Run

FIXED_BITS = (2, 3, 4)
EQUAL_BITS = 3  # Whose BitOps all budgets of a seed are.
FBQAT = f"FBQAT {EQUAL_BITS}/{EQUAL_BITS}"


class Trained:
  """A method's network: searched (unless its bits are given), trained, evaluated."""

  def __init__(self, searches, training, evaluation):
    self.searches, self.training, self.evaluation = searches, training, evaluation

  def steps(self):
    return self.searches + [self.training, self.evaluation]

  def row(self):
    return _row(read_json(self.evaluation.result), sum(step.seconds() for step in self.searches),
                self.training.seconds())


class Ptq:
  """The float network quantized without training: a row for each method and pair of bits."""

  def __init__(self, floats, step):
    self.floats, self.step = floats, step

  def steps(self):
    return [self.step]

  def rows(self):
    searches = sum(step.seconds() for step in self.floats.searches)
    seconds = self.floats.training.seconds() + self.step.seconds()
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
  """All methods with one seed: `networks`, by name, the one in float first, and `ptq`."""

  flag = None  # That names a network, as does its file.
  starts_in_float = False  # Whether what is quantized starts from the weights of the network in float.
  listed = ()  # Methods that the list of budgets has.
  own = None  # The method that is compared, seed by seed, with `rivals`.
  rivals = ()

  def __init__(self, options, seed, floats, found=()):
    """`floats`: the name and folder of the network in float, which the searches `found`, unless it is given."""
    self.options, self.seed, self._found = options, seed, list(found)
    name, folder = floats
    self.floats = None  # Which itself starts from nothing.
    self.floats = self._train(folder, self._found)
    self.ptq = Ptq(self.floats, self._ptq())
    self.networks = {name: self.floats}
    for bits in FIXED_BITS:
      self.networks[f"FBQAT {bits}/{bits}"] = self._train(f"fbqat{bits}", self._found,
                                                          [f"--abits={bits}", f"--wbits={bits}"])
    self.networks["random bits"] = self._random_bits(EQUAL_BITS)
    self.networks["sensitivity"] = self._by_sensitivity(EQUAL_BITS)

  def steps(self):
    return [step for network in self.networks.values() for step in network.steps()]

  def rows(self):
    """{method: row} once all steps are done."""
    name = next(iter(self.networks))
    rows = {name: self.floats.row(), **self.ptq.rows()}
    rows.update((name, network.row()) for name, network in self.networks.items() if name not in rows)
    return rows

  def on_budget(self, bits):
    """{method: its network} of those that are `listed`, on what the float network would cost at `bits`."""
    raise NotImplementedError

  def bit_ops_at(self, bits):
    """What the parts of the network in float that are quantized cost if all is at `bits`, which need not be a whole
    number."""
    return read_json(self._measured())["cost"]["exact_cells"]["bit_ops"] * (float(bits) / 32) ** 2

  def _measured(self):
    """A file with the cost of the network in float."""
    return self._file(self._found[-1] if self._found else self.floats.training)

  def _folder(self, name):
    return os.path.join(self.options.output, f"seed{self.seed}", name)

  def _file(self, step):
    """Of the network that a search found or a training trained."""
    return os.path.join(step.folder, f"{self.flag}.json")

  def _network(self, searches):
    """Flags with what the last of `searches` found."""
    return [f"--{self.flag}={self._file(searches[-1])}"]

  def _step(self, name, tool, flags, result, needs=(), launcher=()):
    return Step(self._folder(name), os.path.join(self.options.tools, tool), [f"--device={self.options.device}"] + flags,
                result, needs, launcher)

  def _run(self, name, tool, epochs, flags, result, needs):
    """Of a tool that trains."""
    options = self.options
    common = [f"--preset={options.preset}", f"--run={self._folder(name)}", "--resume=auto", f"--seed={self.seed}",
              f"--epochs={epochs}", f"--train_data={options.train_data}"]
    return self._step(name, tool, common + flags, result, needs, shlex.split(options.launcher))

  def _train(self, name, searches, flags=()):
    """The network that the last of `searches` found, with the bits of `flags` if there are any."""
    options = self.options
    weights, needs = self._weights() if self.starts_in_float and self.floats else ([], [])
    training = self._run(name, "train", options.train_epochs,
                         self._network(searches) + list(flags) + weights + shlex.split(options.train_flags),
                         "weights.pt", searches[-1:] + needs)
    folder = name + "/evaluation"
    evaluation = self._step(folder, "evaluate",
                            self._network([training]) +
                            [f"--weights={training.result}", f"--test_data={options.test_data}",
                             f"--output={self._folder(folder)}/evaluation.json"], "evaluation.json", [training])
    return Trained(searches, training, evaluation)

  def _weights(self):
    """The flag that starts from those of the network in float, and the steps that it needs."""
    return [f"--initial_weights={self.floats.training.result}"], [self.floats.training]

  def _with_bits(self, name, bits, flags, trained):
    """The network in float with bits chosen on the budget of `bits`; `trained`: by a search that starts from its
    weights."""
    weights, needs = self._weights() if trained else ([], [])
    name = name if bits == EQUAL_BITS else f"{name}_{bits}"
    flags = (self._network(self._found) + [f"--target_compression={(32 / float(bits)) ** 2}"] + flags + weights +
             shlex.split(self.options.precision_search_flags))
    search = self._run(name + "_search", "precision_search", self.options.search_epochs, flags, f"{self.flag}.json",
                       [*self._found, *needs])
    network = self._train(name, [search])
    network.searches = [*self._found, *([] if self.starts_in_float else needs), search]
    return network

  def _random_bits(self, bits):
    return self._with_bits("random_bits", bits, ["--method=random"], trained=False)

  def _by_sensitivity(self, bits):
    return self._with_bits("sensitivity", bits, ["--method=sensitivity"], trained=True)

  def _ptq(self):
    options, training = self.options, self.floats.training
    return self._step("ptq", "ptq",
                      self._network([training]) +
                      [f"--weights={training.result}", f"--test_data={options.test_data}",
                       f"--methods={options.ptq_methods}", f"--sweep={options.ptq_sweep}",
                       f"--calibration_data={options.train_data}", f"--output={self._folder('ptq')}/ptq.json"] +
                      shlex.split(options.ptq_flags), "ptq.json", [training])


class CellSeed(Seed):
  """The operations are searched, too."""

  flag = "architecture"
  own = "QDARTS {2,4}"
  rivals = ("random architecture", "random bits", "sensitivity", "QSubNet", FBQAT)
  listed = (own, "QSubNet", "random architecture")
  candidates = ("2,4", "2,4,8")  # Bits of QDARTS.

  def __init__(self, options, seed):
    self.options, self.seed = options, seed
    super().__init__(options, seed, ("SubNet 32/32", "subnet"), [self._search("subnet", ["--bits=32"])])
    self.networks["QSubNet"] = self._with_bits("qsubnet", EQUAL_BITS, [], trained=False)
    for bits in self.candidates:
      self.networks["QDARTS {" + bits + "}"] = self._qdarts(
          "qdarts" + bits.replace(",", ""), EQUAL_BITS, [f"--bits={bits}"])
    self.networks["random architecture"] = self._qdarts("random", EQUAL_BITS, ["--random"])

  def on_budget(self, bits):
    return {self.own: self._qdarts(f"qdarts_{bits}", bits, [f"--bits={self.candidates[0]}"]),
            "QSubNet": self._with_bits("qsubnet", bits, [], trained=False),
            "random architecture": self._qdarts(f"random_{bits}", bits, ["--random"])}

  def _search(self, name, flags, needs=()):
    return self._run(name + "_search", "search", self.options.search_epochs,
                     flags + shlex.split(self.options.search_flags), "architecture.json", needs)

  def _qdarts(self, name, bits, flags):
    def budget():
      return f"--target_bitops={self.bit_ops_at(bits):.0f}"
    return self._train(name, [self._search(name, flags + [budget], self._found)])


def given_network(options):
  """Flags of a network whose structure is given, and of its size, which is in no file yet."""
  return [f"--network={options.network}", *shlex.split(options.network_flags)]


class FixedSeed(Seed):
  """The network is given and its bits are searched; all starts from its weights in float, whose training counts for
  none."""

  flag = "network"
  starts_in_float = True
  own = "differentiable"
  listed = (own, "sensitivity", "random bits")
  rivals = ("random bits", "sensitivity", FBQAT)

  def __init__(self, options, seed):
    super().__init__(options, seed, ("float 32/32", "float"))
    self.networks[self.own] = self._with_bits("differentiable", EQUAL_BITS, [], trained=True)

  def on_budget(self, bits):
    return {self.own: self._with_bits("differentiable", bits, [], trained=True),
            "sensitivity": self._by_sensitivity(bits), "random bits": self._random_bits(bits)}

  def _network(self, searches):
    return super()._network(searches) if searches else given_network(self.options)


class Comparison:
  """The plan: every method with every seed, then the list of budgets with the first."""

  def __init__(self, options):
    kind = FixedSeed if options.network else CellSeed
    self.own, self.rivals = kind.own, kind.rivals
    self.seeds = {seed: kind(options, seed) for seed in options.seeds}
    self.first = self.seeds[options.seeds[0]]
    budgets = {*options.budget_bits, str(EQUAL_BITS)} if options.budget_bits else ()
    self.budgets = {bits: self._on_budget(bits) for bits in sorted(budgets, key=float)}

  def _on_budget(self, bits):
    if float(bits) == EQUAL_BITS:  # Those that are trained anyway.
      return {method: self.first.networks[method] for method in self.first.listed}
    return self.first.on_budget(bits)

  def steps(self):
    steps = [step for seed in self.seeds.values() for step in seed.steps()]
    for networks in self.budgets.values():
      steps += [step for network in networks.values() for step in network.steps()]
    steps += [step for seed in self.seeds.values() for step in seed.ptq.steps()]  # The longest of all.
    return list(dict.fromkeys(steps))  # Some are steps of several methods.

  def rows_by_seed(self):
    return {seed: methods.rows() for seed, methods in self.seeds.items()}

  def agreement(self):
    """[(what is chosen, share)]: how much alike the searches of its own method are with different seeds."""
    folders = [methods.networks[self.own].searches[-1].folder for methods in self.seeds.values()]
    return logits.agreement([logits.logits_of(Run(folder).history()[-1][1]) for folder in folders])

  def points(self):
    """[{"target_bit_ops", "method", row…}], by budget."""
    return [{"target_bit_ops": self.first.bit_ops_at(bits), "method": method, **network.row()}
            for bits, networks in self.budgets.items() for method, network in networks.items()]
