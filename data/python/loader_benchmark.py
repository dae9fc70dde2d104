#!/usr/bin/env python3
"""Images per second of the loader from Python, beside the same loader in C++ and beside Pillow.

  bazel run //data/python:loader_benchmark -- --data=/data/imagenet/train

In turn, for some rounds: the C++ program, an epoch in Python, and what torchvision's transforms do with Pillow (decode,
crop and resize, flip, normalize) in as many processes, whose results are thrown away. All in the second epoch, when
the page cache is warm. Medians. The ratio of images per CPU-second holds on a machine that others use, too: within 3 %
of 1 it says that Python costs nothing.
"""

import argparse
import io
import math
import multiprocessing
import os
import pathlib
import random
import statistics
import subprocess
import tarfile
import time

import numpy
from nqdarts.data import Loader
from PIL import Image

REFERENCE = "data/python/reference_loader"
FORMATS = {"float32": ("NCHW", "float32_nchw"), "uint8": ("NHWC", "uint8_nhwc")}
MEAN, STD = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])


def cpp_rates(options, dtype):
    """Images per second and per CPU-second of all threads; so do the others."""
    command = [REFERENCE, "rate", options.data, "imagenet_train", FORMATS[dtype][1], options.batch, options.threads]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    return tuple(map(float, output.split()))


def python_rates(options, dtype):
    with Loader(options.data, options.batch, "imagenet_train", dtype=dtype, layout=FORMATS[dtype][0], seed=7,
                threads=options.threads, tensors="numpy") as loader:
        for _ in loader:
            pass
        start, cpu_start = time.perf_counter(), time.process_time()
        images = sum(len(labels) for _, labels in loader)
        return images / (time.perf_counter() - start), images / (time.process_time() - cpu_start)


def encoded_images(path, most):
    """The bytes of up to `most` images of a folder or a tar archive; none of anything else."""
    names = (".jpg", ".jpeg", ".png")
    if os.path.isfile(path) and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.name.lower().endswith(names)]
            return [archive.extractfile(member).read() for member in members[:most]]
    files = sorted(file for file in pathlib.Path(path).rglob("*") if file.suffix.lower() in names)
    return [file.read_bytes() for file in files[:most]]


def crop_of(width, height):
    """torchvision's RandomResizedCrop."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            x, y = random.randint(0, width - w), random.randint(0, height - h)
            return x, y, x + w, y + h
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2


def with_pillow(encoded, dtype):
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    image = image.resize((224, 224), Image.Resampling.BILINEAR, box=crop_of(*image.size))
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = numpy.asarray(image)
    if dtype == "float32":
        pixels = ((pixels.astype(numpy.float32) / 255 - MEAN) / STD).transpose(2, 0, 1).copy()
    return pixels[0, 0, 0]


def pillow_work(arguments):
    images, dtype = arguments
    start = time.process_time()
    for encoded in images:
        with_pillow(encoded, dtype)
    return len(images), time.process_time() - start


def pillow_rates(options, dtype, images):
    shares = [(images[i : i + options.batch], dtype) for i in range(0, len(images), options.batch)]
    with multiprocessing.Pool(options.threads) as pool:
        pool.map(pillow_work, shares[: options.threads])
        start = time.perf_counter()
        done, cpu_seconds = map(sum, zip(*pool.imap_unordered(pillow_work, shares)))
        return done / (time.perf_counter() - start), done / cpu_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pillow_images", type=int, default=1000, help="images of a round with Pillow")
    options = parser.parse_args()
    options.data = str(pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), options.data))
    images = encoded_images(options.data, options.pillow_images)
    print(f"{options.data}, batch {options.batch}, {options.threads} threads, medians of {options.rounds} rounds")
    print("images per second, per CPU-second   C++           Python        ratio           Pillow        Python to it")
    for dtype in FORMATS:
        rates = {"C++": [], "Python": [], "Pillow": []}
        for _ in range(options.rounds):
            rates["C++"].append(cpp_rates(options, dtype))
            rates["Python"].append(python_rates(options, dtype))
            rates["Pillow"].append(pillow_rates(options, dtype, images) if images else (math.nan, math.nan))
        cpp, python, pillow = ([statistics.median(column) for column in zip(*rows)] for rows in rates.values())
        columns = [shown(cpp, 0), shown(python, 0), shown(divided(python, cpp), 3), shown(pillow, 0),
                   shown(divided(python, pillow), 2)]
        print(f"{dtype:33} " + "   ".join(columns))


def divided(a, b):
    return [x / y for x, y in zip(a, b)]


def shown(pair, digits):
    return " ".join(f"{x:6.{digits}f}" for x in pair)


if __name__ == "__main__":
    main()
