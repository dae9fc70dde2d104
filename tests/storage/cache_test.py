#!/usr/bin/env python3
"""The node's cache: one download for all processes, whatever happens to them and to it."""

import collections
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from servers import CLEAN, HOST, Proxy
from storage_test import INSPECT, StorageTest


class CacheTest(StorageTest):
    def setUp(self):
        super().setUp()
        self.nginx = self.serve()
        self.url = f"http://{HOST}:{self.nginx.port}/train"
        self.cache = f"{self.folder}/cache"
        self.flags = (f"--cache_dir={self.cache}", "--cache_size=0.1")

    def blocks(self):
        return [path for path in glob.glob(f"{self.cache}/blocks/*/*") if not path.endswith("-size")]

    def shard_requests(self):
        return [row for row in self.nginx.requests() if row[2].endswith(".shard")]

    def spoil(self, change):
        """Changes the bytes of all blocks."""
        for path in self.blocks():
            with open(path, "rb") as file:
                content = bytearray(file.read())
            with open(path, "wb") as file:
                file.write(change(content))

    def test_one_download_for_all_processes(self):
        jobs = [subprocess.Popen([INSPECT, f"--input={self.url}", "--threads=3", *self.flags], env=CLEAN,
                                 stdout=subprocess.PIPE, text=True) for _ in range(4)]
        for job in jobs:
            self.assertEqual(job.communicate()[0].split(": ", 1)[1], self.expected)
        asked = collections.Counter((path, part) for _, _, path, part in self.shard_requests())
        self.assertEqual(set(asked.values()), {1})
        size = sum(os.path.getsize(path) for path in glob.glob(f"{self.data}/train/*.shard"))
        sent = sum(count for _, count, _, _ in self.shard_requests())
        # Besides, 4 KB of each tell its size.
        self.assertLessEqual(sent, size + 4096 * len(glob.glob(f"{self.data}/train/*.shard")))
        self.nginx.forget()
        self.assert_read(self.url, *self.flags)
        self.assertEqual(self.shard_requests(), [])
        self.assertEqual(len(self.nginx.requests()), 1)  # which shards there are

    def test_damage_in_the_cache_is_downloaded_again(self):
        for change in (lambda content: content[:-1] + bytes([content[-1] ^ 1]), lambda content: content[:-7],
                       lambda content: bytes([0]) + content[1:], lambda content: b""):
            self.assert_read(self.url, *self.flags)
            blocks = len(self.blocks())
            self.spoil(change)
            self.nginx.forget()
            self.assert_read(self.url, *self.flags)
            self.assertEqual(len(self.shard_requests()), blocks)

    def test_wrong_bytes_are_not_kept(self):
        proxy = Proxy(self.nginx.port)
        self.addCleanup(proxy.stop)
        wrong = {12, 17, 23}
        proxy.fault = lambda number, path: "flip" if number in wrong else None
        url = f"http://{HOST}:{proxy.port}/train"
        self.assert_read(url, *self.flags)
        wrong.clear()
        self.assert_read(url, *self.flags)

    def test_a_kill_leaves_a_cache_that_works(self):
        proxy = Proxy(self.nginx.port)
        self.addCleanup(proxy.stop)
        url = f"http://{HOST}:{proxy.port}/train"
        for last in (8, 14, 20):
            proxy.count = 0
            proxy.fault = lambda number, path, last=last: "slow" if number > last else None
            job = subprocess.Popen([INSPECT, f"--input={url}", "--threads=2", *self.flags], env=CLEAN,
                                   stdout=subprocess.DEVNULL)
            while proxy.count <= last and job.poll() is None:
                time.sleep(0.02)
            time.sleep(0.1)
            job.send_signal(signal.SIGKILL)
            job.wait()
        proxy.fault = lambda number, path: None
        self.assert_read(url, *self.flags)

    def test_the_oldest_blocks_go(self):
        # A size that two thirds of the blocks fit in.
        self.assert_read(self.url, *self.flags)
        blocks = sorted(self.blocks())
        size = sum(map(os.path.getsize, blocks))
        for age, path in enumerate(blocks):
            os.utime(path, (1e9 - age, 1e9 - age))
        self.nginx.forget()
        most = size * 2 // 3
        shutil.copytree(f"{self.data}/train", f"{self.folder}/again")
        other = self.serve(self.folder)
        flags = (f"--cache_dir={self.cache}", f"--cache_size={most / 1e9:.6f}")
        self.assert_read(f"http://{HOST}:{other.port}/again", *flags)
        left = [path for path in blocks if os.path.exists(path)]
        # The youngest are left, if any.
        self.assertEqual(left, blocks[:len(left)])
        self.assertLess(len(left), len(blocks))
        self.assertLessEqual(sum(map(os.path.getsize, glob.glob(f"{self.cache}/blocks/*/*"))), most)
        # What is used is young: read again, the same stay.
        self.assert_read(f"http://{HOST}:{other.port}/again", *flags)

    def test_folders_that_are_no_cache(self):
        os.makedirs(f"{self.folder}/mine")
        open(f"{self.folder}/mine/thesis.txt", "w").close()
        self.assert_error(self.inspect(self.url, f"--cache_dir={self.folder}/mine", "--cache_size=0.1"),
                          "--cache_dir: ", "mine: is no cache: holds thesis.txt")
        self.assertEqual(os.listdir(f"{self.folder}/mine"), ["thesis.txt"])
        self.assert_read(self.url, *self.flags)
        with open(f"{self.cache}/version", "w") as file:
            file.write("nqdarts cache 2\n")
        self.assert_error(self.inspect(self.url, *self.flags), "--cache_dir: ", "is a cache of another version")

    def test_a_disk_that_is_too_small_is_known_at_once(self):
        self.assert_error(self.inspect(self.url, f"--cache_dir={self.cache}", "--cache_size=900000000"),
                          "--cache_dir: ", f"{self.cache}: its disk has room for ", "of a cache of")
        self.assertEqual(self.nginx.requests(), [])

    def read_while_the_disk_fills(self, fill_at):
        """inspect's result, on a disk of 9 MB that others fill when request `fill_at` comes."""
        work = tempfile.mkdtemp(dir=self.folder)
        proxy = Proxy(self.nginx.port)
        self.addCleanup(proxy.stop)
        shell = subprocess.Popen(["unshare", "--mount", "bash"], stdin=subprocess.PIPE, text=True, env=CLEAN)

        def tell(command):
            shell.stdin.write(f"{command}\ntouch {self.folder}/done\n")
            shell.stdin.flush()
            while not os.path.exists(f"{self.folder}/done"):
                if shell.poll() is not None:
                    self.skipTest("no disk may be mounted here")
                time.sleep(0.02)
            os.remove(f"{self.folder}/done")

        def fault(number, path):
            if number == fill_at:
                tell(f"head -c 20m /dev/zero >{work}/theirs 2>{self.folder}/ignored")

        proxy.fault = fault
        tell(f"mount -t tmpfs -o size=9m none {work} || exit 1")
        shell.stdin.write(f"({INSPECT} --input=http://{HOST}:{proxy.port}/train --io_depth=1 --cache_dir={work}/cache "
                          f"--cache_size=0.008; echo $? >{self.folder}/status) >{self.folder}/out 2>{self.folder}/err &\n")
        shell.stdin.flush()
        while not os.path.exists(f"{self.folder}/status"):
            time.sleep(0.05)
        shell.stdin.close()
        shell.wait()
        with open(f"{self.folder}/out") as out, open(f"{self.folder}/err") as err:
            return out.read(), err.read()

    @unittest.skipIf(os.geteuid() != 0, "only root mounts a disk")
    def test_a_disk_that_others_fill_keeps_less(self):
        shards = len(glob.glob(f"{self.data}/train/*.shard"))
        out, err = self.read_while_the_disk_fills(1 + shards + 2)
        self.assertEqual(err, "")
        self.assertEqual(out.split(": ", 1)[1], self.expected)

    @unittest.skipIf(os.geteuid() != 0, "only root mounts a disk")
    def test_a_full_disk_is_named(self):
        _, err = self.read_while_the_disk_fills(1)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn("/cache", err)
        self.assertIn("No space left on device", err)


if __name__ == "__main__":
    unittest.main()
