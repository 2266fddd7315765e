# tap.py - the Test Anything Protocol, for our tests. SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered results on standard output, the plan at the end.

    import harness as h

    def main():
        h.eq(1 + 1, 2, "one and one are two")

    h.run(main)
"""

import os
import signal
import sys
import traceback

_count = 0
_failed = 0


def _say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _one_line(text):
    return str(text).replace("#", "\\#").replace("\n", " ")


def diag(*texts):
    """Explain something; each line of each text becomes a comment."""
    for text in texts:
        for line in str(text).splitlines() or [""]:
            _say("# " + line)


def ok(condition, name, *why):
    """One result. The `why` is shown when it is a failure."""
    global _count, _failed
    _count += 1
    _say("%sok %d - %s" % ("" if condition else "not ", _count,
                           _one_line(name)))
    if not condition:
        _failed += 1
        for frame in traceback.extract_stack(limit=6):
            if frame.filename.endswith(".t") and frame.name != "<module>":
                diag("%s:%d in %s" % (os.path.basename(frame.filename),
                                      frame.lineno, frame.name))
        diag(*why)
    return bool(condition)


def eq(got, want, name, *why):
    return ok(got == want, name, "got:  %r" % (got,), "want: %r" % (want,),
              *why)


def has(text, part, name, *why):
    """`part` stands in `text`."""
    return ok(part in text, name, "no %r in:" % (part,), text, *why)


def lacks(text, part, name, *why):
    return ok(part not in text, name, "%r stands in it" % (part,), *why)


def skip(reason, name):
    """One result that could not be had here."""
    global _count
    _count += 1
    _say("ok %d - %s # SKIP %s" % (_count, _one_line(name),
                                   _one_line(reason)))


class SkipAll(Exception):
    """Nothing of this test can run here; the text says why."""


def bail(reason):
    """Stop the whole run: nothing that follows could mean anything."""
    _say("Bail out! " + _one_line(reason))
    raise SystemExit(1)


def _on_signal(number, _frame):
    # As an exception, so that every server is stopped on the way out.
    raise SystemExit(128 + number)


def _on_alarm(_number, _frame):
    raise TimeoutError("the test ran out of its time")


def run(main, seconds=180):
    """Run a test with a limit of wall-clock time, for one that hangs, then print
    the plan."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_signal)
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.alarm(seconds)
    try:
        main()
    except SkipAll as reason:
        if _count == 0:
            _say("1..0 # SKIP " + _one_line(reason))
            raise SystemExit(0)
        skip(reason, "the rest of it")
    except SystemExit:
        raise
    except BaseException:  # a failure like any other, with its trace
        ok(False, "no exception", traceback.format_exc())
    finally:
        signal.alarm(0)
    _say("1..%d" % _count)
    raise SystemExit(1 if _failed or not _count else 0)
