#!/usr/bin/env python3
"""The loader from Python is the loader in C++: its batches, its errors, and nothing that stays behind."""

import ast
import gc
import inspect
import io
import itertools
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

import nqdarts.data
import numpy
from nqdarts.data import BadSample, DamagedSampleError, Field, Loader, Transform, _native, named
from nqdarts.data.transform import augmentation

DIGITS = "tools/sample_data/digits/train.tar"
CORRUPT = "data/loader/testdata/corrupt.tar"
REFERENCE = "data/python/reference_loader"
STUBS = pathlib.Path("data/python/nqdarts/data/_native.pyi")

# A batch takes seconds.
SLOW = dict(batch_size=512, transform=Transform("resized", 1024), dtype="uint8", layout="NHWC", threads=1)


def digits(batch_size=64, transform="cifar_train", **options):
    return Loader(DIGITS, batch_size, transform, **{"tensors": "numpy", "threads": 2, "seed": 7, **options})


def reference(*arguments):
    return subprocess.run([REFERENCE, *map(str, arguments)], capture_output=True)


def bytes_of(batch):
    return b"".join(array.tobytes() for array in batch)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def threads_of_process():
    return len(os.listdir("/proc/self/task"))


def webdataset(path, samples):
    """A tar of the digits' first images as JPEGs with the files of `samples` beside them."""
    with tarfile.open(DIGITS) as digits, tarfile.open(path, "w") as archive:
        images = [member for member in digits if member.name.endswith(".jpg")][:len(samples)]
        for key, (member, files) in enumerate(zip(images, samples)):
            for name, content in {"jpg": digits.extractfile(member).read(), "cls": b"0", **files}.items():
                info = tarfile.TarInfo(f"{key:04}.{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))


def write_beton(path):
    """Two samples of raw pixels, as NumPy's structures of FFCV's writer lay them out."""
    page, pixels = 1 << 12, numpy.arange(8 * 8 * 3, dtype=numpy.uint8).tobytes()
    types = {"caption": 3, "image": 2, "score": 0, "label": 1, "index": 1, "meta": 5, "boxes": 4}
    bytes_type, image_type = [("ptr", "<u8"), ("size", "<u8")], [("mode", "<u1"), ("width", "<u2"), ("height", "<u2"),
                                                                 ("data_ptr", "<u8")]
    row_type = numpy.dtype([(name, {0: "<f8", 1: "<i8", 2: numpy.dtype(image_type), 4: "<u8"}.get(
        type, numpy.dtype(bytes_type))) for name, type in types.items()], align=True)
    rows, pages, allocations = numpy.zeros(2, row_type), bytearray(), []
    description = numpy.dtype([("type", "<u1"), ("name", "<u1", 16), ("arguments", "<u1", 1024)])
    start = 24 + len(types) * description.itemsize + rows.nbytes
    start += -start % page

    def allocate(sample, content):
        allocations.append((sample, start + len(pages), len(content)))
        pages.extend(content)
        return allocations[-1][1:]

    for i in range(2):
        boxes = numpy.array([[i, 1], [2, 3]], numpy.float32)
        rows[i] = (allocate(i, (b"a cat", b"")[i]), (1, 8, 8, allocate(i, pixels)[0]), 0.5 + i, 1 - i, 100 + i,
                   allocate(i, json.dumps({"i": i}).encode() + b"\0"), allocate(i, boxes.tobytes())[0])
    pages.extend(bytes(-len(pages) % page))
    descriptions = numpy.zeros(len(types), description)
    for entry, (name, type) in zip(descriptions, types.items()):
        entry["type"] = type
        entry["name"][:len(name)] = list(name.encode())
        if type == 4:
            arguments = numpy.array([2, 2] + [0] * 30 + [len('[["", "<f4"]]')], "<u8").tobytes() + b'[["", "<f4"]]'
            entry["arguments"][:len(arguments)] = list(arguments)
    header = struct.pack("<HHIQQ", 2, len(types), page, 2, start + len(pages))
    content = (header + descriptions.tobytes() + rows.tobytes()).ljust(start, b"\0") + pages
    pathlib.Path(path).write_bytes(content + numpy.array(allocations, "<u8").tobytes())


class FieldTest(unittest.TestCase):
    def test_fields_come_with_their_samples_from_an_archive_and_its_shards(self):
        samples = [{"json": json.dumps({"i": i}).encode()} for i in range(20)]
        samples[4]["cap.txt"] = b"four"
        with tempfile.TemporaryDirectory() as folder:
            webdataset(f"{folder}/a.tar", samples)
            report = nqdarts.data.pack(f"{folder}/a.tar", f"{folder}/shards")
            self.assertEqual(report.samples, 20)
            for path in ("a.tar", "shards"):
                data = f"{folder}/{path}"
                self.assertEqual(nqdarts.data.inspect(data).fields, [Field("cap.txt", "bytes", ()),
                                                                     Field("json", "bytes", ())])
                with Loader(data, 5, "cifar_train", tensors="numpy", fields=["json", "cap.txt"]) as loader:
                    self.assertEqual([field.name for field in loader.fields], ["json", "cap.txt"])
                    names, seen = set(), []
                    for images, labels, fields in loader:
                        self.assertEqual(images.shape, (5, 3, 32, 32))
                        self.assertEqual(list(fields), ["json", "cap.txt"])
                        numbers = [json.loads(text)["i"] for text in fields["json"]]
                        seen += numbers
                        self.assertEqual(fields["cap.txt"], [b"four" if i == 4 else None for i in numbers])
                self.assertEqual(sorted(seen), list(range(20)))
                with Loader(data, 5, "cifar_train", tensors="numpy", fields="all", sample_ids=True) as loader:
                    images, labels, ids, fields = next(iter(loader))
                    for id, text in zip(ids, fields["json"]):
                        self.assertIn(f"{json.loads(text)['i']:04}.jpg", loader.sample_name(id))
                with self.assertRaisesRegex(ValueError, "no field txt; they have cap.txt, json"):
                    Loader(data, 5, "cifar_train", fields=["txt"])
            for wrong in ("json", 3, [b"json"]):
                with self.assertRaisesRegex(ValueError, "fields: is .*; expected 'all' or a list of names"):
                    Loader(f"{folder}/a.tar", 5, "cifar_train", fields=wrong)

    def test_numbers_of_ffcvs_files_are_arrays(self):
        with tempfile.TemporaryDirectory() as folder:
            beton = f"{folder}/a.beton"
            write_beton(beton)
            data = f"{folder}/shards"
            nqdarts.data.pack(beton, data, shuffle=False)
            for path in (beton, data):
                with Loader(path, 2, Transform("center", 8), tensors="numpy", order="sequential",
                            fields="all") as loader:
                    images, labels, fields = next(iter(loader))
                self.assertEqual(list(labels), [1, 0])
                numpy.testing.assert_array_equal(fields["score"], numpy.array([0.5, 1.5]))
                numpy.testing.assert_array_equal(fields["index"], numpy.array([100, 101]))
                boxes = numpy.array([[[0, 1], [2, 3]], [[1, 1], [2, 3]]], numpy.float32)
                numpy.testing.assert_array_equal(fields["boxes"], boxes)
                self.assertEqual(fields["boxes"].dtype, numpy.float32)
                self.assertEqual(fields["caption"], [b"a cat", b""])
                self.assertEqual([json.loads(text)["i"] for text in fields["meta"]], [0, 1])


class BatchTest(unittest.TestCase):
    def test_batches_are_those_of_cpp_on_1_2_and_4_ranks(self):
        for world in (1, 2, 4):
            for dtype, layout, format in (("float32", "NCHW", "float32_nchw"), ("float32", "NHWC", "float32_nhwc"),
                                          ("uint8", "NHWC", "uint8_nhwc")):
                for rank in range(world):
                    loader = digits(64 // world, world_size=world, rank=rank, dtype=dtype, layout=layout,
                                    sample_ids=True)
                    ours = b"".join(map(bytes_of, itertools.islice(loader, 5)))
                    theirs = reference("bytes", DIGITS, "cifar_train", format, 64, world, rank, 5).stdout
                    self.assertEqual(ours, theirs, (world, rank, format))

    def test_every_transform_is_that_of_cpp(self):
        for name, transform in named.items():
            ours, theirs = augmentation(transform), getattr(_native, name)()
            for field in ("crop", "size", "padding", "flip", "cutout", "min_area", "max_area", "min_ratio", "max_ratio",
                          "center"):
                self.assertEqual(getattr(ours, field), getattr(theirs, field), (name, field))
            for field in ("mean", "std"):
                self.assertEqual(getattr(ours.normalization, field), getattr(theirs.normalization, field), name)
            ours = bytes_of(next(iter(digits(8, name, sample_ids=True))))
            self.assertEqual(ours, reference("bytes", DIGITS, name, "float32_nchw", 8, 1, 0, 1).stdout, name)

    def test_a_recipe_is_that_of_cpp(self):
        recipe = named["cifar_train"].replace(color_jitter=(0.4, 0.3, 0.2, 0.1), policy="rand", rand_ops=3,
                                              rand_magnitude=12)
        ours = bytes_of(next(iter(digits(8, recipe, sample_ids=True))))
        self.assertEqual(ours, reference("bytes", DIGITS, "recipe", "float32_nchw", 8, 1, 0, 1).stdout)
        for change, text in (({"policy": "auto"}, "transform.policy: is 'auto'; expected one of"),
                             ({"color_jitter": (1, 1)}, "transform.color_jitter: is (1, 1); expected 4 numbers"),
                             ({"color_jitter": (0, 0, 0, 1)}, "hue: not 0 to 0.5")):
            with self.assertRaisesRegex(ValueError, re.escape(text)):
                digits(8, recipe.replace(**change))

    def test_mixed_and_balanced_batches_are_those_of_cpp(self):
        for world in (1, 2):
            for rank in range(world):
                loader = digits(64 // world, world_size=world, rank=rank, mixup=0.4, cutmix=1, sampling="class_balanced",
                                sample_ids=True)
                ours = b"".join(map(bytes_of, itertools.islice(loader, 5)))
                self.assertEqual(ours, reference("bytes", DIGITS, "mixed", "float32_nchw", 64, world, rank, 5).stdout)
        images, labels, others, shares = next(iter(digits(mixup=0.4, cutmix=1)))
        self.assertEqual((others.dtype, shares.dtype, shares.shape), (numpy.int64, numpy.float32, (64,)))
        numpy.testing.assert_array_equal(labels[::2], others[1::2])
        self.assertTrue(0 <= shares.min() and shares.max() <= 1 and shares.std() > 0.1)
        state = digits(sampling="class_balanced").state_dict()
        with self.assertRaisesRegex(ValueError, "sampling is 'class_balanced'; this loader's is 'uniform'"):
            digits().load_state_dict(state)
        former = digits().state_dict()
        del former["sampling"]
        digits().load_state_dict(former)

    def test_sizes_change_with_the_epochs(self):
        loader = digits(transform=named["imagenet_train"].replace(size=64), image_sizes={2: 48, 0: 32})
        self.assertEqual([next(iter(loader))[0].shape[2:] for _ in range(4) if loader.set_epoch(_) is None],
                         [(32, 32), (32, 32), (48, 48), (48, 48)])

    def test_shapes_types_and_layouts(self):
        images, labels, ids = next(iter(digits(sample_ids=True)))
        self.assertEqual((images.shape, images.dtype, images.flags.c_contiguous), ((64, 3, 32, 32), numpy.float32, True))
        self.assertEqual((labels.shape, labels.dtype, ids.shape, ids.dtype), ((64,), numpy.int64, (64,), numpy.int64))
        last, _ = next(iter(digits(layout="channels_last")))
        self.assertEqual(last.shape, (64, 3, 32, 32))
        self.assertTrue(last.transpose(0, 2, 3, 1).flags.c_contiguous)
        numpy.testing.assert_array_equal(last, images)
        interleaved, _ = next(iter(digits(layout="NHWC", dtype=numpy.float32)))
        numpy.testing.assert_array_equal(interleaved, images.transpose(0, 2, 3, 1))

    def test_nothing_is_copied(self):
        images, labels, ids = next(iter(digits(sample_ids=True)))
        self.assertFalse(any(array.flags.owndata for array in (images, labels, ids)))
        self.assertTrue(images.flags.writeable)
        images, _ = next(iter(digits(tensors="dlpack")))
        first, second = numpy.from_dlpack(images), numpy.from_dlpack(images)
        self.assertEqual(first.ctypes.data, second.ctypes.data)

    def test_a_tensor_outlives_its_loader(self):
        loader = digits(sample_ids=True)
        batches = list(itertools.islice(loader, 3))
        before = list(map(bytes_of, batches))
        labels_alone = next(iter(loader))[1]
        kept = labels_alone.copy()
        loader.close()
        del loader
        gc.collect()
        for _ in digits():  # others write elsewhere
            pass
        self.assertEqual(list(map(bytes_of, batches)), before)
        numpy.testing.assert_array_equal(labels_alone, kept)


class EpochTest(unittest.TestCase):
    def test_an_epoch_has_every_sample_once_and_epochs_differ(self):
        loader = digits(sample_ids=True, drop_last=False)
        epochs = [numpy.concatenate([ids for _, _, ids in loader]) for _ in range(2)]
        self.assertEqual(loader.num_samples, len(epochs[0]))
        self.assertFalse(numpy.array_equal(*epochs))
        self.assertEqual(*(sorted(ids) for ids in epochs))
        self.assertEqual((len(loader), loader.epoch), (-(-loader.num_samples // 64), 2))

    def test_set_epoch_and_an_iteration_that_is_left(self):
        loader = digits()
        second = [bytes_of(batch) for _ in range(2) for batch in loader][len(loader):]
        loader.set_epoch(0)
        first_of_first = bytes_of(next(iter(loader)))
        self.assertNotEqual(first_of_first, second[0])
        self.assertEqual(list(map(bytes_of, loader)), second)
        loader.set_epoch(1)
        running = iter(loader)
        next(running)
        loader.set_epoch(1)
        with self.assertRaisesRegex(RuntimeError, "another iteration"):
            next(running)
        self.assertEqual(list(map(bytes_of, loader)), second)

    def test_a_state_in_the_middle_of_an_epoch_goes_on_anywhere(self):
        loader = digits(sample_ids=True)
        list(itertools.islice(loader, len(loader)))
        running = iter(loader)
        for _ in range(3):
            next(running)
        state = loader.state_dict()
        rest = list(map(bytes_of, running))
        self.assertEqual((state["epoch"], state["step"]), (1, 3))
        other = digits(sample_ids=True)
        next(iter(other))
        other.load_state_dict(state)
        self.assertEqual(list(map(bytes_of, other)), rest)
        # On two ranks.
        ranks = [digits(32, world_size=2, rank=rank) for rank in range(2)]
        for rank in ranks:
            rank.load_state_dict(state)
        shares = [list(rank) for rank in ranks]
        joined = [numpy.concatenate([a, b]) for (a, _), (b, _) in zip(*shares)]
        self.assertEqual([images.tobytes() for images in joined],
                         [whole[: images.nbytes] for images, whole in zip(joined, rest)])

    def test_a_state_of_another_loader_is_named(self):
        state = digits().state_dict()
        for changes, words in (({"seed": 8}, "state_dict: seed is 8; this loader's is 7"),
                               ({"step": 10**6}, "state_dict: step: is 1000000; expected an integer of 0 to"),
                               ({"version": 2}, "state_dict: version is 2; this loader's is 1")):
            with self.assertRaisesRegex(ValueError, words):
                digits().load_state_dict({**state, **changes})
        with self.assertRaisesRegex(ValueError, "state_dict: global_batch is 64; this loader's is 32"):
            digits(32).load_state_dict(state)


class BadInputTest(unittest.TestCase):
    def test_bad_samples_are_skipped_and_listed(self):
        options = dict(transform=Transform("center", 32), batch_size=2, order="sequential", tensors="numpy",
                       allow_empty_classes=True)
        loader = Loader(CORRUPT, on_bad_sample="skip", sample_ids=True, **options)
        good = [int(i) for _, _, ids in loader for i in ids]
        bad = loader.bad_samples()
        self.assertIsInstance(bad[0], BadSample)
        self.assertEqual(sorted(good + [sample.id for sample in bad]), list(range(loader.num_samples)))
        for sample in bad:
            self.assertIn(sample.name, sample.reason)
            self.assertEqual(sample.name, loader.sample_name(sample.id))
        # Failing, it names the same and goes on behind them.
        failing = iter(Loader(CORRUPT, sample_ids=True, **{**options, "batch_size": 1}))
        seen, raised = [], []
        while True:
            try:
                seen.append(int(next(failing)[2][0]))
            except StopIteration:
                break
            except DamagedSampleError as error:
                raised.append(str(error))
        self.assertEqual(seen, good)
        self.assertEqual(raised, [sample.reason for sample in bad])

    def test_errors_have_the_words_of_cpp(self):
        with tempfile.TemporaryDirectory() as folder:
            cut = pathlib.Path(folder, "cut.tar")
            cut.write_bytes(pathlib.Path(DIGITS).read_bytes()[:100_000])
            strange = pathlib.Path(folder, "strange.txt")
            strange.write_text("?")
            for path, kind in (("/no/such/folder", FileNotFoundError), (folder + "/nothing.beton", FileNotFoundError),
                               (strange, ValueError), (cut, Exception)):
                with self.assertRaises(kind) as raised:
                    Loader(path, 4, "cifar_train", tensors="numpy")
                self.assertIsInstance(raised.exception, (ValueError, OSError))
                words = reference("bytes", path, "cifar_train", "float32_nchw", 4, 1, 0, 1).stderr.decode().strip()
                self.assertEqual(str(raised.exception), words)
                self.assertIn(str(path), words)

    def test_arguments_are_named(self):
        for options, words in (
                (dict(batch_size=0), "batch_size: is 0; expected an integer of 1 to 2147483647"),
                (dict(batch_size=2.5), "batch_size: is 2.5; expected an integer"),
                (dict(batch_size=10**9), "samples make no batch of"),
                (dict(transform="imagenet"), "transform: is 'imagenet'; expected a Transform or one of 'imagenet_train'"),
                (dict(transform=Transform("resize", 32)), "transform.crop: is 'resize'; expected one of 'resized'"),
                (dict(transform=Transform("center", 0)), "transform.size: is 0; expected an integer of 1 to 4096"),
                (dict(transform=Transform("center", 8, std=(1, 1, 0))), "augmentation: std: not above 0"),
                (dict(transform=Transform("center", 8, mean=(1, 1))), r"transform.mean: is \(1, 1\); expected 3 numbers"),
                (dict(transform=Transform("resized", 8, area=(1, 0.5))), "min_area, max_area: not 0 < min <= max <= 1"),
                (dict(transform=Transform("resized", 8, area=(float("nan"), 1))), "transform.area: is nan"),
                (dict(order="random"), "order: is 'random'; expected one of 'shuffled', 'quasi_random', 'sequential'"),
                (dict(rank=2, world_size=2), "rank: is 2; expected an integer of 0 to 1"),
                (dict(world_size=0), "world_size: is 0"),
                (dict(seed=-1), "seed: is -1"),
                (dict(seed=2**64), "seed: is 18446744073709551616"),
                (dict(dtype="float16"), "dtype: is 'float16'; expected 'float32' or 'uint8'"),
                (dict(layout="nchw"), "layout: is 'nchw'; expected one of 'NCHW', 'NHWC', 'channels_last'"),
                (dict(dtype="uint8"), "layout: is 'NCHW'; expected 'channels_last' or 'NHWC' for uint8"),
                (dict(drop_last=1), "drop_last: is 1; expected True or False"),
                (dict(samples=[]), r"samples: is \[\]; expected at least one"),
                (dict(samples=[10**6]), "samples: 1000000 is not one of the"),
                (dict(samples=7), "samples: is 7; expected a list of integers"),
                (dict(tensors="jax"), "tensors: is 'jax'"),
                (dict(threads=0), "threads: is 0"),
                (dict(prefetch=0), "prefetch: is 0"),
                (dict(on_bad_sample="ignore"), "on_bad_sample: is 'ignore'; expected one of 'fail', 'skip'"),
                (dict(kind="zip"), "kind: is 'zip'; expected one of 'auto', 'folder'"),
                (dict(kind="beton"), "digits/train.tar"),
                (dict(path=3), "path: is 3; expected a path"),
                (dict(path=""), "path: is ''; expected a path")):
            arguments = dict(path=DIGITS, batch_size=64, transform="cifar_train", tensors="numpy", **{})
            with self.assertRaisesRegex((ValueError, OSError), words, msg=options):
                Loader(**{**arguments, **options})

    def test_a_closed_loader(self):
        with digits() as loader:
            running = iter(loader)
            next(running)
        with self.assertRaisesRegex(ValueError, "closed"):
            next(running)
        with self.assertRaisesRegex(ValueError, "closed"):
            loader.set_epoch(0)
        self.assertIn("closed", repr(loader))
        loader.close()


class ProcessTest(unittest.TestCase):
    def test_nothing_leaks_in_10_epochs(self):
        loader = digits()

        def epochs(count):
            for _ in range(count):
                for images, labels in loader:
                    del images, labels
            return resident()

        before, after = epochs(2), epochs(10)
        self.assertLess(after - before, 1 << 20)

    def test_threads_end_with_the_loader(self):
        before = threads_of_process()
        loader = digits(threads=4)
        self.assertEqual(threads_of_process(), before + 4)
        loader.close()
        self.assertEqual(threads_of_process(), before)
        running = iter(digits(threads=4))  # which holds its loader
        batch = next(running)
        self.assertEqual(threads_of_process(), before + 4)
        del running
        gc.collect()
        self.assertEqual(threads_of_process(), before)
        self.assertEqual(batch[0].shape[0], 64)

    def test_a_fork_is_refused_and_harmless(self):
        loader = digits(threads=4)
        running = iter(loader)
        held = next(running)
        kept = held[0].copy()
        for _ in range(20):  # in whatever state the locks are
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    next(running)
                except RuntimeError as error:
                    code = 0 if "needs a Loader of its own" in str(error) else 2
                ok = numpy.array_equal(held[0], kept)
                del held, running, loader
                gc.collect()
                own = digits(threads=1)
                ok = ok and len(list(itertools.islice(own, 2))) == 2
                own.close()
                os._exit(code if ok else 3)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            next(running)
        self.assertEqual(len(list(running)), len(loader) - 21)

    def test_ctrl_c_while_it_waits(self):
        loader = Loader(DIGITS, tensors="numpy", **SLOW)
        running = iter(loader)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            next(running)
        self.assertEqual(loader.state_dict()["step"], 0)
        start = time.monotonic()
        self.assertEqual(len(next(running)[1]), 512)  # the batch is still to come
        waited = time.monotonic() - start
        start = time.monotonic()
        loader.close()
        self.assertLess(time.monotonic() - start, waited)

    def test_other_threads_run_while_it_waits(self):
        count, stop = 0, threading.Event()

        def work():
            nonlocal count
            while not stop.is_set():
                count += 1
                time.sleep(0.001)

        with Loader(DIGITS, tensors="numpy", **SLOW) as loader:
            worker = threading.Thread(target=work)
            worker.start()
            start = time.monotonic()
            next(iter(loader))
            waited = time.monotonic() - start
            stop.set()
            worker.join()
        self.assertGreater(count, 10 * waited)

    def test_threads_share_a_loader(self):
        loader = digits(sample_ids=True)
        running = iter(loader)
        seen = []

        def work():
            for _, _, ids in running:
                seen.extend(map(int, ids))

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(len(set(seen)), len(seen))
        self.assertEqual(len(seen), len(loader) * 64)

    def test_python_ends_while_the_loader_works(self):
        program = f"""
from nqdarts.data import Loader
loader = Loader({DIGITS!r}, 64, "cifar_train", tensors="numpy", threads=2)
running = iter(loader)
batch = next(running)
"""
        self.assertEqual(subprocess.run([sys.executable, "-c", program]).returncode, 0)


class DocumentationTest(unittest.TestCase):
    def test_the_stubs_are_the_module(self):
        tree = ast.parse(STUBS.read_text())
        declared = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        self.assertEqual(set(declared), {name for name in vars(_native) if not name.startswith("_")})
        for name, node in declared.items():
            if not isinstance(node, ast.ClassDef):
                continue
            members = {item.name if isinstance(item, ast.FunctionDef) else
                       (item.target.id if isinstance(item, ast.AnnAssign) else item.targets[0].id) for item in node.body}
            real = {member for member in vars(getattr(_native, name)) if not member.startswith("_")}
            self.assertEqual(members - {"__init__"}, real, name)

    def test_everything_public_says_what_it_is(self):
        import nqdarts.data
        for name in nqdarts.data.__all__:
            item = getattr(nqdarts.data, name)
            self.assertTrue(name == "named" or inspect.getdoc(item), name)
        arguments = inspect.signature(Loader).parameters
        for name in arguments:
            self.assertRegex(Loader.__doc__, rf"\b{name}\b", name)


if __name__ == "__main__":
    unittest.main()
