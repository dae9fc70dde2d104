#!/usr/bin/env python3
"""What a search shows on a terminal: a bar that is drawn anew, a line for each epoch; and what of it goes into files."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

WORK = os.environ["TEST_TMPDIR"]
SEARCH = [os.path.abspath("tools/search"), "--preset=quickstart", "--image_size=16", "--layers=3", "--derive_layers=3",
          "--batch=16", "--train_fraction=0.1", "--search_fraction=0.1", "--epochs=2", "--report_steps=2",
          "--train_data=" + os.path.abspath("tools/sample_data/digits/train.tar"),
          "--test_data=" + os.path.abspath("tools/sample_data/digits/test.tar")]
COLUMNS = 100
BAR = re.compile(r"^epoch (\d)/2 \[[#.]{20}\] +\d+%")
REPORT = re.compile(r"^epoch \d/2 step \d+/\d+ .* loss [0-9.]+ .* \d+ images/s ETA ", re.MULTILINE)


def on_terminal(run, *flags, columns=COLUMNS):
  """What a terminal gets, both from standard output and from standard error."""
  own, other = pty.openpty()
  fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
  with subprocess.Popen([*SEARCH, f"--run={run}", *flags], cwd=WORK, stdin=other, stdout=other, stderr=other) as process:
    os.close(other)
    text = b""
    while True:
      try:
        chunk = os.read(own, 1 << 16)
      except OSError:  # The other end is closed.
        break
      if not chunk:
        break
      text += chunk
  os.close(own)
  if process.returncode != 0:
    raise AssertionError(text.decode())
  return text.decode().replace("\r\n", "\n")


def log_of(run):
  with open(os.path.join(WORK, run, "log.txt"), encoding="utf-8") as file:
    return file.read()


class TerminalTest(unittest.TestCase):

  def test_a_bar_and_a_line_for_each_epoch(self):
    shown = on_terminal("bar")
    bars = [part.partition("\x1b[K")[0] for part in shown.split("\r")[1:]]
    bars = [bar for bar in bars if BAR.match(bar)]
    self.assertEqual({BAR.match(bar)[1] for bar in bars}, {"1", "2"})
    self.assertTrue(any("images/s, 0:00:" in bar and " left, loss " in bar and ", accuracy " in bar for bar in bars), bars)
    self.assertLess(max(map(len, bars)), COLUMNS)
    self.assertNotIn("gradient_norm", "".join(bars))
    # Each line once, below one header, with numbers below their names.
    lines = [line.rpartition("\x1b[K")[2] for line in shown.splitlines()]
    header, = [line for line in lines if "test accuracy" in line]
    rows = [line for line in lines if re.match(r" +\d/2 ", line)]
    self.assertEqual([row.split()[0] for row in rows], ["1/2", "2/2"])
    self.assertEqual({len(row) for row in rows}, {len(header)})
    for name in ("epoch", "time", "loss", "accuracy", "search_accuracy", "complexity", "test loss"):
      self.assertIn(name, header)
    self.assertNotIn("evaluation after epoch", shown)
    # The log has plain lines.
    log = log_of("bar")
    self.assertNotRegex(log, r"[\x00-\x09\x0b-\x1f]")
    self.assertGreater(len(REPORT.findall(log)), 6)
    self.assertEqual(log.count("evaluation after epoch"), 2)

  def test_a_narrow_terminal_does_not_wrap(self):
    shown = on_terminal("narrow", columns=40)
    bars = [part.partition("\x1b[K")[0] for part in shown.split("\r")[1:] if part.startswith("epoch ")]
    self.assertGreater(len(bars), 2)
    self.assertLess(max(map(len, bars)), 40)

  def test_verbose_shows_the_lines_of_the_log(self):
    shown = on_terminal("verbose", "--verbose")
    self.assertNotIn("\r", shown)
    self.expect_log_and_result(shown, "verbose")
    self.assertRegex(shown, "gradient_norm")

  def expect_log_and_result(self, shown, run):
    """What the log says, and then what the search found."""
    log = log_of(run)
    self.assertEqual(shown[:len(log)], log)
    self.assertRegex(shown[len(log):], "^decided by the search, ")

  def test_quiet_shows_the_result_and_warnings_alone(self):
    for line in on_terminal("quiet", "--quiet").splitlines():
      self.assertRegex(line, "^(decided by the search, |W[0-9]{8} )")
    self.assertGreater(len(REPORT.findall(log_of("quiet"))), 6)

  def test_a_file_gets_plain_lines(self):
    done = subprocess.run([*SEARCH, "--run=file"], cwd=WORK, capture_output=True, text=True, check=True)
    self.expect_log_and_result(done.stdout, "file")
    self.assertGreater(len(REPORT.findall(done.stdout)), 6)

  def test_quiet_and_verbose_contradict(self):
    done = subprocess.run([*SEARCH, "--run=both", "--quiet", "--verbose"], cwd=WORK, capture_output=True, text=True,
                          check=False)
    self.assertEqual((done.returncode, done.stderr), (1, "search: --verbose: contradicts --quiet\n"))


if __name__ == "__main__":
  unittest.main()
