"""The loader."""

from __future__ import annotations

import importlib.util
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

from nqdarts.data import _native, arguments
from nqdarts.data.transform import Transform, augmentation, resolve

_FORMATS = {
    ("float32", "NCHW"): ("float32_nchw", "nchw"),
    ("float32", "NHWC"): ("float32_nhwc", "nhwc"),
    ("float32", "channels_last"): ("float32_nhwc", "nchw"),
    ("uint8", "NHWC"): ("uint8_nhwc", "nhwc"),
    ("uint8", "channels_last"): ("uint8_nhwc", "nchw"),
}
_STATE_VERSION = 1
_LAST_EPOCH = 2**62
_LARGEST_BETA = 1e6  # beyond it every share is half
# Entries of a state that earlier versions did not write.
_FORMER_STATE = {"sampling": "uniform"}


class BadSample(NamedTuple):
    """A damaged image that batches came without."""

    id: int  # its index in the data set
    name: str  # its path, or its file and the name in it
    reason: str  # one line, which names it too


class Field(NamedTuple):
    """What samples have besides image and label."""

    name: str
    type: str  # "bytes", or NumPy's name of the numbers' type
    shape: tuple[int, ...]  # of a sample's numbers


def fields_of(native: _native.Loader | _native.Dataset) -> list[Field]:
    return [Field(name, type, tuple(shape)) for name, type, shape in native.fields]


