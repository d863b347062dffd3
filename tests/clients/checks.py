"""A small test runner for client checks. Adapted from the project's acceptance material (accept/_t.py).

`@check("name")` runs a check at once; `needs="tools"` skips it unless the environment's CAN has that word. `finish()` prints
'N passed, N failed, N skipped'. ONLY=substring chooses checks, TRACE=1 shows where one failed.
"""
import os
import sys
import time
import traceback

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:18080")
KEY = os.environ.get("API_KEY", "sk-local")
MODEL = os.environ.get("MODEL", "mock-model")
EMBED_MODEL = os.environ.get("EMBED_MODEL", MODEL)
# What is asked where the answer is to have a shape: a small model that is free to choose may go on with blanks until it is stopped.
AS_JSON = 'Repeat this line and nothing else: {"city": "Paris", "n": 3}'
CAN = os.environ.get("CAN", "").split(",")
counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, needs=None):
    def run(function):
        if os.environ.get("ONLY", "") not in name:
            return
        if needs and needs not in CAN:
            counts["skipped"] += 1
            return print(f"skip {name} (no {needs})", flush=True)
        start = time.time()
        try:
            function()
        except Exception as error:
            counts["failed"] += 1
            print(f"FAIL {name}: " + "".join(traceback.format_exception_only(error)).strip()[:600], flush=True)
            if os.environ.get("TRACE"):
                traceback.print_exc()
        else:
            counts["passed"] += 1
            print(f"ok   {name} ({(time.time() - start) * 1e3:.0f} ms)", flush=True)

    return run


def fails_with(*errors):
    """The error that a function is expected to raise, given back."""

    def expect(function):
        try:
            function()
        except errors as error:
            return error
        raise AssertionError("no error")

    return expect


def finish():
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] else 0)
