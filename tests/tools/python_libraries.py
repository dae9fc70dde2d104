"""Scripts in Python with the pinned wheels of torch or of TensorBoard, which nothing of ours needs."""

import os
import subprocess
import sys


def _folder(repository):
  return os.path.abspath(os.path.join("..", repository))


def _run(script, arguments, path):
  # Nothing is written beside the wheels.
  environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
  done = subprocess.run([sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True,
                        check=False)
  if done.returncode != 0:
    raise AssertionError(done.stderr[-4000:])
  return done.stdout


def run_torch(script, *arguments):
  """What `script` prints."""
  return _run(script, arguments, os.pathsep.join([os.path.abspath("third_party/libtorch/without_cuda"),
                                                  _folder("python_packages"), _folder("libtorch")]))


def run_tensorboard(script, *arguments):
  """What `script` prints."""
  return _run(script, arguments, _folder("tensorboard"))
