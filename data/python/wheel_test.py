#!/usr/bin/env python3
"""The wheel installs into a fresh environment and works there alone; its bytes do not depend on when it was made."""

import glob
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

(WHEEL,) = glob.glob("data/python/nqdarts-*.whl")
DIGITS = pathlib.Path("tools/sample_data/digits/train.tar").resolve()

PROGRAM = f"""
import nqdarts.data
assert "/environment/" in nqdarts.data.__file__, nqdarts.data.__file__
images, labels = next(iter(nqdarts.data.Loader({str(DIGITS)!r}, 8, "cifar_train", tensors="dlpack")))
memory = open("/proc/self/maps").read()
assert "_lib/libjpeg" in memory and "torch" not in memory, memory
"""


class WheelTest(unittest.TestCase):
    def test_it_installs_into_a_fresh_environment(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = folder + "/environment"
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
            python = environment + "/bin/python3"
            subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps",
                            "--disable-pip-version-check", WHEEL], check=True, env={"PATH": "/usr/bin:/bin", "HOME": folder})
            subprocess.run([python, "-I", "-c", PROGRAM], check=True, cwd=folder)

    def test_what_is_in_it(self):
        with zipfile.ZipFile(WHEEL) as wheel:
            entries = wheel.infolist()
        names = [entry.filename for entry in entries]
        self.assertEqual(names[:-1], sorted(names[:-1]))
        self.assertEqual({entry.date_time for entry in entries}, {(1980, 1, 1, 0, 0, 0)})
        for part in ("nqdarts/data/py.typed", "nqdarts/data/_native.pyi", "nqdarts-0.1.0.dist-info/RECORD",
                     "nqdarts-0.1.0.dist-info/licenses/LICENSE"):
            self.assertIn(part, names)
        self.assertFalse([name for name in names if "torch" in name or "__pycache__" in name])


if __name__ == "__main__":
    unittest.main()
