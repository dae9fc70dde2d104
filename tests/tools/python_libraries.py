"""Scripts in Python with the pinned wheels of torch or of TensorBoard, which nothing of ours needs."""

import os
import subprocess
import sys


def _folder(repository):
  return os.path.abspath(os.path.join("..", repository))


def _run(script, arguments, path, **environment):
  # Nothing is written beside the wheels.
  environment = {**os.environ, **environment, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
  done = subprocess.run([sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True,
                        check=False)
  if done.returncode != 0:
    raise AssertionError(done.stderr[-4000:])
  return done.stdout


def run_torch(script, *arguments):
  """What `script` prints."""
  libraries = [os.path.abspath("third_party/python_torch/stubs"), os.path.join(_folder("cuda_runtime"), "nvidia/cu13/lib")]
  return _run(script, arguments, os.pathsep.join([_folder("libtorch"), _folder("python_torch")]),
              LD_LIBRARY_PATH=os.pathsep.join(libraries))


def run_tensorboard(script, *arguments):
  """What `script` prints."""
  return _run(script, arguments, _folder("tensorboard"))
