#!/usr/bin/env python3
"""Completion of a command line in a real bash on a terminal: what stands there after the tabulator was hit."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest

WORK = os.environ["TEST_TMPDIR"]
TOOLS = os.path.abspath("tools")
ALL = ("convert", "evaluate", "export", "inspect", "pack", "precision_search", "predict", "ptq", "published_costs", "search",
       "train")
PROMPT = b"READY>"


class Bash:
  """An interactive one, without anybody's settings."""

  def __init__(self):
    self._own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 2000, 0, 0))  # No line is wrapped.
    environment = {"PATH": f"{TOOLS}:/usr/bin:/bin", "PS1": PROMPT.decode(), "HOME": WORK, "TERM": "dumb",
                   "INPUTRC": "/dev/null"}
    self._process = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], cwd=WORK, stdin=other, stdout=other,
                                     stderr=other, env=environment, start_new_session=True)
    os.close(other)
    self.read_until(PROMPT)
    self.run("bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'")

  def close(self):
    self._process.kill()
    self._process.wait()
    os.close(self._own)

  def read_until(self, end, seconds=20):
    text, deadline = b"", time.monotonic() + seconds
    while not text.endswith(end):
      if not select.select([self._own], [], [], max(0, deadline - time.monotonic()))[0]:
        raise TimeoutError(f"no {end} in {text}")
      text += os.read(self._own, 1 << 16)
    return text.decode()

  def run(self, command):
    """What it prints. The prompt alone does not say that bash reads again: a line that is drawn anew begins with it too."""
    os.write(self._own, command.encode() + b"; printf 'do%s\\n' ne\n")
    return self.read_until(b"done\r\n" + PROMPT)

  def complete(self, line):
    """What the terminal shows after the tabulator; MARK stands where the line then ends."""
    os.write(self._own, line.encode() + b"\tMARK")
    text = self.read_until(b"MARK")
    self.run("\x15:")  # Control-U takes the line away.
    return text


class CompletionTest(unittest.TestCase):

  def setUp(self):
    self.bash = Bash()
    self.addCleanup(self.bash.close)

  def completed(self, line):
    """`line` as it stands after the tabulator."""
    text = re.sub("[\r\a]", "", self.bash.complete(line))
    return re.findall(rf"({re.escape(line.split()[0])} .*?)MARK", text)[-1]

  def offered(self, line):
    return set(re.sub("[\r\a]", " ", self.bash.complete(line)).split())

  def source(self, *tools):
    for tool in tools:
      self.assertNotIn("rror", self.bash.run(f"source <({tool} --completion=bash)"))

  def test_names_and_words_of_flags(self):
    self.source("search", "pack")
    self.assertEqual(self.completed("search --train_d"), "search --train_data=")
    self.assertEqual(self.completed("search --preset=qu"), "search --preset=quickstart ")
    self.assertEqual(self.completed("search --eight_bit=s"), "search --eight_bit=symmetric ")
    self.assertEqual(self.completed("search --second_o"), "search --second_order ")
    self.assertEqual(self.completed("search --nosecond_o"), "search --nosecond_order ")
    self.assertEqual(self.completed("search --seed=2 --cost_model=p"), "search --seed=2 --cost_model=published ")
    self.assertLessEqual({"--target_bitops=", "--target_compression="}, self.offered("search --target_"))
    self.assertLessEqual({"cifar", "imagenet", "pcdarts", "quickstart"}, self.offered("search --preset="))
    self.assertEqual(self.completed("pack --kind=be"), "pack --kind=beton ")
    self.assertEqual(self.completed(f"{TOOLS}/pack --kind=be"), f"{TOOLS}/pack --kind=beton ")

  def test_files_with_and_without_a_flag(self):
    self.source("pack")
    os.makedirs(os.path.join(WORK, "some images"), exist_ok=True)
    self.assertEqual(self.completed("pack --input=some"), "pack --input=some\\ images/")
    self.assertEqual(self.completed("pack some"), "pack some\\ images/")

  def test_numbers_are_left_to_people(self):
    self.source("search")
    os.makedirs(os.path.join(WORK, "2"), exist_ok=True)
    self.assertEqual(self.completed("search --batch=2"), "search --batch=2")

  def test_the_tools_in_python(self):
    self.source("report", "compare")
    self.assertEqual(self.completed("report --format=mark"), "report --format=markdown ")
    self.assertEqual(self.completed("compare --preset=qu"), "compare --preset=quickstart ")
    self.assertEqual(self.completed("compare --dry"), "compare --dry_run ")

  def test_every_tool_has_a_script_that_bash_takes(self):
    for tool in ALL:
      script = subprocess.run([os.path.join(TOOLS, tool), "--completion=bash"], capture_output=True, text=True, check=True)
      subprocess.run(["bash", "-n"], input=script.stdout, text=True, check=True)
      listed = subprocess.run([os.path.join(TOOLS, tool), "--help"], capture_output=True, text=True, check=True).stdout
      for flag in re.findall(r"^--(\w+)=.*  \(", listed, re.MULTILINE):
        self.assertRegex(script.stdout, rf"[ \"]--{flag}[= \"]", tool)


if __name__ == "__main__":
  unittest.main()
