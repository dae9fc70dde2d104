"""A headless Chromium, spoken to over pipes in its DevTools protocol."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find():
  """The path of a Chromium, or None. CHROMIUM names another one."""
  named = os.environ.get("CHROMIUM")
  return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
  """One page. `events` holds what the browser reported, as (method, parameters)."""

  def __init__(self, program, profile, timeout=120):
    self.timeout = timeout
    self.events = []
    self._next_id = 0
    self._pending = b""
    to_browser, self._write_end = os.pipe()
    self._read_end, from_browser = os.pipe()

    def take_pipes():  # Chromium reads descriptor 3 and writes descriptor 4.
      reading, writing = os.dup(to_browser), os.dup(from_browser)
      os.dup2(reading, 3)
      os.dup2(writing, 4)

    self.process = subprocess.Popen(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}",
         "about:blank"], preexec_fn=take_pipes, close_fds=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": profile})
    os.close(to_browser)
    os.close(from_browser)
    target = self._call("Target.createTarget", {"url": "about:blank"}, session=None)
    self._session = self._call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True},
                               session=None)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
      self.call(f"{domain}.enable")

  def close(self):
    self.process.kill()
    self.process.wait()
    os.close(self._write_end)
    os.close(self._read_end)

  def call(self, method, **parameters):
    return self._call(method, parameters, self._session)

  def _call(self, method, parameters, session):
    self._next_id += 1
    message = {"id": self._next_id, "method": method, "params": parameters}
    if session:
      message["sessionId"] = session
    os.write(self._write_end, json.dumps(message).encode() + b"\0")
    while True:
      answer = self._read()
      if answer.get("id") == self._next_id:
        if "error" in answer:
          raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]
      self.events.append((answer.get("method"), answer.get("params", {})))

  def _read(self):
    deadline = time.monotonic() + self.timeout
    while b"\0" not in self._pending:
      if not select.select([self._read_end], [], [], max(0, deadline - time.monotonic()))[0]:
        raise TimeoutError("the browser does not answer")
      chunk = os.read(self._read_end, 1 << 20)
      if not chunk:
        raise RuntimeError("the browser ended")
      self._pending += chunk
    message, _, self._pending = self._pending.partition(b"\0")
    return json.loads(message)

  def open(self, path):
    """Loads a file, and returns once it is shown."""
    self.events = []
    self.call("Page.navigate", url="file://" + os.path.abspath(path))
    while not any(method == "Page.loadEventFired" for method, _ in self.events):
      answer = self._read()
      self.events.append((answer.get("method"), answer.get("params", {})))

  def look(self, width, height=900, dark=False, paper=False):
    self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
              mobile=False)
    self.call("Emulation.setEmulatedMedia", media="print" if paper else "screen",
              features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

  def evaluate(self, script):
    result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
    if "exceptionDetails" in result:
      raise RuntimeError(f"{script}: {result['exceptionDetails']}")
    return result["result"].get("value")

  def screenshot(self, path, clip=None):
    """The whole page as PNG, or the part `clip`: (x, y, width, height)."""
    size = self.call("Page.getLayoutMetrics")["cssContentSize"]
    x, y, width, height = clip or (0, 0, size["width"], size["height"])
    picture = self.call("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": x, "y": y, "width": width, "height": height, "scale": 1})
    with open(path, "wb") as file:
      file.write(base64.b64decode(picture["data"]))

  def print_to_pdf(self):
    return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])
