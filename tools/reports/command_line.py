"""What the tools in Python answer like those in C++: errors in one line, --version, --completion=bash."""

import argparse
import os
import platform
import subprocess
import sys

_COMPLETION = """# source <({name} --completion=bash)
_nqdarts_{name}() {{
  local line=${{COMP_LINE:0:COMP_POINT}}
  local word=${{line##*[[:space:]]}} kept=
  COMPREPLY=()
  case $word in
  -*=*)
    local value=${{word#*=}}
    [[ $COMP_WORDBREAKS == *=* ]] || kept=${{word%%=*}}=
    case ${{word%%=*}} in
{choices}    *)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -P "$kept" -f -- "$value")
      ;;
    esac
    ;;
  -*)
    mapfile -t COMPREPLY < <(compgen -W "{flags}" -- "$word")
    [[ ${{#COMPREPLY[@]}} = 1 && $COMPREPLY != *= ]] || compopt -o nospace
    ;;
  *)
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    ;;
  esac
}}
complete -F _nqdarts_{name} {name}
"""


def _build_of(folder):
  """What `inspect`, which is built with this tool, says of its build; nothing where it is not beside it."""
  inspect = os.path.join(folder, "inspect")
  if not os.access(inspect, os.X_OK):
    return ""
  said = subprocess.run([inspect, "--version"], capture_output=True, text=True, check=False).stdout
  return said.partition("\n")[0].removeprefix("inspect of nqdarts")


class _Version(argparse.Action):

  def __call__(self, parser, namespace, values, option_string=None):
    parser.exit_saying(f"{parser.prog} of nqdarts{_build_of(os.path.dirname(sys.argv[0]))}\n"
                       f"Python {platform.python_version()}\n")


class _Completion(argparse.Action):

  def __call__(self, parser, namespace, values, option_string=None):
    parser.exit_saying(parser.completion())


class Parser(argparse.ArgumentParser):
  """Takes --flag=value; abbreviations are errors."""

  def __init__(self, prog, description):
    super().__init__(prog=prog, description=description, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    self.add_argument("--version", action=_Version, nargs=0, help="which build this is")
    self.add_argument("--completion", action=_Completion, choices=["bash"],
                      help=f"print what makes bash complete flags: source <({prog} --completion=bash)")

  def error(self, message):
    self.exit(2, f"{self.prog}: {message}\n")

  def exit_saying(self, text):
    self._print_message(text, sys.stdout)
    self.exit()

  def completion(self):
    flags, choices = [], ""
    for action in self._actions:
      for flag in action.option_strings:
        if not flag.startswith("--") or action.help == argparse.SUPPRESS:
          continue
        flags.append(flag + ("" if action.nargs == 0 else "="))
        if action.choices:
          words = " ".join(map(str, action.choices))
          choices += f'    {flag}) mapfile -t COMPREPLY < <(compgen -P "$kept" -W "{words}" -- "$value") ;;\n'
    return _COMPLETION.format(name=self.prog, choices=choices, flags=" ".join(flags))

  def _print_message(self, message, file=None):
    (file or sys.stderr).write(message)  # argparse's own passes over a full disk.
