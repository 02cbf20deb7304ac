#!/usr/bin/env python3
"""mutants.py, by `make mutants`: do the tests test? Changes foster in one place at a time, and runs the tests that
matter until one fails. See "Do the tests test?" in tests/README.md.

Environment: SAMPLE (20; all: every mutant), SEED (a random one, which is printed), FILES (parts of paths under src/),
JOBS (2), TESTS (in place of those that matter), MUTANT ("FILE:LINE: old -> new", as printed: only that one).
Ends with 0 if no mutant has survived.
"""
import collections
import concurrent.futures
import ctypes
import glob
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import rules

DIRECTORIES = ("supervisor", "child", "zombies", "signals")
FOR_OTHER_CPUS = ("cpu_aarch64.cpp", "cpu_other.cpp")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What matters, the nearest first. A mutant that passes the first list gets the second.
NEAREST = {
    "supervisor/delayed_signals": "stopping signalfd",
    "supervisor/descendants": "leftovers",
    "supervisor/exit_report": "exit_report json",
    "supervisor/job_control": "terminal",
    "supervisor/leftovers": "leftovers",
    "supervisor/parentage": "child_setup refusals",
    "supervisor/pid_limit": "pid_limit",
    "supervisor/reaper": "exit_status reaping exit_report",
    "supervisor/supervisor": "exit_status forwarding stopping signalfd child_setup",
    "child/child": "exit_status forwarding messages",
    "child/credentials": "child_setup options",
    "child/exec": "exit_status child_setup inheritance",
    "child/spawn": "exit_status child_setup refusals",
    "child/terminal": "terminal",
    "zombies": "zombies parents",
    "signals/signal_policy": "units forwarding terminal",
    "signals/signal_name": "options forwarding messages",
    "signals": "exit_status forwarding signalfd inheritance terminal",
}
FURTHER = {
    "zombies": "json limits refusals exit_report stack_limit",
    "supervisor": "exit_status forwarding stopping child_setup inheritance signalfd exit_report json pid_limit messages "
                  "reaping limits leftovers terminal refusals personalities wrappers stack_limit zombies faults",
    "child": "exit_status forwarding stopping child_setup inheritance exit_report json messages options personalities "
             "wrappers terminal refusals limits stack_limit leftovers faults",
    "signals": "units exit_status forwarding stopping options inheritance signalfd messages personalities terminal "
               "reaping leftovers refusals",
}
# As in tests/run.sh.
KINDS = (("--jobs", "6", "--filter-tags", "!exact,!alone"), ("--jobs", "2", "--filter-tags", "exact"),
         ("--filter-tags", "alone"))
LIMIT = 400  # seconds for a list of tests; the longest takes about 100 on two idle CPUs

Mutant = collections.namedtuple("Mutant", "file line old new")
Result = collections.namedtuple("Result", "mutant what why seconds")


def shown(mutant, with_line=True):
    line = f":{mutant.line}" if with_line else ""
    return f"{mutant.file}{line}: {mutant.old.strip()} -> {mutant.new.strip()}"


def first_value(table, file):
    """The value of the longest key that the file's path begins with."""
    path = file.removeprefix("src/")
    return table[max((key for key in table if path.startswith(key)), key=len)].split()


def list_mutants(parts):
    files = sorted(path for directory in DIRECTORIES for path in glob.glob(f"src/{directory}/*.[ch]pp")
                   if not path.endswith(FOR_OTHER_CPUS))
    for file in files:
        if not parts or any(part in file for part in parts):
            with open(file, encoding="utf-8") as source:
                for number, old, new in rules.mutants_of(source.read()):
                    yield Mutant(file, number, old, new)


