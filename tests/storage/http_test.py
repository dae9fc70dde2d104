#!/usr/bin/env python3
"""Shards read from nginx over HTTP and HTTPS, undisturbed and disturbed."""

import http.server
import os
import shutil
import threading
import time
import unittest

from servers import CLEAN, HOST, Proxy, free_port, make_certificate
from storage_test import StorageTest


class HttpTest(StorageTest):
    def setUp(self):
        super().setUp()
        self.nginx = self.serve()
        self.url = f"http://{HOST}:{self.nginx.port}/train"

    def proxy(self, fault=lambda number, path: None):
        proxy = Proxy(self.nginx.port)
        proxy.fault = fault
        self.addCleanup(proxy.stop)
        return proxy, f"http://{HOST}:{proxy.port}/train"

    def test_a_folder_and_a_server_are_the_same(self):
        self.assert_read(self.url)
        self.assert_read(self.url + "/")
        self.assert_read(self.url, "--verify", "--io_depth=1")

    def test_two_requests_open_a_shard_and_one_reads_a_sample(self):
        result = self.inspect(self.url, "--extract=7", f"--output={self.folder}/7")
        self.assertEqual(result.returncode, 0, result.stderr)
        shards = len(os.listdir(f"{self.data}/train")) - 1
        # And three of the name, which the table does not hold.
        self.assertEqual(len(self.nginx.requests()), 1 + 2 * shards + 1 + 2)
        self.assertEqual({status for status, *_ in self.nginx.requests()}, {206})

    def test_each_fault_is_got_over(self):
        for fault in ("drop", "half", "busy", "flip", "short"):
            with self.subTest(fault):
                # What is asked again is not spoiled again.
                _, url = self.proxy(lambda number, path, fault=fault: fault if number % 20 == 3 else None)
                self.assert_read(url)

    def test_a_slow_answer_is_asked_for_again(self):
        _, url = self.proxy(lambda number, path: "slow" if number == 9 else None)
        begin = time.monotonic()
        self.assert_read(url, "--io_timeout=4")
        self.assertLess(time.monotonic() - begin, 30)

    def test_damage_that_stays_is_named(self):
        shutil.copytree(f"{self.data}/train", f"{self.folder}/damaged")
        with open(f"{self.folder}/damaged/00001.shard", "r+b") as file:
            file.seek(200)
            byte = file.read(1)
            file.seek(200)
            file.write(bytes([byte[0] ^ 1]))
        server = self.serve(self.folder)
        result = self.inspect(f"http://{HOST}:{server.port}/damaged")
        self.assertEqual(result.returncode, 1)
        (bad,) = [line for line in result.stdout.splitlines() if line.startswith("bad: ")]
        self.assertRegex(bad, r"bad: sample 90, \S+: http://\S+/damaged/00001.shard: sample 0 \(\S+\) is damaged: "
                              r"its checksum differs, also when fetched again")

    def test_a_damaged_index_is_named(self):
        _, url = self.proxy(lambda number, path: "flip" if path.endswith("2.shard") else None)
        self.assert_error(self.inspect(url), "/00002.shard: damaged index: its checksum differs, also when fetched")

    def test_a_replaced_object_is_no_damage(self):
        _, url = self.proxy(lambda number, path: "replaced" if number > 20 else None)
        self.assert_error(self.inspect(url), ".shard: was replaced while it was in use")

    def test_an_outage_is_waited_out(self):
        proxy, url = self.proxy()

        def fault(number, path):
            if number == 30 and not proxy.down:
                proxy.down = True
                threading.Timer(3, lambda: setattr(proxy, "down", False)).start()
            return None

        proxy.fault = fault
        result = self.inspect(url, "--io_timeout=30")
        self.assertEqual(self.tables(result), self.expected)
        self.assertIn("no answer", result.stderr)
        self.assertIn("it is tried again", result.stderr)

    def test_an_outage_that_lasts_ends_the_run(self):
        proxy, url = self.proxy()
        proxy.fault = lambda number, path: "drop" if number > 30 else None
        begin = time.monotonic()
        error = self.assert_error(self.inspect(url, "--io_timeout=3"), url)
        self.assertRegex(error, r"no answer for [34] seconds, at last: \w")
        self.assertLess(time.monotonic() - begin, 20)

    def test_nobody_there(self):
        error = self.assert_error(self.inspect(f"http://{HOST}:{free_port()}/train", "--io_timeout=2"))
        self.assertRegex(error, r"/train/dataset.json: no answer for [23] seconds, at last: .*onnect")
        self.assert_error(self.inspect("http://nowhere.invalid/train", "--io_timeout=2"), "nowhere.invalid")

    def test_what_is_not_there_is_said_at_once(self):
        self.assert_error(self.inspect(self.url + "ing"), "training/dataset.json: the server answers 404, not found")

    def test_a_server_without_ranges(self):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=HttpTest.data)

            def log_message(self, *arguments):
                pass

        with http.server.ThreadingHTTPServer((HOST, 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            result = self.inspect(f"http://{HOST}:{server.server_address[1]}/train")
            server.shutdown()
        self.assert_error(result, "/train/dataset.json: the server has no ranges")

    def test_certificates(self):
        key, certificate = make_certificate(self.folder, "localhost")
        server = self.serve(tls=(key, certificate))
        url = f"https://localhost:{server.port}/train"
        trusting = dict(CLEAN, SSL_CERT_FILE=certificate)
        self.assert_read(url, environment=trusting)
        self.assert_error(self.inspect(url), url, "certificate does not hold: ")
        other = self.serve(tls=make_certificate(self.folder, "elsewhere.example"))
        self.assert_error(
            self.inspect(f"https://localhost:{other.port}/train",
                         environment=dict(CLEAN, SSL_CERT_FILE=f"{self.folder}/elsewhere.example.crt")),
            "certificate does not hold: ", "localhost")

    def test_what_is_no_place_of_shards(self):
        error = self.assert_error(self.inspect("https://me:confidential@host/train"), "would be logged")
        self.assertNotIn("confidential", error)
        self.assert_error(self.inspect(self.url + "?key=1"), "a URL with '?'")
        self.assert_error(self.inspect("gs://bucket/train"), "is neither http://, https:// nor s3://")
        self.assert_error(self.inspect(self.url, "--kind=tar"), "only shards are read from a server")


if __name__ == "__main__":
    unittest.main()
