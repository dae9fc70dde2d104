#!/usr/bin/env python3
"""The same search from a folder, from HTTP and from S3: the same bits, whatever the network does."""

import glob
import hashlib
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

from servers import CLEAN, HOST, Moto, Proxy
from storage_test import StorageTest

SEARCH = os.path.abspath("tools/search")
FLAGS = ("--preset=quickstart", "--reproducible", "--layers=3", "--derive_layers=3", "--channels=8", "--batch=16",
         "--image_size=16", "--train_fraction=0.5", "--search_fraction=0.5", "--epochs=2", "--alpha_begin=1",
         "--order=quasi_random", "--threads=2", "--quiet")


class SearchTest(StorageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.bits_of(cls.search_at(f"{cls.data}/train", f"{cls.data}/run"), f"{cls.data}/run")
        assert len(cls.whole) == 3, cls.whole

    @classmethod
    def search_at(cls, location, run, *flags, environment=None):
        return cls.run_tool(*cls.command(location, run), *flags, environment=environment, timeout=280)

    @staticmethod
    def command(location, run):
        return SEARCH, *FLAGS, f"--train_data={location}", f"--run={run}"

    @staticmethod
    def bits_of(result, run):
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        names = sorted(os.path.relpath(path, run) for path in
                       [f"{run}/architecture.json", *glob.glob(f"{run}/checkpoints/*/state.pt")])
        return {name: hashlib.sha256(pathlib.Path(run, name).read_bytes()).hexdigest() for name in names}

    def proxy(self, fault):
        proxy = Proxy(self.serve().port)
        proxy.fault = lambda number, path: fault(proxy, number)
        self.addCleanup(proxy.stop)
        return f"http://{HOST}:{proxy.port}/train"

    def test_http_in_few_requests(self):
        bits, requests, sent = [], [], []
        for memory in (0, 1):
            server = self.serve()
            run = f"{self.folder}/run{memory}"
            result = self.search_at(f"http://{HOST}:{server.port}/train", run, f"--run_memory={memory}")
            bits.append(self.bits_of(result, run))
            requests.append(len(server.requests()))
            sent.append(sum(count for _, count, *_ in server.requests()))
        self.assertEqual(bits, [self.whole, self.whole])
        print("one by one, and in runs:", requests, "requests,", sent, "bytes")
        self.assertLess(requests[1], requests[0] / 3)
        self.assertLess(sent[1], 1.1 * sent[0])  # What is announced beyond the end.

    def test_http_with_an_outage_that_passes(self):
        def fault(proxy, number):
            if number == 300:
                proxy.down = True
                threading.Timer(3, lambda: setattr(proxy, "down", False)).start()
            return "flip" if number == 200 else "half" if number == 100 else None

        run = f"{self.folder}/run"
        self.assertEqual(self.bits_of(self.search_at(self.proxy(fault), run, "--io_timeout=60"), run), self.whole)

    def test_http_with_an_outage_that_lasts(self):
        run = f"{self.folder}/run"
        saved = f"{run}/checkpoints/*/state.pt"
        url = self.proxy(lambda proxy, number: "drop" if glob.glob(saved) else None)
        result = self.search_at(url, run, "--io_timeout=3")
        error = result.stderr.splitlines()[-1]
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(error, rf"{url}/0000\d.shard: no answer for \d seconds")
        self.assertEqual(len(glob.glob(saved)), 1)
        # What is read elsewhere is the same data.
        resumed = self.search_at(f"{self.data}/train", run, "--resume=auto")
        self.assertEqual(self.bits_of(resumed, run), self.whole)

    def test_http_stopped_during_an_outage(self):
        run = f"{self.folder}/run"
        saved = f"{run}/checkpoints/*/state.pt"
        url = self.proxy(lambda proxy, number: "drop" if glob.glob(saved) else None)
        search = subprocess.Popen((*self.command(url, run), "--io_timeout=200"), env=CLEAN, stderr=subprocess.PIPE,
                                  text=True)
        while not glob.glob(saved) and search.poll() is None:
            time.sleep(0.1)
        time.sleep(1)  # Batches made before are used up.
        search.send_signal(signal.SIGTERM)
        _, error = search.communicate(timeout=100)
        self.assertIn("stopped by a signal before epoch 2/2", error)
        resumed = self.search_at(f"{self.data}/train", run, "--resume=auto")
        self.assertLessEqual(self.whole.items(), self.bits_of(resumed, run).items())

    def test_s3_with_a_cache(self):
        moto = Moto()
        self.addCleanup(moto.stop)
        moto.upload("photos", "train", f"{self.data}/train")
        environment = moto.environment(self.folder)
        run = f"{self.folder}/run"
        result = self.search_at("s3://photos/train", run, f"--cache_dir={self.folder}/cache", "--cache_size=0.1",
                                environment=environment)
        self.assertEqual(self.bits_of(result, run), self.whole)
        for path in glob.glob(f"{run}/**", recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
                for key in moto.keys:
                    self.assertNotIn(key.encode(), content, path)


if __name__ == "__main__":
    unittest.main()
