#!/usr/bin/env python3
"""mutants.py, by `make mutants`: do the tests test? Changes foster in one place at a time, and runs the tests that
matter until one fails. See "Do the tests test?" in tests/README.md.

Environment: SAMPLE (20; all: every mutant), SEED (a random one, which is printed), FILES (parts of paths under src/),
JOBS (2), TESTS (in place of those that matter), MUTANT ("FILE:LINE: old -> new", as printed: only that one; or
several lines of these), QUICK=1 (only the nearest tests, and none with a crowd of processes).
Ends with 0 if no mutant has survived.
"""
import collections
import concurrent.futures
import ctypes
import glob
import json
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

# What matters, by the beginning of a file's path: the nearest, and for mutants that pass these, further ones.
TESTS = {
    "supervisor/delayed_signals": ("stopping signalfd", "limits refusals"),
    "supervisor/descendants": ("leftovers", "limits faults wrappers"),
    "supervisor/exit_report": ("exit_report json", "messages signalfd refusals"),
    "supervisor/job_control": ("terminal", "forwarding stopping"),
    "supervisor/leftovers": ("leftovers", "stopping limits wrappers personalities faults"),
    "supervisor/parentage": ("child_setup refusals", "reaping"),
    "supervisor/pid_limit": ("pid_limit", "exit_report limits"),
    "supervisor/reaper": ("exit_status exit_report reaping", "json pid_limit signalfd limits leftovers"),
    "supervisor/supervisor": ("exit_status forwarding stopping signalfd child_setup",
                              "inheritance exit_report pid_limit messages terminal refusals reaping personalities "
                              "leftovers"),
    "child/child": ("exit_status forwarding messages", "child_setup json stopping terminal leftovers"),
    "child/credentials": ("child_setup options", "refusals"),
    "child/exec": ("exit_status child_setup inheritance", "refusals wrappers personalities terminal"),
    "child/spawn": ("exit_status child_setup refusals", "messages personalities terminal"),
    "child/terminal": ("terminal", "stopping"),
    "zombies": ("zombies", "parents json refusals"),
    "signals/signal_policy": ("units forwarding terminal", "stopping leftovers"),
    "signals/signal_name": ("options forwarding child_setup", "messages reaping"),
    "signals": ("exit_status forwarding signalfd inheritance", "stopping terminal limits"),
}
# The tags of tests, and how to run those, as in tests/run.sh.
KINDS = {"!exact,!alone": ("--jobs", "6"), "exact": ("--jobs", "2"), "alone": ()}
LIMIT = 240  # seconds for a list of tests; the longest takes about 60 on two idle CPUs
LIMIT_OF_TEST = 60
KILLED_BATS = "bats itself, which it has killed"

Mutant = collections.namedtuple("Mutant", "file line old new")
Result = collections.namedtuple("Result", "mutant what why seconds")


def code_of(line):
    return re.sub(r"\s+// .*", "", line).strip()


def shown(mutant, with_line=True):
    line = f":{mutant.line}" if with_line else ""
    return f"{mutant.file}{line}: {code_of(mutant.old)} -> {code_of(mutant.new)}"


def names_of(mutant):
    """By which tests/mutants/exceptions may name it: the mutant, or each one of its line."""
    return shown(mutant, False), f"{mutant.file}: {code_of(mutant.old)}"