class Loader:
    """Batches of decoded, augmented images, made by threads ahead of their use.

    ::

        loader = Loader("/data/imagenet/train", batch_size=256, transform="imagenet_train")
        for epoch in range(90):
            for images, labels in loader:  # float32 [256, 3, 224, 224], int64 [256]
                ...

    The seed, the epoch and the sample alone decide order and augmentation: all ranks together see the same batches
    of ``batch_size * world_size`` images on any number of ranks and threads, and after a ``load_state_dict``.

    Iterating gives an epoch's batches, and the next time the next epoch's. A batch's tensors lie in the memory that
    the loader's threads wrote; they are the caller's to change, and stay valid as long as they are used, whatever
    becomes of the loader. While it waits for a batch other Python threads run, and Ctrl-C works. A process that is
    forked off (a worker of ``multiprocessing``) needs a loader of its own: in there this one raises RuntimeError.

    Arguments:
        path: an ImageFolder tree, a tar archive or a folder of them (WebDataset), CIFAR's binary batches,
            MNIST's files, an FFCV ``.beton`` file, or the shards that ``pack`` wrote.
        batch_size: images of a batch of this rank.
        transform: ``"imagenet_train"``, ``"imagenet_eval"``, ``"cifar_train"``, ``"cifar_eval"``, or a Transform.
        order: ``"shuffled"``; ``"quasi_random"``, for data that do not fit into memory: runs of 32 neighbours are
            shuffled, and the images of some hundred runs among each other; or ``"sequential"``.
        sampling: ``"uniform"``; or, if shuffled, ``"class_balanced"``: every class comes up equally often, and an
            epoch has as many images as before.
        mixup, cutmix: pairs of neighbours in the batch of all ranks are mixed, by shares of Beta(value, value); 0: not;
            both: half of the pairs each. Then batches are (images, labels, other labels int64 [n], shares of
            ``labels`` float32 [n]), and ``batch_size`` must be even.
        image_sizes: ``{0: 128, 20: 160}``: the images' size from an epoch on, in place of the transform's.
        rank, world_size: which of how many processes this is; each gets its share of every batch.
        seed: 0 to 2**64 - 1.
        dtype: ``"float32"``, normalized, or ``"uint8"``, 0 to 255.
        layout: ``"NCHW"``: contiguous [n, 3, size, size]; ``"channels_last"``: the same shape, in memory [n, size,
            size, 3], which convolutions on GPUs prefer; ``"NHWC"``: [n, size, size, 3]. uint8 is one of the last two.
        drop_last: leave out an epoch's last images if they make no whole batch; None: unless the order is sequential.
        samples: the images of an epoch, as indices into the data set; None: all.
        sample_ids: iterate over (images, labels, sample ids), the last int64 [n], indices into the data set.
        fields: what to hand out besides image and label: names, or ``"all"``. Batches then end with a dict of them:
            of bytes (a WebDataset's ``.json``) a list with each sample's, or None; of numbers (FFCV's) a tensor
            [n, ...].
        tensors: ``"torch"``, ``"numpy"``, or ``"dlpack"``: objects with ``__dlpack__`` for any other library;
            ``"auto"``: torch's if it is installed, else NumPy's.
        pin_memory: copy batches into page-locked memory, from which ``to("cuda", non_blocking=True)`` does not wait;
            None: if the tensors are torch's and torch has a GPU.
        threads: that decode; None: as many as there are processors.
        prefetch: batches made ahead.
        on_bad_sample: what a damaged image does: ``"fail"``: raise DamagedSampleError, after which one may go on;
            ``"skip"``: its batch comes without it, and ``bad_samples()`` lists it.
        kind: of the data: ``"folder"``, ``"tar"``, ``"cifar"``, ``"idx"`` (MNIST's), ``"beton"``, ``"shards"``, or
            ``"auto"``: told by the files.
        allow_empty_classes: accept folders and labels without an image as classes.

    Raises ValueError for an argument or data that make no sense, and OSError for a file that cannot be read; the
    message names it.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        batch_size: int,
        transform: str | Transform,
        *,
        order: str = "shuffled",
        sampling: str = "uniform",
        mixup: float = 0,
        cutmix: float = 0,
        image_sizes: Mapping[int, int] | None = None,
        rank: int = 0,
        world_size: int = 1,
        seed: int = 0,
        dtype: str = "float32",
        layout: str = "NCHW",
        drop_last: bool | None = None,
        samples: Sequence[int] | None = None,
        sample_ids: bool = False,
        fields: str | Sequence[str] = (),
        tensors: str = "auto",
        pin_memory: bool | None = None,
        threads: int | None = None,
        prefetch: int = 2,
        on_bad_sample: str = "fail",
        kind: str = "auto",
        allow_empty_classes: bool = False,
    ):
        path = arguments.path("path", path)
        arguments.choice("order", order, ("shuffled", "quasi_random", "sequential"))
        arguments.choice("sampling", sampling, ("uniform", "class_balanced"))
        arguments.choice("kind", kind, arguments.KINDS)
        options = _native.LoaderOptions()
        options.world_size = arguments.integer("world_size", world_size, 1)
        options.rank = arguments.integer("rank", rank, 0, options.world_size - 1)
        options.global_batch = arguments.integer("batch_size", batch_size, 1) * options.world_size
        options.seed = arguments.integer("seed", seed, 0, 2**64 - 1)
        options.order = getattr(_native.Order, order)
        options.drop_last = order != "sequential" if drop_last is None else arguments.boolean("drop_last", drop_last)
        options.augmentation = augmentation(resolve(transform))
        if image_sizes is not None:
            options.sizes = _sizes(image_sizes)
        options.mixing.mixup = arguments.number("mixup", mixup, 0, _LARGEST_BETA)
        options.mixing.cutmix = arguments.number("cutmix", cutmix, 0, _LARGEST_BETA)
        format, axes = _format(dtype, layout)
        options.format = getattr(_native.PixelFormat, format)
        options.threads = arguments.threads(threads)
        options.prefetch = arguments.integer("prefetch", prefetch, 1, 1024)
        arguments.choice("on_bad_sample", on_bad_sample, arguments.ON_BAD_SAMPLE)
        options.on_bad_sample = getattr(_native.OnBadSample, on_bad_sample)
        if samples is not None:
            options.samples = _samples(samples)
        self._with_ids = arguments.boolean("sample_ids", sample_ids)
        tensors = _library(tensors)
        self._pins = _pins(pin_memory, tensors)
        library = getattr(_native.Library, tensors)
        empty = arguments.boolean("allow_empty_classes", allow_empty_classes)
        choice = arguments.fields(fields)
        self._with_fields = choice.all or bool(choice.names)
        self._native = _native.Loader(path, kind, empty, choice, options, sampling == "class_balanced",
                                      getattr(_native.Axes, axes), library)
        # Its threads end before Python does.
        self._finalizer = weakref.finalize(self, self._native.close)
        self._path = path
        self._steps = self._native.steps_per_epoch
        self._identity = {
            "samples": self._native.size if samples is None else len(options.samples),
            "global_batch": options.global_batch,
            "seed": options.seed,
            "order": order,
            "sampling": sampling,
            "drop_last": options.drop_last,
        }
        self._turn = threading.Lock()  # of who takes a batch, so that threads may share an iteration
        self._iteration = 0  # the one that may ask for batches
        self._go_on = True  # the next iteration begins at the batch that comes next, whichever it is

    def __len__(self) -> int:
        """The batches of an epoch."""
        return self._steps

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The batches of an epoch: of the next one, if another iteration has left this one before its end.

        The iterator goes on after a DamagedSampleError.
        """
        if self._native.step != 0 and not self._go_on:
            self._seek(self._native.epoch + 1, 0)
        self._go_on = False
        self._iteration += 1
        return _Epoch(self)

    def _seek(self, epoch: int, step: int) -> None:
        self._native.seek(epoch, step)
        self._iteration += 1
        self._go_on = True

    @property
    def epoch(self) -> int:
        """The epoch of the next batch, from 0."""
        return self._native.epoch

    def set_epoch(self, epoch: int) -> None:
        """The next iteration is that of ``epoch``, from its first batch."""
        self._seek(arguments.integer("epoch", epoch, 0, _LAST_EPOCH), 0)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: the batch after the last one that was taken. Plain numbers and strings.

        The same on all ranks, and good for another number of them, as long as ``batch_size * world_size`` is the same.
        """
        return {"version": _STATE_VERSION, "epoch": self._native.epoch, "step": self._native.step,
                **self._identity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next iteration goes on where the loader that wrote ``state`` stood, in the middle of an epoch, too.

        ValueError, naming the first entry that is missing or is another than this loader's.
        """
        if not isinstance(state, dict):
            raise arguments.wrong("state_dict", state, "a dict of Loader.state_dict")
        for name, own in {"version": _STATE_VERSION, **self._identity}.items():
            theirs = state.get(name, _FORMER_STATE.get(name))
            if theirs != own:
                raise ValueError(f"state_dict: {name} is {theirs!r}; this loader's is {own!r}")
        epoch = arguments.integer("state_dict: epoch", state.get("epoch"), 0, _LAST_EPOCH)
        step = arguments.integer("state_dict: step", state.get("step"), 0, self._steps - 1)
        self._seek(epoch, step)

    def bad_samples(self) -> list[BadSample]:
        """The damaged images of this rank that batches came without so far: each once, by id."""
        return [BadSample(bad.id, bad.name, bad.reason) for bad in self._native.skipped_samples()]

    @property
    def classes(self) -> list[str]:
        """Names of the classes: labels are indices into it."""
        return self._native.classes

    @property
    def num_samples(self) -> int:
        """Images in the data set."""
        return self._native.size

    @property
    def fields(self) -> list[Field]:
        """What is handed out besides image and label."""
        return fields_of(self._native)

    @property
    def left_alone(self) -> list[str]:
        """What stands in the input beside the images, a line for each reason."""
        return self._native.left_alone

    def sample_name(self, id: int) -> str:
        """What a person looks for to find the sample: a path, or a file and a name in it."""
        return self._native.name(arguments.integer("id", id, 0, self._native.size - 1))

    def close(self) -> None:
        """Ends the threads. Batches stay valid; going on is a ValueError."""
        self._finalizer()

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = "" if self._finalizer.alive else ", closed"
        return (f"Loader({self._path!r}: {self._steps} batches an epoch, "
                f"next epoch {self._native.epoch} step {self._native.step}{closed})")


