"""The demo's product with a known defect: a small press that compresses what lies in its spool, as a service with a pid file and a
log; its trees as its maker had them, and the articles about it. Everything here is made up but the numbers of the articles."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

PRODUCT = "haulage-demo-press"
DEFECT, SECOND, ROLLUP = "Q316316", "Q319207", "Q323206"
FAILURE = "Cannot write to output file, Win32 Error = 998"
LOG, PID_FILE = "log/press.log", "run/press.pid"

_SERVICE = '''"""The press: compresses what is in the spool, once for each start, and stays until it is asked to end."""
import importlib.util, os, signal, sys, threading

root = sys.argv[1]
over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_signal: over.set())


def load(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(root, "lib", name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compress, retry = load("compress"), load("retry")
with open(os.path.join(root, "log", "press.log"), "a") as log:
    print("press", compress.VERSION, retry.VERSION, "begins", file=log)
    for job in sorted(os.listdir(os.path.join(root, "spool"))):
        print("SMS_DISTRIBUTION_MANAGER", job + ":", retry.tried(compress.compress, os.path.join(root, "spool", job)), file=log)
if os.fork():
    os._exit(0)
os.setsid()
with open(os.path.join(root, "run", "press.pid"), "w") as file:
    file.write(str(os.getpid()))
for number in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), number)
over.wait()
os.unlink(os.path.join(root, "run", "press.pid"))
'''
_COMPRESS = '''"""Compressing a file of a package, with its streams."""
import zlib

VERSION = "{version}"
STREAMS = {streams}


def compress(path):
    with open(path, "rb") as file:
        data = file.read()
    if b"stream:" in data and not STREAMS:
        return "{failure}"
    return "compressed to %d bytes" % len(zlib.compress(data))
'''
_RETRY = '''"""Trying again what failed."""

VERSION = "{version}"
EVERYWHERE = {everywhere}


def tried(what, path):
    return what(path) + (" (and told every child site again)" if EVERYWHERE else "")
'''
VERSIONS = ("2.0.1493.2011", "2.0.1493.2038", "2.0.1493.3257")

_ARTICLES = {
    DEFECT: (
        "Compressing a package with streams ends with error 998",
        f'errors = ["Win32 Error = 998"]\ncomponents = ["SMS_DISTRIBUTION_MANAGER"]\nresolved_by = ["{SECOND}"]\n',
        f"# Symptoms\n\nWhile the distribution manager compresses a package, its log says `{FAILURE}`, and nothing is sent\n"
        "to child sites.\n\n# Cause\n\nA file of the package has more than one stream of data.\n\n# Resolution\n\n"
        f"There is a fix. The fix that is described in {SECOND} also contains the fix for the problem that is described in this\n"
        "article.\n",
    ),
    SECOND: (
        "One point that fails makes the distribution manager ask every child site again",
        f'components = ["SMS_DISTRIBUTION_MANAGER"]\nresolved_by = ["{ROLLUP}"]\n',
        "# Symptoms\n\nEach retry at one distribution point makes jobs for every child site.\n\n# Resolution\n\n"
        f"There is a fix. It is included in the hotfix rollup that is described in {ROLLUP}.\n",
    ),
    ROLLUP: (
        "Hotfix rollup for the demo press 2.0 SP4",
        "",
        "# Summary\n\nThis article lists the fixes that are contained in the hotfix rollup.\n\n# More information\n\n"
        f"The hotfix rollup contains the fix for {DEFECT} and the fix for {SECOND}.\n",
    ),
}
_DEFINITIONS = {
    SECOND: f'supersedes = ["{DEFECT}"]\n',
    ROLLUP: f'supersedes = ["{SECOND}"]\n',
}
_COMMON = f"""
[[services]]
kind = "pidfile"
name = "press"
pid_file = "{PID_FILE}"
start = ["{{python}}", "{{root}}/bin/pressd.py", "{{root}}"]
stop_seconds = 10
start_seconds = 10

[[programs]]
when = "before"
command = ["{{python}}", "-c", "import time; time.sleep(0.7)"]
timeout_seconds = 30
"""


def write_product(root: str, state: int) -> None:
    """The product as its maker has it: 0 with both defects, 1 with the first one repaired, 2 with both."""
    compress = _COMPRESS.format(version=VERSIONS[min(state, 1)], streams=state > 0, failure=FAILURE)
    retry = _RETRY.format(version=VERSIONS[2 if state > 1 else 0], everywhere=state < 2)
    files = {"bin/pressd.py": _SERVICE, "lib/compress.py": compress, "lib/retry.py": retry}
    versions = {"lib/compress.py": VERSIONS[min(state, 1)], "lib/retry.py": VERSIONS[2 if state > 1 else 0]}
    for path, text in files.items():
        _write(os.path.join(root, path), text)
    listed = {path: {"sha256": _sha256(files[path]), "version": version} for path, version in versions.items()}
    manifest = {"format": 1, "id": PRODUCT, "version": "2.0.1493", "service_level": "SP4", "files": listed}
    _write(os.path.join(root, "product.json"), json.dumps(manifest, indent=1) + "\n")


def install(root: str) -> None:
    """The product on a machine, with work in its spool, never serviced."""
    write_product(root, 0)
    for folder in ("run", "log", "spool"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    _write(os.path.join(root, "spool", "plain.txt"), "text " * 1000)
    _write(os.path.join(root, "spool", "streamed.txt"), "stream:zone\n" + "text " * 1000)


def write_articles(folder: str) -> None:
    """Three articles of our own words about the three numbers."""
    for name, (title, front, body) in _ARTICLES.items():
        head = f'id = "{name}"\ntitle = "{title}"\nproducts = ["Demo press"]\nversions = ["2.0"]\n{front}created = 2026-11-22\n'
        _write(os.path.join(folder, f"{name}.md"), f"+++\n{head}+++\n{body}")


def write_definition(path: str, fix: str) -> None:
    """What a packager writes of a fix beside its files."""
    _write(path, f'article = "{fix}"\n' + _DEFINITIONS.get(fix, "") + _COMMON)


def files_of(root: str) -> dict[str, str]:
    """The product's own files with their digests; not what its service or servicing write."""
    found = {}
    for folder in ("bin", "lib"):
        for name in sorted(os.listdir(os.path.join(root, folder))):
            path = os.path.join(root, folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[f"{folder}/{name}"] = hashlib.sha256(file.read()).hexdigest()
    return found


def clear(root: str) -> None:
    """Take it away."""
    shutil.rmtree(root, ignore_errors=True)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
