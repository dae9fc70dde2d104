"""Networks that a search found, as torch modules.

::

    from nqdarts.architecture import load
    network = load("runs/search/architecture.json", "runs/train/weights.pt")
    logits = network.eval()(images)  # [n, 3, side, side] -> [n, classes]

``network.json``, of a network whose structure is given, likewise.

Parameters and buffers have the names of the published networks (QDARTS/model.py, EdMIPS's, torchvision's), so that their
files, and those that
``torch.save(network.state_dict(), ...)`` writes, are read on both sides. In evaluation it gives the logits that the C++
network gives. It can be trained, compiled and exported like any module.
"""

from nqdarts.architecture.file import Architecture, FixedShape, Genotype, NetworkShape, parse, read
from nqdarts.architecture.fixed_network import FixedNetwork
from nqdarts.architecture.network import DerivedNetwork
from nqdarts.architecture.weights import load, load_weights, read_classes

__all__ = ["Architecture", "DerivedNetwork", "FixedNetwork", "FixedShape", "Genotype", "NetworkShape", "load", "load_weights",
           "parse", "read", "read_classes"]
