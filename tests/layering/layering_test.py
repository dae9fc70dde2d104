#!/usr/bin/env python3
"""The house follows its rules, and each kind of breach is seen."""

import pathlib
import tempfile
import unittest

import layering

# The test's own file is a link into the checkout.
WORKSPACE = pathlib.Path(__file__).resolve().parents[2]


def violations_of(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(layering.violations(folder))


class LayeringTest(unittest.TestCase):
    def test_the_house(self):
        self.assertEqual(list(layering.violations(WORKSPACE)), [])

    def test_an_include_that_points_up(self):
        found = violations_of({
            "quant/BUILD.bazel": 'cc_library(name = "q", hdrs = ["q.h"], deps = ["//nas:n"])',
            "quant/q.h": '#include "nas/n.h"\n',
            "nas/BUILD.bazel": 'cc_library(name = "n", hdrs = ["n.h"])',
            "nas/n.h": "",
        })
        self.assertEqual(found, ["quant/q.h: includes nas/n.h, which points up or aside from quant/"])

    def test_a_header_of_an_indirect_dep(self):
        found = violations_of({
            "nas/BUILD.bazel": """
cc_library(name = "a", hdrs = ["a.h"])
cc_library(name = "b", hdrs = ["b.h"], deps = [":a"])
[cc_library(name = "c" + s, srcs = ["c.cc"], deps = [":b"] + select({"x": ["@glog"], "y": []})) for s in ["1"]]
""",
            "nas/a.h": "",
            "nas/b.h": '#include "nas/a.h"\n',
            "nas/c.cc": '#include "nas/a.h"\n#include <glog/logging.h>\n#include "absl/status/status.h"\n',
        })
        self.assertEqual(found, [
            "nas/c.cc: includes nas/a.h, which no direct dep of //nas:c1 provides",
            "nas/c.cc: includes absl/status/status.h, but //nas:c1 does not depend on @absl",
        ])

    def test_a_file_without_a_target(self):
        found = violations_of({"base/BUILD.bazel": "", "base/lost.cc": ""})
        self.assertEqual(found, ["base/lost.cc: belongs to no target"])


if __name__ == "__main__":
    unittest.main()
