"""What tests of storage share: the digits packed, programs run, servers stopped."""

import os
import subprocess
import tempfile
import unittest

from servers import CLEAN, Nginx

INSPECT = os.path.abspath("tools/inspect")
PACK = os.path.abspath("tools/pack")
DIGITS = os.path.abspath("tools/sample_data/digits/test.tar")


def pack(output, *flags):
    subprocess.run([PACK, f"--input={DIGITS}", f"--output={output}", *flags], check=True, env=CLEAN,
                   stdout=subprocess.DEVNULL)


class StorageTest(unittest.TestCase):
    """Gives each test a folder, and each class shards in DATA/train, the tables of which are EXPECTED."""

    PACK_FLAGS = ("--samples_per_shard=90", "--raw_fraction=0.5")

    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        pack(f"{cls.data}/train", *cls.PACK_FLAGS)
        cls.expected = cls.tables(cls.run_tool(INSPECT, f"--input={cls.data}/train"))

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])

    def serve(self, folder=None, tls=None):
        work = tempfile.mkdtemp(dir=self.folder)
        server = Nginx(folder or self.data, work, tls)
        self.addCleanup(server.stop)
        return server

    @staticmethod
    def run_tool(*command, environment=None, timeout=120):
        return subprocess.run(command, env=environment or CLEAN, capture_output=True, text=True, timeout=timeout)

    @staticmethod
    def tables(result):
        """What inspect prints, but for the name of the input."""
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        return result.stdout.split(": ", 1)[1]

    def inspect(self, location, *flags, **kwargs):
        return self.run_tool(INSPECT, f"--input={location}", "--threads=4", "--quiet", *flags, **kwargs)

    def assert_read(self, location, *flags, **kwargs):
        """All samples are read, and are what they are in the folder."""
        self.assertEqual(self.tables(self.inspect(location, *flags, **kwargs)), self.expected)

    def assert_error(self, result, *parts):
        """It fails with one line that has all parts."""
        self.assertNotEqual(result.returncode, 0)
        lines = [line for line in result.stderr.splitlines() if "it is tried again" not in line]
        self.assertEqual(len(lines), 1, result.stderr)
        for part in parts:
            self.assertIn(part, lines[0])
        return lines[0]
