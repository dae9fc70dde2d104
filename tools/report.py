#!/usr/bin/env python3
"""Makes one page of runs: a search, a training, a precision search, a comparison, side by side.

    bazel run //tools:report -- runs/search runs/train --output=report.html

The page holds everything it needs, and nothing in it is fetched: curves, how the search chose, the cells
with their bits, costs by layer, time, settings. A run that goes on, was killed or is damaged is shown as
far as it can be read; the page says what is missing. A comparison is the --output of compare.
"""

import datetime
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from reports import formats  # noqa: E402
from reports.command_line import Parser  # noqa: E402
from reports.comparison import Comparison, is_comparison  # noqa: E402
from reports.run import ReportError, Run, name_runs  # noqa: E402


def parse_flags(arguments):
  parser = Parser("report", __doc__)
  parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder, or a comparison's")
  parser.add_argument("--output", metavar="FILE", type=os.path.expanduser,
                      help="the file to write; - is standard output (default: report.html, and "
                      "standard output for other formats)")
  parser.add_argument("--format", choices=sorted(formats.FORMATS),
                      help="default: by the end of the output's name, else html. markdown, json: the "
                      "figures; svg, dot: the cells")
  options = parser.parse_args(arguments)
  if not options.format:
    suffix = os.path.splitext(options.output or "")[1]
    if options.output not in (None, "-") and suffix not in formats.SUFFIXES:
      parser.error(f"--output={options.output}: '{suffix}' tells no format; give --format")
    options.format = formats.SUFFIXES.get(suffix, "html")
  if options.output is None:
    options.output = "report.html" if options.format == "html" else "-"
  return options


def read(paths):
  """(runs, comparisons) in the order they were named."""
  runs, comparisons = [], []
  for path in paths:
    if not os.path.isdir(path):
      raise ReportError(f"{path}: is no folder" if os.path.exists(path) else f"{path}: is not there")
    if is_comparison(path):
      comparisons.append(Comparison(path))
    else:
      runs.append(Run(path))
  name_runs(runs)
  return runs, comparisons


def write(path, text):
  """The whole file or none."""
  if path == "-":
    sys.stdout.write(text)
    return
  if os.path.isdir(path):
    raise ReportError(f"--output={path}: is a folder")
  folder = os.path.dirname(os.path.abspath(path))
  try:
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".report")
  except OSError as error:
    raise ReportError(f"--output={path}: {error.strerror}") from None
  try:
    with open(descriptor, "w", encoding="utf-8") as file:
      file.write(text)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, 0o666 & ~umask)
    os.replace(temporary, path)
  except BaseException:
    os.unlink(temporary)
    raise


def report(options):
  when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
  runs, comparisons = read(options.runs)
  write(options.output, formats.FORMATS[options.format](runs, comparisons, when))
  if options.output != "-":
    print(options.output)


def main(arguments):
  os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))  # bazel run starts elsewhere.
  sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
  try:
    try:
      report(parse_flags(arguments))
    finally:
      sys.stdout.flush()
  except ReportError as error:
    sys.exit(f"report: {error}")
  except OSError as error:
    if error.filename is not None:
      sys.exit(f"report: {error.filename}: {error.strerror}")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Nothing is flushed once more.
    sys.exit(f"report: standard output: {error.strerror}")


if __name__ == "__main__":
  main(sys.argv[1:])
