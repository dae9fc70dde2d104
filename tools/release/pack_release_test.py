#!/usr/bin/env python3
"""What a release may lack and what its archive looks like, on made-up files."""

import hashlib
import os
import pathlib
import tarfile
import tempfile
import unittest

import pack_release
from pack_release import Entry, Needs


class PackReleaseTest(unittest.TestCase):

  def setUp(self):
    folder = tempfile.TemporaryDirectory()
    self.addCleanup(folder.cleanup)
    self.folder = pathlib.Path(folder.name)

  def file(self, name, content="x"):
    path = self.folder / name
    path.write_text(content)
    return str(path)

  def test_newest_versions_are_numbers(self):
    needs = {
        "bin/a": Needs(set(), {"GLIBC_2.4", "GLIBC_2.36", "GLIBCXX_3.4.30"}),
        "lib/b": Needs(set(), {"GLIBC_2.9", "GLIBCXX_3.4.9"}),
    }
    self.assertEqual(pack_release.newest_versions(needs),
                     {"GLIBC": ("GLIBC_2.36", "bin/a"), "GLIBCXX": ("GLIBCXX_3.4.30", "bin/a")})

  def test_a_library_left_out_is_named(self):
    needs = {"bin/a": Needs({"libc.so.6", "libb.so"}, set()), "lib/libb.so": Needs({"libgone.so.1"}, set())}
    self.assertEqual(list(pack_release.problems([], needs)),
                     ["lib/libb.so loads libgone.so.1, which is not carried"])

  def test_a_plugin_may_lack_its_fabric(self):
    needs = {"openmpi/plugin.so": Needs({"libfabric.so.1"}, set())}
    self.assertEqual(list(pack_release.problems([], needs)), [])
    self.assertRegex(pack_release.requirements(needs), r"libfabric.so.1 +plugin.so")

  def test_the_driver_is_the_machines(self):
    needs = {"lib/libcaffe2_nvrtc.so": Needs({"libcuda.so.1"}, set())}
    self.assertEqual(list(pack_release.problems([], needs)), [])
    self.assertRegex(pack_release.requirements(needs), r"libcuda.so.1 +libcaffe2_nvrtc.so")

  def test_a_licence_left_out_is_named(self):
    entries = [Entry("lib/a.so", "a.so", "a"), Entry("lib/b.so", "b.so", "b"), Entry("bin/c", "c", ""),
               Entry("licences/a/copyright", "copyright", "a")]
    self.assertEqual(list(pack_release.problems(entries, {})),
                     ["something of @b is carried without its licence"])

  def test_a_file_of_two_names_is_carried_once(self):
    self.file("libmpi.so.40.1")
    os.symlink("libmpi.so.40.1", self.folder / "libmpi.so.40")
    manifest = self.file("manifest", "".join(
        f"{place}\t{self.folder / name}\tmpi\n"
        for place, name in (("lib/libmpi.so.40", "libmpi.so.40"), ("mpi/lib/libmpi.so.40.1", "libmpi.so.40.1"))))
    out = self.folder / "out.tar"
    pack_release.pack(out, pack_release.read_manifest(manifest), {"NOTE": "text"})
    with tarfile.open(out) as tar:
      self.assertEqual(tar.extractfile("nqdarts/mpi/lib/libmpi.so.40.1").read(), b"x")
      self.assertEqual(tar.getmember("nqdarts/lib/libmpi.so.40").linkname, "../mpi/lib/libmpi.so.40.1")
      self.assertEqual(tar.extractfile("nqdarts/lib/libmpi.so.40").read(), b"x")
      self.assertEqual(tar.extractfile("nqdarts/NOTE").read(), b"text")

  def test_the_same_files_give_the_same_bytes(self):
    digests = set()
    for time in (1, 2_000_000_000):
      path = self.file("a")
      os.utime(path, (time, time))
      pack_release.pack(self.folder / "out.tar", [Entry("bin/a", path, "")], {})
      digests.add(hashlib.sha256((self.folder / "out.tar").read_bytes()).hexdigest())
    self.assertEqual(len(digests), 1)


if __name__ == "__main__":
  unittest.main()
