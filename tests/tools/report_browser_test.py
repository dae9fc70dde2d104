#!/usr/bin/env python3
"""The report's page in a real browser: wide and narrow, dark, on paper.

Wants a Chromium: `tools/setup.sh --browser` installs Debian's, CHROMIUM names another. Without one the
test says so and is skipped. --test_env=SCREENSHOTS=1 keeps pictures in the test's outputs
(bazel-testlogs/tests/tools/report_browser_test/test.outputs).
"""

import os
import re
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.abspath("tools"), os.path.abspath("tests/tools")]

import browser  # noqa: E402
from reports import page, testing_runs  # noqa: E402
from reports.comparison import Comparison  # noqa: E402
from reports.run import Run  # noqa: E402

WIDE, NARROW = 1280, 400

# What sticks out of its drawing, or an operation's words out of its box. Two pixels are forgiven.
OVERFLOW = """(() => {
  const faults = [];
  const out = (inner, outer) => inner.left < outer.left - 2 || inner.right > outer.right + 2 ||
    inner.top < outer.top - 2 || inner.bottom > outer.bottom + 2;
  for (const text of document.querySelectorAll('svg text')) {
    const box = text.getBoundingClientRect();
    const frame = text.ownerSVGElement.getBoundingClientRect();
    if (frame.width && out(box, frame)) faults.push('out of its drawing: ' + text.textContent);
    const operation = text.closest('g')?.querySelector('rect.operation');
    if (operation && out(box, operation.getBoundingClientRect()))
      faults.push('out of its box: ' + text.textContent);
  }
  return faults;
})()"""

# Lines of a chart that look alike but for their colour.
ALIKE = """(() => {
  const faults = [];
  for (const legend of document.querySelectorAll('ul.legend')) {
    const looks = [...legend.querySelectorAll('svg')].map(s => [s.querySelector('line').getAttribute(
      'stroke-dasharray'), s.querySelector('.mark').tagName, s.querySelector('.mark').getAttribute(
      'points')].join());
    looks.forEach((look, i) => { if (looks.indexOf(look) < i) faults.push(legend.children[i].textContent); });
  }
  return faults;
})()"""

OPEN = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
HIDDEN = "[...document.querySelectorAll('details table')].filter(t => !t.checkVisibility()).length"
WIDEST = "document.documentElement.scrollWidth"
TOO_WIDE = """[...document.querySelectorAll('figure, p, h2, h3, ul, summary')].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent.slice(0, 60))"""
GROUND = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"


class BrowserTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    program = browser.find()
    if not program:
      raise unittest.SkipTest("there is no Chromium to look at the page with: tools/setup.sh --browser installs one")
    root = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
    runs = [testing_runs.search_run(os.path.join(root, "search"), epochs=6),
            testing_runs.search_run(os.path.join(root, "a_search_that_was_killed"), epochs=40, done=18, seed=4,
                                    bits=[2, 4, 8]),
            testing_runs.training_run(os.path.join(root, "train"), bad_samples=3),
            testing_runs.precision_run(os.path.join(root, "bits"), epochs=4)]
    comparison = testing_runs.comparison(os.path.join(root, "comparison"))
    cls.page = os.path.join(root, "page.html")
    with open(cls.page, "w", encoding="utf-8") as file:
      file.write(page.page([Run(run) for run in runs], [Comparison(comparison)], "today"))
    cls.browser = browser.Browser(program, os.path.join(root, "profile"))

  @classmethod
  def tearDownClass(cls):
    cls.browser.close()

  def show(self, width, **look):
    self.browser.look(width, **look)
    self.browser.open(self.page)
    if os.environ.get("SCREENSHOTS"):
      folder = os.environ["TEST_UNDECLARED_OUTPUTS_DIR"]
      name = "-".join([str(width)] + [key for key, value in look.items() if value])
      self.browser.screenshot(os.path.join(folder, f"{name}.png"))

  def expect_quiet(self):
    """No message on the console, no exception, nothing fetched."""
    self.browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for method, parameters in self.browser.events:
      self.assertNotIn(method, ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"),
                       parameters)
      if method == "Network.requestWillBeSent":
        address = parameters["request"]["url"]
        self.assertTrue(address == f"file://{self.page}" or address.startswith("data:"), address)

  def expect_fit(self, width):
    """With everything unfolded: what is folded has no place yet."""
    self.browser.evaluate(OPEN)
    self.assertLessEqual(self.browser.evaluate(WIDEST), width)
    self.assertEqual(self.browser.evaluate(TOO_WIDE), [])
    self.assertEqual(self.browser.evaluate(OVERFLOW), [])

  def test_wide(self):
    self.show(WIDE)
    self.expect_quiet()
    self.assertGreater(min(self.browser.evaluate(GROUND)), 200)
    self.assertGreater(self.browser.evaluate(HIDDEN), 0)
    self.expect_fit(WIDE)
    self.assertEqual(self.browser.evaluate(HIDDEN), 0)
    self.assertEqual(self.browser.evaluate(ALIKE), [])

  def test_narrow(self):
    self.show(NARROW)
    self.expect_quiet()
    self.expect_fit(NARROW)

  def test_dark(self):
    self.show(WIDE, dark=True)
    self.expect_quiet()
    self.assertLess(max(self.browser.evaluate(GROUND)), 60)

  def test_on_paper_it_is_light_and_nothing_is_folded(self):
    self.show(WIDE, dark=True, paper=True)
    self.expect_quiet()
    self.assertEqual(self.browser.evaluate(GROUND), [255, 255, 255])
    self.assertEqual(self.browser.evaluate(HIDDEN), 0)
    sheets = len(re.findall(rb"/Type\s*/Page\b", self.browser.print_to_pdf()))
    self.assertGreater(sheets, 5)
    self.assertLess(sheets, 60)

  def test_the_browser_would_tell(self):
    """The checks above find what they look for."""
    self.show(NARROW)
    self.browser.evaluate(OPEN)
    self.browser.evaluate("""{
      const wide = document.createElement('p'); wide.textContent = 'wide'; wide.style.width = '900px';
      document.body.append(wide);
      document.querySelector('svg text').textContent = 'x'.repeat(200);
      const legend = [...document.querySelectorAll('ul.legend')].find(l => l.children.length > 1);
      legend.children[1].innerHTML = legend.children[0].innerHTML;
      console.error('told'); fetch('http://localhost:1/').catch(() => 0); }""")
    self.assertGreater(self.browser.evaluate(WIDEST), NARROW)
    self.assertNotEqual(self.browser.evaluate(TOO_WIDE), [])
    self.assertNotEqual(self.browser.evaluate(OVERFLOW), [])
    self.assertNotEqual(self.browser.evaluate(ALIKE), [])
    methods = [method for method, _ in self.browser.events]
    self.assertIn("Runtime.consoleAPICalled", methods)
    self.assertIn("http://localhost:1/", [parameters["request"]["url"] for method, parameters
                                          in self.browser.events if method == "Network.requestWillBeSent"])


if __name__ == "__main__":
  unittest.main()
