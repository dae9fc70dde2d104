"""Makes the .pt files beside it, with Python's torch (2.15 made the committed ones).

    python3 base/testdata/make.py
"""

import argparse
import collections
import pathlib
import zipfile

import torch

FOLDER = pathlib.Path(__file__).parent


def save(name, value, **options):
    torch.save(value, FOLDER / name, **options)


torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2))
with torch.no_grad():
    model[0].weight.copy_(torch.arange(18.0).reshape(2, 1, 3, 3))
save("state_dict_zip.pt", model.state_dict())
save("state_dict_legacy.pt", model.state_dict(), _use_new_zipfile_serialization=False)

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model(torch.ones(2, 1, 4, 4)).sum().backward()
optimizer.step()
checkpoint = {
    "epoch": 7,
    "best_accuracy": 0.5,
    "args": argparse.Namespace(arch="PC_DARTS_cifar", layers=20),
    "counts": collections.defaultdict(int, a=1),
    "state_dict": collections.OrderedDict(("module." + k, v) for k, v in model.state_dict().items()),
    "optimizer": optimizer.state_dict(),
}
save("checkpoint_zip.pt", checkpoint)
save("checkpoint_legacy.pt", checkpoint, _use_new_zipfile_serialization=False)

base = torch.arange(12)
views = {
    "whole": base,
    "column": base.reshape(3, 4)[:, 1],
    "transposed": base.reshape(3, 4).t(),
    "scalar": base[5],
    "empty": base[:0],
    "parameter": torch.nn.Parameter(torch.tensor([1.5])),
}
save("views_zip.pt", views)
save("views_legacy.pt", views, _use_new_zipfile_serialization=False)
save("views_protocol4.pt", views, pickle_protocol=4)

DTYPES = ("float16", "bfloat16", "float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
save("dtypes_zip.pt", {name: torch.tensor([0, 1, 3]).to(getattr(torch, name)) for name in DTYPES})

save("list.pt", [1, 2])
save("no_tensors.pt", {"epoch": 1})
save("sparse.pt", {"w": torch.eye(2).to_sparse()})

# What torch.save does not make: a pickle that is deflated, and a thousand times larger unpacked.
with zipfile.ZipFile(FOLDER / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(zipfile.ZipInfo("deflated/data.pkl"), b"N" * (4 << 20) + b".", zipfile.ZIP_DEFLATED)
    archive.writestr(zipfile.ZipInfo("deflated/version"), b"3\n", zipfile.ZIP_STORED)
