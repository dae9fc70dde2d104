#!/usr/bin/env python3
"""The house follows its rules, and each kind of breach is seen."""

import os
import pathlib
import tempfile
import unittest

import layering
from layering import Target

# The test's own file is a link into the checkout.
WORKSPACE = pathlib.Path(__file__).resolve().parents[2]

DIRECTIONS = {"base": [], "quant": ["base"], "nas/space": ["base"], "nas/cells": ["quant", "nas/space"]}


def violations_of(files, targets, directions=DIRECTIONS):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(layering.violations(folder, targets, directions))


class LayeringTest(unittest.TestCase):
    def test_the_house(self):
        directions = layering.read_directions(WORKSPACE / "tools/build_defs/directions.bzl")
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as output_base:
            targets = layering.query_targets(WORKSPACE, output_base)
        self.assertGreater(len(targets), 200)
        self.assertEqual(list(layering.violations(WORKSPACE, targets, directions)), [])

    def test_an_include_that_points_up(self):
        found = violations_of(
            {"quant/q.h": '#include "nas/space/n.h"\n', "nas/space/n.h": ""},
            [Target("//quant:q", ["quant/q.h"], ["quant/q.h"], ["//nas/space:n"]),
             Target("//nas/space:n", ["nas/space/n.h"], ["nas/space/n.h"], [])])
        self.assertEqual(found, ["quant/q.h: includes nas/space/n.h, which quant may not"])

    def test_a_header_of_an_indirect_dep(self):
        found = violations_of(
            {"nas/space/a.h": "", "nas/cells/b.h": '#include "nas/space/a.h"\n',
             "nas/cells/c.cc": '#include "nas/space/a.h"\n#include <glog/logging.h>\n#include "absl/status/status.h"\n'},
            [Target("//nas/space:a", ["nas/space/a.h"], ["nas/space/a.h"], []),
             Target("//nas/cells:b", ["nas/cells/b.h"], ["nas/cells/b.h"], ["//nas/space:a"]),
             Target("//nas/cells:c", ["nas/cells/c.cc"], [], ["//nas/cells:b", "@glog//:glog"])])
        self.assertEqual(found, [
            "nas/cells/c.cc: includes nas/space/a.h, which no direct dep of //nas/cells:c provides",
            "nas/cells/c.cc: includes absl/status/status.h, but //nas/cells:c does not depend on @absl",
        ])

    def test_a_file_without_a_target_and_a_target_without_a_room(self):
        found = violations_of({"base/lost.cc": ""}, [Target("//nas/attic:x", [], [], [])])
        self.assertEqual(found, ["//nas/attic:x: its package is no room of directions.bzl",
                                 "base/lost.cc: belongs to no target"])

    def test_a_test_whose_numbers_depend_on_the_processor(self):
        torch = "@libtorch//:torch_cpu"
        found = violations_of({}, [Target("//base:a_test", [], [], [torch]),
                                   Target("//base:b_test", [], [], [torch, "//base:reproducible_process"]),
                                   Target("//base:c_test", [], [], ["@gtest//:gtest_main"])])
        self.assertEqual(found, ["//base:a_test: tests with LibTorch, but does not depend on //base:reproducible_process"])

    def test_a_loop_that_may_be_serial(self):
        loop = "  at::parallel_for(0, n, 1, body);\n"
        found = violations_of(
            {"base/parallel.cc": loop, "base/loop.cc": loop},
            [Target("//base:parallel", ["base/parallel.cc"], [], []), Target("//base:loop", ["base/loop.cc"], [], [])])
        self.assertEqual(found, ["base/loop.cc: loops over threads with at::parallel_for or its like, not base/parallel.h"])

    def test_a_circle_between_rooms(self):
        self.assertEqual(
            list(layering.check_directions({"base": [], "nas/a": ["nas/b"], "nas/b": ["nas/a", "nas/c"]})),
            ["directions.bzl: nas/a may include nas/b, but nas/b does not stand before it",
             "directions.bzl: nas/b may include nas/c, which is no room"])

    def test_a_long_build_file(self):
        self.assertEqual(violations_of({"base/BUILD.bazel": "#\n" * 251}, []),
                         ["base/BUILD.bazel: has more than 250 lines"])

    def test_bazels_xml(self):
        self.assertEqual(
            layering.parse_targets("""<query><rule name="//nas/a:x">
                <list name="srcs"><label value="//nas/a:x.cc"/><label value="@r//:y.cc"/></list>
                <list name="hdrs"><label value="//nas/a:x.h"/></list>
                <list name="deps"><label value="//base:b"/></list></rule></query>"""),
            [Target("//nas/a:x", ["nas/a/x.cc", "nas/a/x.h"], ["nas/a/x.h"], ["//base:b"])])


if __name__ == "__main__":
    unittest.main()
