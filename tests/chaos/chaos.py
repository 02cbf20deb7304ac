#!/usr/bin/env python3
"""Rounds of chaos, each with a seed of its own, for SECONDS; without it, one round with SEED. See tests/README.md.

FOSTER, PROGRAMS (the directory of recorder and tree), SEED, SECONDS, ROUNDS (at a time)."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
# Of a round's time. Beyond it, one round less runs at a time.
TOO_LATE = 0.5
# A round that fails is run again, so often: what fails once only may be the machine's lateness, and is printed.
REPEATS = 3


def check_options():
    """All of foster's options are known to the generator."""
    with open(f'{HERE}/../../src/options/option_table.cpp', encoding='utf-8') as file:
        names = re.findall(r'^    \{"\w*", "\w*", "([a-z-]+)"', file.read(), re.MULTILINE)
    with open(f'{HERE}/scenario.py', encoding='utf-8') as file:
        known = file.read()
    missing = [name for name in names if f"--{name}" not in known]
    if missing or not names:
        sys.exit(f'scenario.py has none of the options {missing}')


def run_round(seed, programs):
    command = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', '--', sys.executable, '-B',
               f'{HERE}/round.py', str(seed), programs]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False, text=True, errors='replace')
        return literal_eval(done.stdout)
    except subprocess.TimeoutExpired:
        failure = 'the round has not ended in 60 s'
    except (SyntaxError, ValueError):
        failure = f'the round has failed: {done.stdout} {done.stderr}'
    return {'seed': seed, 'what': '', 'failures': [failure], 'known': [], 'figures': {}}


class Rounds:
    def __init__(self, programs, seconds):
        self.programs = programs
        self.end = time.monotonic() + seconds
        self.at_a_time = self.allowed = int(os.environ.get('ROUNDS') or 2)
        self.failed = self.failed_once = self.count = 0
        self.known = {}
        self.figures = []

    def take(self, result):
        seed, figures = result['seed'], result['figures']
        self.count += 1
        for known in result['known']:
            name = known.split(':')[0].split(' for ')[0]
            self.known[name] = self.known.get(name, 0) + 1
        if figures:
            self.figures.append(figures)
            step = -1 if figures['lateness'] > TOO_LATE else 1
            self.allowed = min(self.at_a_time, max(1, self.allowed + step))
        if result['failures']:
            again = any(run_round(seed, self.programs)['failures'] for _ in range(REPEATS))
            self.failed += again
            self.failed_once += not again
            print(f'make chaos SEED={seed} # round {self.count}{"" if again else ", not again"}', f'foster {result["what"]}', *result['failures'][:8],
                  sep='\n  ', flush=True)

    def run(self, seeds):
        with ThreadPoolExecutor(self.at_a_time) as pool:
            running = set()
            for seed in seeds:
                if (running or self.count) and time.monotonic() > self.end:
                    break
                running.add(pool.submit(run_round, seed, self.programs))
                while len(running) >= self.allowed:
                    done = {each for each in running if each.done()}
                    running -= done
                    for each in done:
                        self.take(each.result())
                    time.sleep(0 if done else 0.02)
            for each in running:
                self.take(each.result())

    def report(self, seconds):
        def total(key):
            return sum(figures[key] for figures in self.figures)

        def worst(key):
            return max((figures[key] for figures in self.figures), default=0) * 1000
        print(f'{self.count} rounds in {seconds:.0f} s, {self.failed} failed, {self.failed_once} failed once and not again: {total("signals")} signals, the '
              f'slowest after {worst("slowest signal"):.1f} ms; {total("forks")} processes, the oldest zombie '
              f'{worst("oldest zombie"):.0f} ms')
        for name, count in self.known.items():
            print(f'known: {name}: {count}')


def main():
    check_options()
    seconds, seed = os.environ.get('SECONDS'), os.environ.get('SEED')
    seed = int(seed) if seed else random.SystemRandom().randrange(1 << 32)
    if os.geteuid() != 0:
        sys.exit('chaos wants root, for PID namespaces and other users')
    with tempfile.TemporaryDirectory() as programs:
        os.chmod(programs, 0o755)
        for program in (os.environ['FOSTER'], *(f'{os.environ["PROGRAMS"]}/{name}' for name in ('recorder', 'tree'))):
            shutil.copy(program, f'{programs}/{os.path.basename(program)}')
        start = time.monotonic()
        rounds = Rounds(programs, float(seconds or 0))
        derived = random.Random(seed)
        if seconds:
            print(f'chaos for {seconds} s, make chaos SEED={seed} SECONDS={seconds}', flush=True)
        rounds.run((derived.randrange(1 << 32) for _ in iter(int, 1)) if seconds else [seed])
        rounds.report(time.monotonic() - start)
    sys.exit(rounds.failed != 0)


main()