def read_exceptions():
    """{FILE: old -> new, or FILE: old for each mutant of such a line: its reason, the comment above it}."""
    exceptions, reason, ended = {}, "", True
    with open(f"{HERE}/exceptions", encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#"):
                reason = line[1:].strip() if ended else reason + " " + line[1:].strip()
            elif line:
                exceptions[line] = reason
            ended = not line.startswith("#")
    return exceptions


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Tree:
    """A copy of the tree, in which one mutant at a time is built and tested."""

    def __init__(self, directory):
        self.root = directory
        self.pristine = f"{directory}.objects"
        ignored = shutil.ignore_patterns(".git", "mutants", "coverage", "fuzz", "sanitized", "clang*", "glibc", "aarch64")
        shutil.copytree(ROOT, directory, ignore=ignored, symlinks=True)
        os.makedirs(f"{directory}/tests/fuzz", exist_ok=True)
        self.built, _ = self.build()
        if not self.built:
            sys.exit("mutants: foster itself does not build")
        shutil.copytree(f"{directory}/build", self.pristine)

    def build(self):
        command = ["make", "-s", "-j1", "build/foster", "WERROR="]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, done.stderr
        with open(f"{self.root}/build/foster", "rb") as program:
            return program.read(), ""

    def put(self, mutant):
        with open(f"{ROOT}/{mutant.file}", encoding="utf-8") as file:
            lines = file.read().split("\n")
        lines[mutant.line - 1] = mutant.new
        with open(f"{self.root}/{mutant.file}", "w", encoding="utf-8") as file:
            file.write("\n".join(lines))

    def restore(self, mutant):
        shutil.copy2(f"{ROOT}/{mutant.file}", f"{self.root}/{mutant.file}")
        shutil.rmtree(f"{self.root}/build", ignore_errors=True)
        shutil.copytree(self.pristine, f"{self.root}/build", copy_function=shutil.copy2)

    def failing_test(self, names, options, seconds):
        """The title of the first test that fails; "" if all pass; None if the time is over."""
        files = [f"tests/{name}.bats" for name in names]
        with tempfile.TemporaryDirectory(prefix="foster.", ignore_cleanup_errors=True) as temporary:
            keep = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "CI": os.environ.get("CI", ""),
                    "FOSTER": f"{self.root}/build/foster", "TMPDIR": temporary, "PARALLEL_HOME": temporary}
            # A mutant may signal all that it finds, and never end.
            command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--", "bats", "--tap", *options,
                       *files]
            # pylint: disable-next=subprocess-popen-preexec-fn,consider-using-with
            running = subprocess.Popen(command, cwd=self.root, env=keep, stdin=subprocess.DEVNULL, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
                                       errors="replace")
            late = threading.Event()
            timer = threading.Timer(seconds, lambda: (late.set(), running.kill()))
            timer.start()
            try:
                for line in running.stdout:
                    if found := re.match(r"not ok \d+ (.*)", line):
                        return found[1]
                running.wait()
                return None if late.is_set() else "" if running.returncode == 0 else "bats itself"
            finally:
                timer.cancel()
                running.kill()
                running.wait()
                running.stdout.close()

    def first_failure(self, names, only=None):
        """As failing_test, of tests of all kinds. A test that fails must fail twice, for the machine may be busy."""
        for kind in KINDS:
            for _ in range(3):
                failed = self.failing_test(names, kind, LIMIT)
                if not failed:
                    break
                again = ("--filter", "^" + re.sub(r"[^\w ,:]", ".", failed) + "$")
                if failed == "bats itself" or self.failing_test(names, again, LIMIT) != "":
                    return failed
                print(f"# once only, tried again: {failed}", flush=True)
            if failed is None:
                return f"more than {LIMIT} s"
        return ""

    def judge(self, mutant, names):
        start = time.monotonic()

        def result(what, why=""):
            return Result(mutant, what, why, time.monotonic() - start)

        self.put(mutant)
        try:
            program, errors = self.build()
            if program is None:
                return result("does not compile", errors)
            if program == self.built:
                return result("same program")
            nearest = names or first_value(NEAREST, mutant.file)
            further = [] if names else [name for name in first_value(FURTHER, mutant.file) if name not in nearest]
            for some in filter(None, (nearest, further)):
                if failed := self.first_failure(some):
                    return result("killed", failed)
            return result("SURVIVED")
        finally:
            self.restore(mutant)


def run(mutants, wanted, jobs, names):
    """Yields results until `wanted` mutants have been killed or have survived."""
    with tempfile.TemporaryDirectory(prefix="mutants.", ignore_cleanup_errors=True) as directory:
        trees = queue.SimpleQueue()
        for number in range(jobs):
            trees.put(Tree(f"{directory}/{number}"))

        def judge(mutant):
            tree = trees.get()
            try:
                return tree.judge(mutant, names)
            finally:
                trees.put(tree)

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting, counted = set(), 0
            todo = iter(mutants)
            while True:
                # Not more than may be wanted, so that equal seeds test equal mutants, however many at a time.
                while len(waiting) < min(jobs, wanted - counted) and (mutant := next(todo, None)):
                    waiting.add(pool.submit(judge, mutant))
                if not waiting:
                    return
                done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                for one in done:
                    counted += one.result().what in ("killed", "SURVIVED")
                    yield one.result()


def main():
    os.chdir(ROOT)
    if os.getuid() != 0:
        sys.exit("make mutants: requires root")
    if os.getpid() != 1:  # whatever is left behind ends with this
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--", sys.executable,
                              *sys.argv])
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    seed = os.environ.get("SEED") or str(random.randrange(1 << 16))
    sample = os.environ.get("SAMPLE") or "20"
    names = os.environ.get("TESTS", "").replace("tests/", "").replace(".bats", "").split()
    mutants = list(list_mutants(os.environ.get("FILES", "").split()))
    exceptions = read_exceptions()
    known = {shown(one, False) for one in mutants} | {f"{one.file}: {one.old.strip()}" for one in mutants}
    stale = [key for key in exceptions if key not in known] if not os.environ.get("FILES") else []
    for key in stale:
        print(f"no such mutant, in tests/mutants/exceptions: {key}")
    if wanted := os.environ.get("MUTANT"):
        mutants = [one for one in mutants if wanted in (shown(one), shown(one, False))]
        exceptions = {}
    print(f"SEED={seed}, {len(mutants)} mutants", flush=True)
    random.Random(seed).shuffle(mutants)

    def is_excepted(one):
        return shown(one, False) in exceptions or f"{one.file}: {one.old.strip()}" in exceptions

    excepted = [one for one in mutants if is_excepted(one)]
    mutants = [one for one in mutants if not is_excepted(one)]
    counts = collections.Counter()
    start = time.monotonic()
    wanted = len(mutants) if sample == "all" else int(sample)
    for one in run(mutants, wanted, int(os.environ.get("JOBS") or "2"), names):
        counts[one.what] += 1
        why = f"  # by: {one.why}" if one.what == "killed" else ""
        if one.what in ("killed", "SURVIVED"):
            print(f"{one.what} {shown(one.mutant)}{why}, {one.seconds:.0f} s", flush=True)
        elif os.environ.get("VERBOSE"):
            print(f"# {one.what}: {shown(one.mutant)}", flush=True)
    print(f"{counts['killed'] + counts['SURVIVED']} mutants: {counts['killed']} killed, {counts['SURVIVED']} survived; "
          f"not counted: {len(excepted)} exceptions, {counts['does not compile']} do not compile, "
          f"{counts['same program']} give the same program; after {time.monotonic() - start:.0f} s", flush=True)
    sys.exit(1 if counts["SURVIVED"] or stale else 0)


if __name__ == "__main__":
    main()
