#!/usr/bin/env python3
"""Inputs that can be read wrongly, by inspect and pack: each is read as docs/data.md says.

Images are the sample digits; PNGs are made here, and what their pixels are is Pillow's word.
"""

import gzip
import io
import os
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile
import unittest
import zlib

INSPECT = os.path.abspath("tools/inspect")
PACK = os.path.abspath("tools/pack")
DIGITS = os.path.abspath("tools/sample_data/digits/test.tar")

# Whole JPEGs, all different.
with tarfile.open(DIGITS) as digits:
    JPEGS = [digits.extractfile(m).read() for m in digits.getmembers() if m.name.endswith(".jpg")][:30]


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def write_folder(root, classes=("0", "1", "2"), images=4):
    for number, name in enumerate(classes):
        for i in range(images):
            write(f"{root}/{name}/{i}.jpg", JPEGS[number * images + i])


def write_tar(path, items):
    with tarfile.open(path, "w") as tar:
        for name, content in items:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def png(width, depth, colour, row, extra=b""):
    """A PNG of one row."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content +
                struct.pack(">I", zlib.crc32(kind + content)))
    header = struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + (chunk(*extra) if extra else b"") +
            chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b""))


class InputsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        os.chdir(self.folder)

    def run_tool(self, *command):
        """What a tool prints; its one line of error if it fails."""
        done = subprocess.run(command, capture_output=True, check=False)
        error = done.stderr.decode()  # which must be UTF-8
        if done.returncode != 0:
            self.assertEqual(done.returncode, 1, error)
            self.assertEqual(error.count("\n"), 1, error)
            self.assertNotIn("exception", error)
        return done.returncode, done.stdout.decode(), error

    def inspect(self, path, *flags):
        status, out, error = self.run_tool(INSPECT, path, "--verify", *flags)
        self.assertEqual(status, 0, error)
        lines = out.splitlines()
        table = lines[lines.index("samples  class") + 1:lines.index("samples  longer side in pixels")]
        classes = {line[9:]: int(line[:7]) for line in table}
        return classes, [line for line in lines if line.startswith("left alone: ")]

    def error_of(self, path, *flags, tool=INSPECT):
        status, _, error = self.run_tool(tool, f"--input={path}", *flags)
        self.assertEqual(status, 1)
        return error

    def extract(self, path, index):
        status, _, error = self.run_tool(INSPECT, path, f"--extract={index}", "--output=sample")
        self.assertEqual(status, 0, error)
        return pathlib.Path("sample").read_bytes()

    # Labels of tars.

    def test_a_name_twice_in_a_tar_is_an_error_that_names_both_places(self):
        write_tar("x.tar", [("0001.jpg", JPEGS[3]), ("0001.cls", b"0"), ("0001.jpg", JPEGS[7]),
                            ("0001.cls", b"1")])
        self.assertRegex(self.error_of("x.tar"), r"x\.tar: one name twice: 0001\.jpg \(byte 0\) and "
                                                 r"0001\.jpg \(byte \d+\)")

    def test_dotted_names_keep_their_labels(self):
        write_tar("x.tar", [("22.05.jpg", JPEGS[2]), ("22.05.cls", b"2"), ("22.06.jpg", JPEGS[5]),
                            ("22.06.cls", b"5")])
        classes, _ = self.inspect("x.tar", "--allow_empty_classes")
        self.assertEqual(classes, {"0": 0, "1": 0, "2": 1, "3": 0, "4": 0, "5": 1})
        self.assertEqual(self.extract_allowing("x.tar", 1), JPEGS[5])

    def extract_allowing(self, path, index):
        status, _, error = self.run_tool(INSPECT, path, "--allow_empty_classes",
                                         f"--extract={index}", "--output=sample")
        self.assertEqual(status, 0, error)
        return pathlib.Path("sample").read_bytes()

    def test_two_images_of_a_label_are_an_error(self):
        write_tar("x.tar", [("1.jpg", JPEGS[0]), ("1.mask.png", JPEGS[0]), ("1.cls", b"0")])
        self.assertRegex(self.error_of("x.tar"), r"two images of the label 1\.cls.*1\.jpg.*1\.mask\.png")

    def test_labels_from_one_leave_no_empty_class_unnoticed(self):
        write_tar("x.tar", [(f"{i}.{e}", c) for i in range(1, 11)
                            for e, c in (("jpg", JPEGS[i]), ("cls", b"%d" % i))])
        self.assertIn("class 0 has no image; empty classes: 1 of 11", self.error_of("x.tar"))
        self.assertIn("class 0 has no image", self.error_of("x.tar", "--output=out", tool=PACK))
        self.assertFalse(os.path.exists("out"))
        status, out, _ = self.run_tool(PACK, "--input=x.tar", "--output=out", "--allow_empty_classes")
        self.assertEqual(status, 0)
        self.assertIn("class without samples: 0\n", out)
        self.assertEqual(self.inspect("out")[0]["0"], 0)

    def test_a_dot_is_no_class(self):
        write_tar("x.tar", [(f"./{i:04}.{e}", c) for i in range(4)
                            for e, c in (("jpg", JPEGS[i]), ("json", b'{"label": 1}'))])
        self.assertIn("./0000.jpg (byte 0) has no .cls and is in no folder", self.error_of("x.tar"))

    # Folders and their tars.

    def test_a_folder_and_its_tar_are_the_same(self):
        for name in ("cat", "dog"):
            write(f"nested/animals/{name}/1.jpg", JPEGS[0])
        write("nested/animals/.git/x.jpg", JPEGS[0])
        write("nested/animals/cat/notes.txt", b"none")
        write("nested/animals/dog/1.webp", b"none")
        with tarfile.open("nested.tar", "w") as tar:
            tar.add("nested", ".")
        with tarfile.open("named.tar", "w") as tar:
            tar.add("nested")
        classes, left_alone = self.inspect("nested")
        self.assertEqual(classes, {"cat": 1, "dog": 1})
        self.assertEqual(sorted(left_alone), [
            "left alone: 1 (a folder around the classes): animals",
            "left alone: 1 (an image of a format that is not read): animals/dog/1.webp",
            "left alone: 1 (hidden, or a system's own): animals/.git",
            "left alone: 1 (no image by its name): animals/cat/notes.txt"])
        tar_classes, tar_left_alone = self.inspect("nested.tar")
        self.assertEqual(tar_classes, classes)
        self.assertEqual(sorted(tar_left_alone), sorted(left_alone))
        self.assertEqual(self.inspect("named.tar")[0], classes)

    def test_hidden_folders_are_no_classes(self):
        write_folder("hidden")
        for name in (".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir"):
            write(f"hidden/{name}/0.jpg", JPEGS[0])
        classes, left_alone = self.inspect("hidden")
        self.assertEqual(classes, {"0": 4, "1": 4, "2": 4})
        self.assertEqual(left_alone, ["left alone: 4 (hidden, or a system's own): .git, "
                                      ".ipynb_checkpoints, @eaDir, __MACOSX"])

    def test_an_empty_class_is_an_error(self):
        write_folder("empty")
        write("empty/3/1.webp", b"none")
        self.assertIn("empty: class 3 has no image", self.error_of("empty"))
        self.assertEqual(self.inspect("empty", "--allow_empty_classes")[0]["3"], 0)

    def test_an_image_outside_of_the_classes_is_an_error(self):
        write_folder("outside")
        write("outside/x.jpg", JPEGS[0])
        self.assertIn("x.jpg has no .cls and is in no folder", self.error_of("outside"))

    def test_other_data_beside_the_folders_is_an_error(self):
        write_folder("stray")
        write_tar("stray/n01440764.tar", [("a/a.jpg", JPEGS[0])])
        self.assertIn("two kinds of data, folder (0) and tar (n01440764.tar)", self.error_of("stray"))
        classes, left_alone = self.inspect("stray", "--kind=folder")
        self.assertEqual(classes, {"0": 4, "1": 4, "2": 4})
        self.assertEqual(left_alone, ["left alone: 1 (no image by its name): n01440764.tar"])

    def test_links_that_lead_nowhere_are_an_error(self):
        write_folder("dangling")
        for i in range(4):
            os.remove(f"dangling/1/{i}.jpg")
            os.symlink(f"../../.git/annex/objects/{i}", f"dangling/1/{i}.jpg")
        self.assertIn("dangling: 1/0.jpg is a link that leads nowhere", self.error_of("dangling"))
        self.assertIn("1/0.jpg", self.error_of("dangling", "--output=out", "--on_bad_sample=skip", tool=PACK))
        with tarfile.open("dangling.tar", "w") as tar:
            tar.add("dangling", ".")
        self.assertIn("1/0.jpg (byte", self.error_of("dangling.tar"))

    def test_a_circle_of_links_is_an_error(self):
        write_folder("circle")
        os.symlink("..", "circle/0/up")
        self.assertIn("circle/0/up: is a link to a folder that it is in", self.error_of("circle"))

    def test_links_in_a_tar_are_what_they_lead_to(self):
        write_folder("links")
        os.link("links/0/0.jpg", "links/1/hard.jpg")
        os.symlink("../0/1.jpg", "links/1/symbolic.jpg")
        for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
            with tarfile.open("links.tar", "w", format=kind) as tar:
                tar.add("links", ".")
            for path in ("links", "links.tar"):
                self.assertEqual(self.inspect(path)[0], {"0": 4, "1": 6, "2": 4})
        with tarfile.open("links.tar") as tar:
            names = [m.name for m in tar.getmembers() if m.name.endswith(".jpg")]
        for name, jpeg in (("./0/0.jpg", JPEGS[0]), ("./1/hard.jpg", JPEGS[0]),
                           ("./1/symbolic.jpg", JPEGS[1])):
            self.assertEqual(self.extract("links.tar", names.index(name)), jpeg)

    def test_sparse_members_are_an_error(self):
        write_folder("sparse")
        # As `tar --sparse` writes them: the sizes of data and file apart, the map in the header.
        header = tarfile.TarInfo("0/s.jpg")
        header.type = tarfile.GNUTYPE_SPARSE
        header.size = len(JPEGS[0])
        with tarfile.open("sparse.tar", "w", format=tarfile.GNU_FORMAT) as tar:
            tar.add("sparse", ".")
            tar.addfile(header, io.BytesIO(JPEGS[0]))
        self.assertRegex(self.error_of("sparse.tar"), r"0/s\.jpg \(byte \d+\) is a sparse member")

    def test_joined_tars_are_an_error(self):
        write_tar("a.tar", [("a/1.jpg", JPEGS[0])])
        write_tar("b.tar", [("b/1.jpg", JPEGS[1])])
        joined = pathlib.Path("a.tar").read_bytes() + pathlib.Path("b.tar").read_bytes()
        write("./joined.tar", joined)
        self.assertIn("something follows the end of the archive", self.error_of("joined.tar"))

    def test_training_and_validation_are_not_one_dataset(self):
        for split in ("train", "val"):
            write_folder(f"splits/{split}", ("cat", "dog"))
            os.makedirs("tars", exist_ok=True)
            write_tar(f"tars/digits-{split}-0.tar", [("cat/1.jpg", JPEGS[0])])
        self.assertIn("holds two datasets, train/cat/0.jpg and val/cat/0.jpg", self.error_of("splits"))
        self.assertIn("holds two datasets, digits-train-0.tar and digits-val-0.tar",
                      self.error_of("tars"))
        self.assertEqual(self.inspect("splits/val")[0], {"cat": 4, "dog": 4})

    def test_several_tars_may_number_their_samples_each(self):
        os.makedirs("tars")
        for i in range(2):
            write_tar(f"tars/{i}.tar", [("1.jpg", JPEGS[i]), ("1.cls", b"%d" % i)])
        write("tars/stats.json", b"{}")
        classes, left_alone = self.inspect("tars")
        self.assertEqual(classes, {"0": 1, "1": 1})
        self.assertEqual(left_alone, ["left alone: 1 (no archive by its name): stats.json"])
        self.assertEqual(self.extract("tars", 1), JPEGS[1])

    # Fields.

    def test_fields_are_packed_listed_and_taken_out(self):
        for name, content in (("1.jpg", JPEGS[1]), ("1.json", b'{"a": 1}'), ("2.jpg", JPEGS[2]), ("2.json", b"{}"),
                              ("2.txt", b"two")):
            write(f"captions/0/{name}", content)
        status, out, _ = self.run_tool(PACK, "--input=captions", "--output=captions-shards", "--noshuffle")
        self.assertEqual(status, 0)
        self.assertIn("fields: json, txt\n", out)
        for data in ("captions", "captions-shards"):
            self.assertIn("fields: json, txt\n", self.run_tool(INSPECT, data)[1])
            extract = (f"--input={data}", "--output=field")
            self.assertEqual(self.run_tool(INSPECT, *extract, "--extract=0", "--field=json")[0], 0)
            self.assertEqual(pathlib.Path("field").read_bytes(), b'{"a": 1}')
            self.assertEqual(self.run_tool(INSPECT, *extract, "--extract=0", "--field=txt")[2].count("has no txt"), 1)
            status, _, error = self.run_tool(INSPECT, *extract, "--extract=0", "--field=cap")
            self.assertNotEqual(status, 0)
            self.assertIn("samples have no field cap; they have json, txt", error)
            self.assertEqual(self.extract(data, 1), JPEGS[2] if data == "captions" else self.extract(data, 1))
        self.assertIn("--field needs --extract", self.run_tool(INSPECT, "captions", "--field=json")[2])
        status, out, _ = self.run_tool(PACK, "--input=captions", "--output=some-shards", "--fields=txt")
        self.assertIn("fields: txt\n", out)
        self.assertIn("(no image by its name): 0/1.json, 0/2.json", out)
        status, out, _ = self.run_tool(PACK, "--input=captions", "--output=no-shards", "--fields=")
        self.assertNotIn("fields:", out)
        self.assertIn('"version": 1', pathlib.Path("no-shards/dataset.json").read_text())

    # Files of other kinds.

    def test_every_extension_is_read_or_counted_by_name(self):
        write_folder("extensions")
        for name in ("x.webp", "x.bmp", "x.jpe", "x.jfif", "x.JPEG", "x.txt"):
            write(f"extensions/1/{name}", JPEGS[20])
        classes, left_alone = self.inspect("extensions")
        self.assertEqual(classes, {"0": 4, "1": 7, "2": 4})
        self.assertEqual(left_alone, [
            "left alone: 2 (an image of a format that is not read): 1/x.bmp, 1/x.webp",
            "left alone: 1 (no image by its name): 1/x.txt"])
        status, out, _ = self.run_tool(PACK, "--input=extensions", "--output=out")
        self.assertEqual(status, 0)
        self.assertIn("(an image of a format that is not read): 1/x.bmp, 1/x.webp", out)

    def test_cifar_says_what_it_leaves_alone(self):
        record = bytes([0]) + bytes(3072)
        write("cifar/data_batch_1.bin", record + b"\1" + record[1:])
        write("cifar/test_batch.bin", record)
        write("cifar/batches.meta.txt", b"caf\xe9\nb\n\n")
        classes, left_alone = self.inspect("cifar")
        self.assertEqual(classes, {"caf\\xE9": 1, "b": 1})
        self.assertEqual(left_alone, ["left alone: 1 (not of the training set): test_batch.bin"])
        write("cifar/train.bin", record)
        self.assertIn("holds two datasets", self.error_of("cifar"))
        os.remove("cifar/train.bin")
        write("cifar/fine_label_names.txt", b"a\nb\n")
        self.assertIn("two lists of classes", self.error_of("cifar"))
        os.remove("cifar/fine_label_names.txt")
        write("cifar/batches.meta.txt", b"a\na\n")
        self.assertIn("classes 0 and 1 are both called a", self.error_of("cifar"))

    def test_idx_files_compressed_or_not(self):
        grey = bytes(range(24))
        images = struct.pack(">IIII", 0x803, 4, 2, 3) + grey
        labels = struct.pack(">II", 0x801, 4) + bytes([0, 1, 1, 0])
        write("idx/train-images-idx3-ubyte.gz", gzip.compress(images))
        write("idx/train-labels-idx1-ubyte.gz", gzip.compress(labels))
        write("idx/README", b"")
        classes, left_alone = self.inspect("idx")
        self.assertEqual(classes, {"0": 2, "1": 2})
        self.assertEqual(left_alone, ["left alone: 1 (not of the training set): README"])
        write("plain/x-images.idx3-ubyte", images)
        write("plain/x-labels.idx1-ubyte", labels)
        self.assertEqual(self.inspect("plain")[0], classes)
        self.assertEqual(self.run_tool(PACK, "--input=idx", "--output=idx_shards")[0], 0)
        self.assertEqual(self.inspect("idx_shards")[0], classes)

        whole = gzip.compress(images)
        for damaged, text in ((whole[:-12], "ends after"), (whole[:12], "ends after"),
                              (whole[:20] + b"\xff\xff" + whole[22:], "train-images"),
                              (whole[:-8] + bytes(4) + whole[-4:], "train-images")):
            write("idx/train-images-idx3-ubyte.gz", damaged)
            self.assertIn(text, self.error_of("idx"))
        write("idx/t10k-images-idx3-ubyte", images)
        write("idx/train-images-idx3-ubyte", images)
        self.assertIn("two sets of images", self.error_of("idx"))

    # Pixels.

    def test_pngs_have_the_pixels_that_pillow_gives(self):
        gray = [0, 1, 127, 128, 255, 256, 257, 0x7fff, 0x8080, 0xff7f, 0xffff]
        upper = [0, 0, 0, 0, 0, 1, 1, 127, 128, 255, 255]
        clipped = [0, 1, 127, 128] + 7 * [255]
        palette = bytes([9, 8, 7, 100, 120, 140, 1, 2, 3])
        colours = bytes([128, 10, 250, 1, 2, 3])
        gamma = (b"gAMA", struct.pack(">I", 100000))
        cases = [
            (png(11, 16, 0, struct.pack(">11H", *gray)), [[v] * 3 for v in clipped]),
            (png(11, 16, 2, b"".join(struct.pack(">3H", v, v, v) for v in gray)), [[v] * 3 for v in upper]),
            (png(11, 16, 4, b"".join(struct.pack(">2H", v, 9) for v in gray)), [[v] * 3 for v in upper]),
            (png(11, 16, 6, b"".join(struct.pack(">4H", v, v, v, 9) for v in gray)), [[v] * 3 for v in upper]),
            (png(2, 8, 2, colours, gamma), [colours]),
            (png(2, 8, 2, colours, (b"sBIT", b"\5\6\5")), [colours]),
            (png(2, 8, 2, colours, (b"tRNS", struct.pack(">3H", 128, 10, 250))), [colours]),
            (png(2, 8, 6, bytes([128, 10, 250, 0, 1, 2, 3, 128]), gamma), [colours]),
            (png(2, 8, 4, bytes([128, 10, 250, 0]), gamma), [3 * [128], 3 * [250]]),
            (png(2, 8, 0, b"\x3c\x40", gamma), [3 * [60], 3 * [64]]),
            (png(8, 1, 0, b"\xa5"), [3 * [v] for v in (255, 0, 255, 0, 0, 255, 0, 255)]),
            (png(4, 2, 0, b"\x1b"), [3 * [v] for v in (0, 85, 170, 255)]),
            (png(2, 4, 0, b"\x3c"), [3 * [51], 3 * [204]]),
            (png(4, 2, 3, b"\x18", (b"PLTE", palette)), [palette[:6], palette[6:], palette[:3]]),
        ]
        for number, (content, _) in enumerate(cases):
            write(f"png/a/{number:02}.png", content)
        status, _, error = self.run_tool(PACK, "--input=png", "--output=out", "--raw_fraction=1", "--shuffle=false")
        self.assertEqual(status, 0, error)
        for number, (_, pixels) in enumerate(cases):
            expected = b"".join(bytes(pixel) for pixel in pixels)
            self.assertEqual(self.extract("out", number).split(b"255\n", 1)[1], expected, number)

    def test_bytes_behind_the_last_pixel_are_harmless(self):
        jpeg = JPEGS[0]
        write("extraneous/0/a.jpg", jpeg)
        write("extraneous/0/b.jpg", jpeg[:-2] + bytes(range(1, 255)) + jpeg[-2:])
        write("extraneous/0/c.jpg", jpeg + b"behind the end")
        for flags in ((), ("--raw_fraction=1",)):
            shutil.rmtree("out", ignore_errors=True)
            status, _, error = self.run_tool(PACK, "--input=extraneous", "--output=out", "--shuffle=false", *flags)
            self.assertEqual(status, 0, error)
            self.assertEqual(len({self.extract("out", i) for i in range(3)}), 1)

    # Loss.

    def test_nothing_is_packed_of_bad_images_alone(self):
        for name in "ab":
            write(f"bad/{name}/1.jpg", b"x")
        error = self.error_of("bad", "--output=out", "--on_bad_sample=skip", tool=PACK)
        self.assertIn("all 2 samples are bad; the first: sample", error)
        self.assertEqual(os.listdir("out"), [])

    def test_rejected_images_are_named_and_so_are_classes_without_others(self):
        write_folder("some")
        for i in range(4):
            write(f"some/1/{i}.jpg", JPEGS[i][:100])
        status, out, _ = self.run_tool(PACK, "--input=some", "--output=out", "--on_bad_sample=skip")
        self.assertEqual(status, 0)
        self.assertIn("; 4 rejected\n", out)
        self.assertIn("class without samples: 1\n", out)
        self.assertEqual(out.count("rejected: sample "), 4)
        (line,) = self.inspect("out")[1]
        self.assertIn("left alone: 4 (rejected when this was packed): 1/", line)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_what_may_not_be_read_is_no_bad_sample(self):
        write_folder("locked")
        os.chmod("locked/1/2.jpg", 0)
        error = self.error_of("locked", "--output=out", "--on_bad_sample=skip", tool=PACK)
        self.assertIn("1/2.jpg", error)
        self.assertIn("Permission denied", error)

    def test_packing_again_keeps_what_is_the_same_and_no_old_pixels(self):
        write_folder("stale")
        flags = ("--input=stale", "--output=out", "--samples_per_shard=4")
        self.assertIn("(0 kept)", self.run_tool(PACK, *flags)[1])
        self.assertIn("(3 kept)", self.run_tool(PACK, *flags)[1])
        for path in pathlib.Path("stale").rglob("*.jpg"):
            os.utime(path, (1, 1))  # another time, the same content
        self.assertIn("(3 kept)", self.run_tool(PACK, *flags)[1])
        # The same size and time, other content: that of an image whose last bytes differ.
        before = os.stat("stale/0/0.jpg")
        content = bytearray(JPEGS[0])
        content[-3] ^= 1
        write("stale/0/0.jpg", content)
        os.utime("stale/0/0.jpg", (before.st_atime, before.st_mtime))
        self.assertIn("images that have changed since", self.run_tool(PACK, *flags)[2])
        shutil.copy("stale/0/1.jpg", "stale/0/0.jpg")
        self.assertIn("images that have changed since", self.run_tool(PACK, *flags)[2])
        write("stale/0/0.jpg", JPEGS[0])
        self.assertIn("(3 kept)", self.run_tool(PACK, *flags)[1])

    # Names.

    def test_names_that_are_not_utf8_work(self):
        for name in (b"caf\xe9", b"caf\xe8", b"b"):
            for i in range(4):
                write(b"latin1/" + name + b"/\xff%d.jpg" % i, JPEGS[i])
        with tarfile.open("latin1.tar", "w") as tar:
            tar.add("latin1", ".")
        expected = {"b": 4, "caf\\xE8": 4, "caf\\xE9": 4}
        for path in ("latin1", "latin1.tar"):
            shutil.rmtree("out", ignore_errors=True)
            status, _, error = self.run_tool(PACK, f"--input={path}", "--output=out")
            self.assertEqual(status, 0, error)
            self.assertEqual(self.inspect("out")[0], expected)
            self.assertEqual(self.inspect(path)[0], expected)

    def test_shards_say_what_they_are_not(self):
        write_folder("some")
        self.assertEqual(self.run_tool(PACK, "--input=some", "--output=out")[0], 0)
        shutil.copy("out/00000.shard", "out/00001.shard")
        self.assertEqual(self.inspect("out")[1],
                         ["left alone: 1 (not listed in dataset.json): 00001.shard"])
        os.remove("out/dataset.json")
        self.assertIn("holds shards but no dataset.json", self.error_of("out"))


if __name__ == "__main__":
    unittest.main()
