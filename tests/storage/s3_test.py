#!/usr/bin/env python3
"""Shards read from a server of S3's kind, which checks our signatures with botocore's."""

import os
import unittest

from servers import CLEAN, HOST, Moto, Proxy
from storage_test import StorageTest


class S3Test(StorageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.moto = Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.moto.upload("photos", "a set/train", f"{cls.data}/train")

    def environment(self, **changes):
        environment = self.moto.environment(self.folder)
        environment.update(changes)
        return {name: value for name, value in environment.items() if value is not None}

    def inspect_with(self, location="s3://photos/a set/train", *flags, **changes):
        return self.inspect(location, *flags, environment=self.environment(**changes))

    def test_a_folder_and_a_bucket_are_the_same(self):
        self.assert_read("s3://photos/a set/train", environment=self.environment())
        self.assert_read("s3://photos/a set/train/", "--io_depth=2", environment=self.environment())

    def test_keys_of_a_profile(self):
        os.makedirs(f"{self.folder}/.aws")
        with open(f"{self.folder}/.aws/credentials", "w") as file:
            file.write(f"[work]\naws_access_key_id = {self.moto.keys[0]}\n"
                       f"aws_secret_access_key = {self.moto.keys[1]}\n")
        with open(f"{self.folder}/.aws/config", "w") as file:
            file.write(f"[profile work]\nregion = us-east-1\nendpoint_url = {self.moto.endpoint}\n")
        self.assert_read("s3://photos/a set/train",
                         environment=dict(CLEAN, HOME=self.folder, AWS_PROFILE="work"))

    def test_keys_that_are_wrong(self):
        error = self.assert_error(self.inspect_with(AWS_SECRET_ACCESS_KEY="x" * 40),
                                  "dataset.json: the server answers 403, SignatureDoesNotMatch")
        self.assertNotIn("x" * 40, error)
        self.assert_error(self.inspect_with(AWS_ACCESS_KEY_ID="AKIANOBODY"), "403, InvalidAccessKeyId")

    def test_no_keys(self):
        self.assert_error(self.inspect_with(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None),
                          "no credentials: neither AWS_ACCESS_KEY_ID", f"[default] in {self.folder}/.aws/credentials")
        self.assert_error(self.inspect_with(AWS_SECRET_ACCESS_KEY=None), "only one is set")

    def test_what_is_not_there(self):
        self.assert_error(self.inspect_with("s3://phots/train"), "s3://phots/train/dataset.json: there is no such bucket")
        self.assert_error(self.inspect_with("s3://photos/val"), "s3://photos/val/dataset.json: there is no such object")
        self.assert_error(self.inspect_with("s3://"), "is not s3://BUCKET/PREFIX")

    def test_faults_are_got_over_with_signatures_made_anew(self):
        proxy = Proxy(self.moto.port)
        self.addCleanup(proxy.stop)
        faults = {2: "drop", 5: "busy", 8: "half", 11: "flip", 14: "short"}
        proxy.fault = lambda number, path: faults.get(number)
        self.assert_read("s3://photos/a set/train",
                         environment=self.environment(AWS_ENDPOINT_URL=f"http://{HOST}:{proxy.port}"))
        self.assertGreater(proxy.count, 14)


if __name__ == "__main__":
    unittest.main()