class _Epoch:
    """The batches that are left of the loader's epoch."""

    def __init__(self, loader: Loader):
        self._loader = loader
        self._native = loader._native
        self._iteration = loader._iteration
        self._epoch = loader._native.epoch

    def __iter__(self) -> _Epoch:
        return self

    def __next__(self) -> tuple[Any, ...]:
        self._native.check()  # before the lock, which may have been held when this process was forked off
        with self._loader._turn:
            if self._native.epoch != self._epoch:
                raise StopIteration
            if self._loader._iteration != self._iteration:
                raise RuntimeError("this Loader has begun another iteration since, or was told to go elsewhere")
            *batch, ids, fields = self._native.next()
        if self._loader._with_ids:
            batch.append(ids)
        if self._loader._pins:
            batch = [tensor.pin_memory() for tensor in batch]
            fields = {name: value if isinstance(value, list) else value.pin_memory() for name, value in fields.items()}
        return (*batch, fields) if self._loader._with_fields else tuple(batch)


def _format(dtype: Any, layout: str) -> tuple[str, str]:
    # NumPy's and torch's types, too: "float32", "<class 'numpy.float32'>", "torch.float32".
    name = getattr(dtype, "__name__", str(dtype)).removeprefix("torch.")
    arguments.choice("layout", layout, ("NCHW", "NHWC", "channels_last"))
    if name not in ("float32", "uint8"):
        raise arguments.wrong("dtype", dtype, "'float32' or 'uint8'")
    if (name, layout) not in _FORMATS:
        raise arguments.wrong("layout", layout, "'channels_last' or 'NHWC' for uint8")
    return _FORMATS[name, layout]


def _samples(samples: Sequence[int]) -> list[int]:
    try:
        chosen = [arguments.integer("samples", sample, 0, arguments.INT64) for sample in samples]
    except TypeError:
        raise arguments.wrong("samples", samples, "a list of integers") from None
    if not chosen:
        raise arguments.wrong("samples", samples, "at least one")
    return chosen


def _sizes(sizes: Mapping[int, int]) -> list[tuple[int, int]]:
    if not isinstance(sizes, Mapping):
        raise arguments.wrong("image_sizes", sizes, "a dict of sizes by epoch")
    return sorted((arguments.integer("image_sizes: an epoch", epoch, 0, _LAST_EPOCH),
                   arguments.integer("image_sizes: a size", size, 1)) for epoch, size in sizes.items())


def _library(tensors: str) -> str:
    arguments.choice("tensors", tensors, ("auto", "torch", "numpy", "dlpack"))
    if tensors == "auto":
        return "torch" if importlib.util.find_spec("torch") else "numpy"
    if tensors != "dlpack" and importlib.util.find_spec(tensors) is None:
        raise arguments.wrong("tensors", tensors, "a library that is installed")
    return tensors


def _pins(pin_memory: bool | None, tensors: str) -> bool:
    if pin_memory is None:
        if tensors != "torch":
            return False
        import torch  # Only where its tensors are asked for.

        return torch.cuda.is_available()
    if arguments.boolean("pin_memory", pin_memory) and tensors != "torch":
        raise arguments.wrong("pin_memory", pin_memory, "False where tensors are not torch's")
    return pin_memory
