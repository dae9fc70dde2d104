#!/usr/bin/env python3
"""pack and inspect from Python, without NumPy and torch."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import nqdarts.data
from nqdarts.data import DamagedSampleError, Loader, inspect, pack

DIGITS = "tools/sample_data/digits/train.tar"
CORRUPT = "data/loader/testdata/corrupt.tar"


def command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "nqdarts.data", *map(str, arguments)], capture_output=True, text=True,
                          **options)


class PackingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_pack_tells_its_progress_and_keeps_what_it_finished(self):
        told = []
        report = pack(DIGITS, self.folder / "shards", samples_per_shard=500, progress=lambda *at: told.append(at))
        summary = inspect(DIGITS)
        self.assertEqual(report.samples, sum(summary.classes.values()))
        self.assertEqual(told[-1], (report.samples, report.samples))
        self.assertEqual(told, sorted(told))
        self.assertEqual(report.shards, -(-report.samples // 500))
        self.assertEqual((report.kept_shards, report.rejected), (0, []))
        again = pack(DIGITS, self.folder / "shards", samples_per_shard=500)
        self.assertEqual(again.kept_shards, report.shards)
        self.assertEqual(inspect(self.folder / "shards").classes, summary.classes)
        with self.assertRaisesRegex(ValueError, str(self.folder)):
            pack(DIGITS, self.folder / "shards", samples_per_shard=400)

    def test_what_progress_raises_ends_the_packing(self):
        def stop(done, total):
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            pack(DIGITS, self.folder / "shards", progress=stop, max_side=16, threads=1)

    def test_ctrl_c_ends_the_packing_which_can_go_on(self):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            for i in range(100):
                pack(DIGITS, self.folder / str(i), samples_per_shard=100, threads=1)
        report = pack(DIGITS, self.folder / str(len(os.listdir(self.folder)) - 1), samples_per_shard=100, threads=2)
        self.assertEqual(report.samples, sum(inspect(DIGITS).classes.values()))

    def test_damaged_images_fail_or_are_listed(self):
        with self.assertRaises(DamagedSampleError) as raised:
            pack(CORRUPT, self.folder / "failed", allow_empty_classes=True)
        self.assertIn("sample 11 (corrupt/11_trunc_no_eoi.jpg): ", str(raised.exception))
        bad = inspect(CORRUPT, allow_empty_classes=True, verify=True).bad
        report = pack(CORRUPT, self.folder / "shards", allow_empty_classes=True, on_bad_sample="skip")
        self.assertEqual(len(report.rejected), len(bad))

    def test_arguments_are_named(self):
        for options, words in ((dict(quality=0), "quality: is 0; expected an integer of 1 to 100"),
                               (dict(raw_fraction=2), "raw_fraction: is 2; expected a number of 0 to 1"),
                               (dict(progress=3), "progress: is 3; expected True, False or a function"),
                               (dict(input="/no/such"), "/no/such"), (dict(output=None), "output: is None"),
                               (dict(kind="zip"), "kind: is 'zip'"), (dict(shuffle="no"), "shuffle: is 'no'"),
                               (dict(output="/proc/shards"), "/proc/shards")):
            with self.assertRaisesRegex((ValueError, OSError), words):
                pack(**{"input": DIGITS, "output": self.folder / "shards", **options})
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_commands(self):
        packed = command("pack", DIGITS, self.folder / "shards", "--samples_per_shard=700")
        self.assertEqual((packed.returncode, packed.stderr), (0, ""))
        looked = command("inspect", self.folder / "shards", "--verify")
        self.assertEqual(looked.returncode, 0, looked.stderr)
        self.assertIn("samples of 10 classes", looked.stdout)
        self.assertIn("0 bad", looked.stdout)
        bad = command("inspect", CORRUPT, "--allow_empty_classes", "--verify")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("\nbad: sample ", bad.stdout)
        missing = command("inspect", "/no/such")
        self.assertEqual((missing.returncode, missing.stdout, missing.stderr), (1, "", "no file or folder /no/such\n"))

    def test_tensors_need_a_library(self):
        with self.assertRaisesRegex(ValueError, "tensors: is 'numpy'; expected a library that is installed"):
            Loader(DIGITS, 8, "cifar_eval", tensors="numpy")
        images, labels = next(iter(Loader(DIGITS, 8, "cifar_eval", tensors="dlpack")))
        self.assertEqual(images.__dlpack_device__(), (1, 0))
        self.assertTrue(nqdarts.data.__doc__)


if __name__ == "__main__":
    unittest.main()