def stages(names, file):
    """[(names of tests, tags)] in the order in which to run them: crowds of processes last."""
    path = file.removeprefix("src/")
    nearest, further = TESTS[max((key for key in TESTS if path.startswith(key)), key=len)]
    lists = [names.split()] if names else [nearest.split(), further.split()]
    quick = [([name], "!exact,!alone") for name in lists[0]] + [(lists[0], "exact")]
    if os.environ.get("QUICK"):
        return quick
    return [*quick, *((lists[-1], tags) for tags in ("!exact,!alone", "exact") if not names), (sum(lists, []), "alone")]


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

    def __init__(self, directory, first):
        """first: another tree to copy; None: the one that this file is in."""
        self.root = directory
        self.pristine = first.pristine if first else f"{directory}.objects"
        # Of build/ only what is no variant of foster.
        ignored = shutil.ignore_patterns(".git", "mutants", "coverage", "fuzz", "sanitized", "clang*", "glibc",
                                         "aarch64")
        shutil.copytree(first.root if first else ROOT, directory, ignore=ignored, symlinks=True)
        if first:
            self.link, self.commands, self.depends, self.built = first.link, first.commands, first.depends, first.built
        else:
            self.prepare()
            self.built = self.build("src/main.cpp")
            shutil.copytree(f"{directory}/build", self.pristine)

    def prepare(self):
        """Builds foster, and finds by which commands: a make for each mutant would take longer than these."""
        flags = ""
        if os.path.exists(f"{self.root}/build/flags"):
            with open(f"{self.root}/build/flags", encoding="utf-8") as file:
                flags = file.read()
        warnings = "WERROR=1" if " -Werror " in flags else "WERROR="  # as it was built, so that it is up to date
        for command in (["build/foster", "build/compile_commands.json"],
                        ["-n", "V=1", "--what-if=src/main.cpp", "build/foster"]):
            done = subprocess.run(["make", "-s", warnings, *command], cwd=self.root, capture_output=True, text=True,
                                  check=False)
            if done.returncode != 0:
                sys.exit(f"mutants: foster itself does not build: {done.stderr}")
        self.link = next(line for line in done.stdout.splitlines() if " -o build/foster " in line)
        with open(f"{self.root}/build/compile_commands.json", encoding="utf-8") as file:
            self.commands = {each["file"]: each["command"].replace(" -Werror", "") for each in json.load(file)}
        self.depends = {}
        for source in self.commands:
            if "/runtime/" not in source:
                with open(f"{self.root}/build/{source[:-4]}.d", encoding="utf-8") as file:
                    self.depends[source] = set(file.read().split())

    def build(self, changed):
        """The program; None if it does not compile."""
        compiled = [f"{self.commands[source]} -o build/{source[:-4]}.o" for source, names in self.depends.items()
                    if changed in names]
        for command in (*compiled, self.link):
            if subprocess.run(command, cwd=self.root, shell=True, capture_output=True, check=False).returncode != 0:
                return None
        return self.program()

    def program(self):
        with open(f"{self.root}/build/foster", "rb") as file:
            return file.read()

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

    def failing_test(self, names, options, program="build"):
        """The title of the first test that fails; "" if all pass; None if the time is over."""
        files = [f"tests/{name}.bats" for name in names]
        with tempfile.TemporaryDirectory(prefix="foster.", ignore_cleanup_errors=True) as temporary:
            # Without the directory that bats adds for its tests, for one of them calls this program.
            path = [each for each in os.environ["PATH"].split(":") if "/bats-core" not in each]
            keep = {"PATH": ":".join(path), "HOME": os.environ.get("HOME", "/"), "CI": os.environ.get("CI", ""),
                    "FOSTER": f"{program}/foster", "TMPDIR": temporary, "PARALLEL_HOME": temporary,
                    "BATS_TEST_TIMEOUT": str(LIMIT_OF_TEST)}
            # A mutant may signal all that it finds, and never end.
            command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--", "bats", "--tap", *options,
                       *files]
            # pylint: disable-next=subprocess-popen-preexec-fn,consider-using-with
            running = subprocess.Popen(command, cwd=self.root, env=keep, stdin=subprocess.DEVNULL, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
                                       errors="replace")
            late = threading.Event()
            timer = threading.Timer(LIMIT, lambda: (late.set(), running.kill()))
            timer.start()
            try:
                for line in running.stdout:
                    if os.environ.get("VERBOSE"):
                        print(f"# {line}", end="", flush=True)
                    if found := re.match(r"not ok \d+ (.*?)(?: # .*)?$", line):
                        return found[1]
                running.wait()
                if running.returncode > 0:
                    sys.exit(f"mutants: bats fails, and no test: {' '.join(command)}")
                return None if late.is_set() else "" if running.returncode == 0 else KILLED_BATS
            finally:
                timer.cancel()
                running.kill()
                running.wait()
                running.stdout.close()

    def has_tag(self, name, tag):
        with open(f"{self.root}/tests/{name}.bats", encoding="utf-8") as file:
            return re.search(rf"^# bats test_tags=.*\b{tag}\b", file.read(), re.M) is not None

    def passes_unchanged(self, mutant, names, options):
        """Whether these tests pass with foster as it is, and with its sources, which some tests compile."""
        shutil.copy2(f"{ROOT}/{mutant.file}", f"{self.root}/{mutant.file}")
        passed = self.failing_test(names, options, self.pristine) == ""
        self.put(mutant)
        return passed

    def first_failure(self, mutant, names, tags):
        """As failing_test. A test that fails must fail twice, and pass without the mutant: the machine may be busy."""
        if tags in ("exact", "alone"):
            names = [name for name in names if self.has_tag(name, tags)]
        for _ in range(3 if names else 0):
            failed = self.failing_test(names, (*KINDS[tags], "--filter-tags", tags))
            if failed is None:
                return f"more than {LIMIT} s"
            if failed in ("", KILLED_BATS):
                return failed
            only = ("--filter", "^" + re.sub(r"[^\w ,:]", ".", failed) + "$")
            if self.passes_unchanged(mutant, names, only) and self.failing_test(names, only) != "":
                return failed
            print(f"# no proof, tried again: {failed}", flush=True)
        return ""

    def judge(self, mutant, names):
        start = time.monotonic()

        def result(what, why=""):
            return Result(mutant, what, why, time.monotonic() - start)

        self.put(mutant)
        try:
            program = self.build(mutant.file)
            if program is None:
                return result("does not compile")
            if program == self.built:
                return result("same program")
            for some, tags in stages(names, mutant.file):
                if failed := self.first_failure(mutant, some, tags):
                    return result("killed", failed)
            return result("SURVIVED")
        finally:
            self.restore(mutant)


def run(mutants, wanted, jobs, names):
    """Yields results until `wanted` mutants have been killed or have survived."""
    if wanted == 0:
        return
    with tempfile.TemporaryDirectory(prefix="mutants.", ignore_cleanup_errors=True) as directory:
        trees = queue.SimpleQueue()
        first = Tree(f"{directory}/0", None)
        trees.put(first)
        for number in range(1, jobs):
            trees.put(Tree(f"{directory}/{number}", first))

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
    names = os.environ.get("TESTS", "").replace("tests/", "").replace(".bats", "")
    mutants = list(list_mutants(os.environ.get("FILES", "").split()))
    exceptions = read_exceptions()
    known = {name for one in mutants for name in names_of(one)}
    stale = [key for key in exceptions if key not in known] if not os.environ.get("FILES") else []
    for key in stale:
        print(f"no such mutant, in tests/mutants/exceptions: {key}")
    if wanted := os.environ.get("MUTANT"):
        wanted = wanted.splitlines()
        mutants = [one for one in mutants if shown(one) in wanted or shown(one, False) in wanted]
        exceptions = {}
    print(f"SEED={seed}, {len(mutants)} mutants", flush=True)
    random.Random(seed).shuffle(mutants)

    excepted = [one for one in mutants if not exceptions.keys().isdisjoint(names_of(one))]
    mutants = [one for one in mutants if exceptions.keys().isdisjoint(names_of(one))]
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
