#!/usr/bin/env python3
"""Batches as torch's tensors."""

import gc
import itertools
import unittest
from unittest import mock

import torch
from nqdarts.data import Loader

DIGITS = "tools/sample_data/digits/train.tar"


def digits(**options):
    return Loader(DIGITS, **{"batch_size": 64, "transform": "cifar_train", "threads": 2, **options})


class TorchTest(unittest.TestCase):
    def test_tensors_are_torchs_and_those_of_numpy(self):
        for dtype, layout in (("float32", "NCHW"), ("float32", "channels_last"), ("uint8", "channels_last"),
                              (torch.float32, "NHWC")):
            ours = next(iter(digits(dtype=dtype, layout=layout, sample_ids=True)))
            theirs = next(iter(digits(dtype=dtype, layout=layout, sample_ids=True, tensors="numpy")))
            self.assertIsInstance(ours[0], torch.Tensor)
            for a, b in zip(ours, theirs):
                self.assertTrue(torch.equal(a, torch.from_numpy(b)))
                self.assertEqual(a.stride(), torch.from_numpy(b).stride())
        last, _ = next(iter(digits(layout="channels_last")))
        self.assertTrue(last.is_contiguous(memory_format=torch.channels_last))

    def test_nothing_is_copied(self):
        images, _ = next(iter(digits(tensors="dlpack")))
        self.assertEqual(torch.from_dlpack(images).data_ptr(), torch.from_dlpack(images).data_ptr())
        images.__dlpack_device__()

    def test_batches_are_pinned_where_there_is_a_gpu(self):
        with mock.patch.object(torch.Tensor, "pin_memory", lambda tensor: tensor + 1):
            plain, _ = next(iter(digits()))
            for options in ({"pin_memory": True}, {}):
                with mock.patch("torch.cuda.is_available", return_value=True):
                    pinned, labels = next(iter(digits(**options)))
                self.assertTrue(torch.equal(pinned, plain + 1))
                self.assertEqual(labels.dtype, torch.int64)
            with mock.patch("torch.cuda.is_available", return_value=True):
                self.assertTrue(torch.equal(next(iter(digits(pin_memory=False)))[0], plain))
        with self.assertRaisesRegex(ValueError, "pin_memory"):
            digits(pin_memory=True, tensors="numpy")

    def test_memory_is_used_again_but_not_while_it_is_held(self):
        loader = digits()
        held = [images for images, _ in itertools.islice(loader, 4)]
        self.assertEqual(len({images.data_ptr() for images in held}), 4)
        kept = [images.clone() for images in held]
        seen = {images.data_ptr() for images, _ in loader}
        self.assertLess(len(seen), 10)
        for a, b in zip(held, kept):
            self.assertTrue(torch.equal(a, b))
        del loader
        gc.collect()
        view = held[0][3:5]
        del held
        gc.collect()
        self.assertTrue(torch.equal(view, kept[0][3:5]))

    def test_a_network_learns_from_it(self):
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.AvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 10))
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        losses = []
        for images, labels in digits(transform="cifar_eval"):
            optimizer.zero_grad()
            losses.append(torch.nn.functional.cross_entropy(network(images), labels))
            losses[-1].backward()
            optimizer.step()
        self.assertLess(sum(losses[-5:]).item(), 0.5 * sum(losses[:5]).item())


if __name__ == "__main__":
    unittest.main()
