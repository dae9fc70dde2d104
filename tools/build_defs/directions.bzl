"""The rooms of the house, from the ground up, and what each may include besides itself.

A whole floor stands for its rooms. A room lists only what stands before it, so nothing points up and
there is no circle. Visibility (//:BUILD.bazel) and //tests/layering both follow this table.
"""

DIRECTIONS = {
    "base": [],
    # Packed networks, and running them on integers; no torch.
    "quant/runtime": ["base"],
    # The same networks as ONNX.
    "quant/onnx": ["base", "quant/runtime"],
    # Quantizers and what is built of them; no network.
    "quant": ["base"],
    # Its operators for Python.
    "quant/python": ["base", "quant"],
    # Input; no torch.
    "data/io": ["base"],
    # The same of servers, and a copy of it on the node.
    "data/remote": ["base", "data/io"],
    "data/pixels": ["base", "data/io"],
    "data/codec": ["base", "data/io", "data/pixels"],
    # nvJPEG as codec's device.
    "data/nvjpeg": ["base", "data/io", "data/pixels", "data/codec"],
    "data/sources": ["base", "data/io", "data/codec"],
    "data/shard": ["base", "data/io", "data/pixels", "data/codec", "data/sources"],
    "data/loader": ["base", "data/io", "data/pixels", "data/codec", "data/sources", "data/shard"],
    # The loader as a wheel.
    "data/python": ["base", "data/io", "data/pixels", "data/codec", "data/sources", "data/shard", "data/loader"],
    "data/fuzz": ["base", "data/io", "data/pixels", "data/codec", "data/sources", "data/shard"],
    # Many ranks.
    "distributed/communication": ["base"],
    "distributed/data_parallel": ["base", "quant", "distributed/communication"],
    "distributed/training": ["base", "data", "distributed/communication", "distributed/data_parallel"],
    # Search space, supernet, derived network, and how they learn.
    "nas/space": ["base"],
    "nas/fused": ["base", "quant", "distributed", "nas/space"],
    "nas/device": ["base", "quant", "distributed", "nas/space", "nas/fused"],
    "nas/operations": ["base", "quant", "distributed", "nas/space", "nas/fused"],
    "nas/supernet": ["base", "quant", "distributed", "nas/space", "nas/operations", "nas/fused", "nas/device"],
    "nas/networks": ["base", "quant", "distributed"],
    "nas/derived": ["base", "quant", "distributed", "nas/space", "nas/fused", "nas/operations", "nas/networks"],
    "nas/weights": ["base", "nas/space", "nas/networks", "nas/derived"],
    # What was found, for Python.
    "nas/python": ["base", "quant", "nas/space", "nas/networks", "nas/derived", "nas/weights"],
    "nas/deployment": ["base", "quant", "distributed", "nas/space", "nas/networks", "nas/operations", "nas/derived"],
    "nas/derivation": ["base", "quant", "nas/space", "nas/supernet", "nas/derived"],
    "nas/budget": ["base", "quant", "nas/space", "nas/supernet", "nas/derived", "nas/derivation"],
    "nas/learning": [
        "base",
        "quant",
        "distributed",
        "nas/space",
        "nas/operations",
        "nas/supernet",
        "nas/derived",
        "nas/derivation",
        "nas/budget",
    ],
    "nas/benchmark": ["base", "quant", "distributed", "nas"],
    # Programs.
    "tools/flags": ["base", "quant", "data", "distributed", "nas"],
    "tools/program": ["base", "quant", "data", "distributed", "nas", "tools/flags"],
    "tools/deployment": ["base", "quant", "data", "distributed", "nas", "tools/flags", "tools/program"],
    "tools": [
        "base",
        "quant",
        "data",
        "distributed",
        "nas",
        "tools/flags",
        "tools/program",
        "tools/deployment",
    ],
    "tools/release": ["tools"],
    # What crosses floors.
    "tests": ["base", "quant", "data", "distributed", "nas", "tools"],
}

def rooms_above(room):
    """The entries of the table that may include from `room`."""
    floor = room.split("/")[0]
    return [other for other, below in DIRECTIONS.items() if room in below or floor in below]
