#!/usr/bin/python3
"""Measures foster beside its peers, and beside the floor: an init that does the least that one can do, floor.cpp.

FOSTER is its binary, MEASURES the directory of the measuring programs. The inits take turns. Each figure is the median
of ROUNDS rounds, and the spread is how far half of the rounds are apart. Prints a table, and writes bench.json and
orphans.svg to the directory OUT. ALIVE names the numbers of living orphans.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FOSTER, MEASURES, OUT = (os.environ[name] for name in ("FOSTER", "MEASURES", "OUT"))
ROUNDS = int(os.environ.get("ROUNDS") or 5)
ALIVE = [int(word) for word in (os.environ.get("ALIVE") or "0 10 100 1000 5000 20000").split()]
PEERS = ("tini", "tini-static", "dumb-init", "catatonit")
INITS = ("foster", *PEERS, "floor")
PATHS = {"foster": FOSTER, "floor": f"{MEASURES}/floor", **{name: shutil.which(name) for name in PEERS}}
PACKAGES = "tini dumb-init catatonit strace linux-perf valgrind gnuplot-nox"
# Where the scheduler shares CPUs out by sessions it favours the init whose workload has one of its own, dumb-init. What
# an init itself does is to be compared.
AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled"
# With one CPU for all of it, whether two processes share one is not left to chance. Free is as people run it.
PINNED = {"pinned": ["taskset", "-c", str(max(os.sched_getaffinity(0)))], "free": []}
AS_PID1 = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]

figures = {}  # (row, init): the figures of all rounds


def init_words(name, as_pid1=True):
    # Where it is not PID 1, tini would warn, and not adopt orphans.
    option = ["-s"] if name.startswith("tini") and not as_pid1 else []
    return [PATHS[name], *option, *([] if name == "floor" else ["--"])]


def keep(row, init, figure):
    figures.setdefault((row, init), []).append(figure)


def output_of(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def fields_of(path):
    with open(path, encoding="ascii") as lines:
        return {line.split(":")[0]: line.split(":")[1].split()[0] for line in lines if ":" in line and line.split(":")[1].strip()}


def measure_idle():
    """File, memory and wakeups. Two of each run at the same time: a page that both share is private to neither."""
    idle = {}
    for name in INITS:
        idle[name] = [
            subprocess.Popen([*init_words(name, False), "/bin/sleep", "1000"], env={}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]
    time.sleep(1)  # foster gives memory back once, soon after its start
    pids = {name: processes[0].pid for name, processes in idle.items()}
    before = {name: int(fields_of(f"/proc/{pid}/status")["voluntary_ctxt_switches"]) for name, pid in pids.items()}
    time.sleep(10)
    for name, pid in pids.items():
        memory, status = fields_of(f"/proc/{pid}/smaps_rollup"), fields_of(f"/proc/{pid}/status")
        keep("file, kB", name, os.stat(PATHS[name]).st_size / 1000)
        keep("resident, KiB", name, int(memory["Rss"]))
        keep("of it private, KiB", name, int(memory["Private_Clean"]) + int(memory["Private_Dirty"]))
        keep("page tables, KiB", name, int(status["VmPTE"]))
        keep("wakeups in 10 s of idleness", name, int(status["voluntary_ctxt_switches"]) - before[name])
    for name, processes in idle.items():
        for process in processes:
            # The workload: what it is adopted by ends with it. floor and the others forward no SIGKILL.
            for child in children_of(process.pid):
                os.kill(int(child), 9)
            process.wait()


def measure_start_up(how):
    words = [MEASURES + "/start-up", "300", "/bin/true"]
    for name in INITS:
        words += ["@", *init_words(name, False), "/bin/true"]
    bare, *others = (int(line) / 1000 for line in output_of([*PINNED[how], *words], stderr=subprocess.DEVNULL).split())
    for name, whole in zip(INITS, others):
        keep(f"start-up and end over the bare command, µs, {how}", name, whole - bare)


def measure_under(how, name, *words):
    # By a limit in time, for an init that loses a signal makes its workload wait.
    output = output_of([*PINNED[how], *AS_PID1, *init_words(name), f"{MEASURES}/{words[0]}", *words[1:]], timeout=120)
    return [int(word) for word in output.split()]


def measure_signals_and_orphans(how, name):
    for alive in ALIVE:
        deaths = "500" if alive <= 1000 else "200"
        keep(f"CPU per orphan, {alive:,} alive, µs, {how}", name, measure_under(how, name, "orphan-cost", str(alive), deaths)[0] / 1000)
    keep(f"CPU per orphan in a storm of 20,000, µs, {how}", name, measure_under(how, name, "orphan-cost", "0", "20000", "storm")[0] / 1000)
    median, last = measure_under(how, name, "round-trip", "20000")
    keep(f"signal round trip, µs, {how}", name, median / 1000)
    keep(f"of it the 99th percentile, µs, {how}", name, last / 1000)
    each, arrived, with_value = measure_under(how, name, "queued-signals", "10000")
    keep(f"a queued real-time signal, µs, {how}", name, each / 1000)
    keep(f"10,000 queued ones: arrived, {how}", name, arrived)
    keep(f"10,000 queued ones: with their value, {how}", name, with_value)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return children.read().split()


def measure_calls(work, name):
    strace = ["strace", "-f", "-qq", "-o", f"{work}/trace", *init_words(name, False), "/bin/true"]
    subprocess.run(strace, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    with open(f"{work}/trace", encoding="utf-8", errors="replace") as trace:
        lines = trace.read().splitlines()
    executed = [index for index, line in enumerate(lines) if "execve(" in line or "execve resumed" in line]
    done = [index for index in executed if lines[index].endswith("= 0")]
    begun = [index for index, line in enumerate(lines) if 'execve("/bin/true"' in line]
    until = [line for line in lines[done[0] + 1 : begun[-1] + 1] if "resumed>" not in line and "+++" not in line]
    keep("system calls from exec to exec", name, len(until))

    # By perf, for strace makes each call so slow that foster takes a sweep for one of many children.
    def calls_for(deaths):
        # Not in the first moment, in which foster waits for the time to give memory back.
        workload = ["/bin/sh", "-c", 'sleep 2; exec "$@"', "sh", f"{MEASURES}/orphan-cost", "0", str(deaths)]
        with subprocess.Popen([*AS_PID1, *init_words(name), *workload], stdout=subprocess.DEVNULL) as started:
            while not (children := children_of(started.pid)):
                time.sleep(0.01)
            perf = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", children[0]]
            counted = subprocess.run(perf, check=True, stderr=subprocess.PIPE, text=True, timeout=60).stderr
        return int(counted.split(",")[0])

    keep("system calls per orphan", name, (calls_for(220) - calls_for(20)) / 200)


def measure_instructions(name):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *init_words(name, False), "/bin/true"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    collected = next(line for line in done.stderr.splitlines() if "Collected :" in line)
    keep("instructions of a start and end", name, int(collected.split()[-1]))


def middle(row, init):
    return statistics.median(figures[row, init])


def spread_of(row):
    """How far half of the rounds are apart, of the init where that is most, in percent of its median."""
    widest = 0
    for (other, init), values in figures.items():
        if other == row and len(values) > 1 and middle(row, init) > 0:
            low, _, high = statistics.quantiles(values, n=4, method="inclusive")
            widest = max(widest, (high - low) / middle(row, init) * 100)
    return widest


def shown(value):
    return f"{value:.1f}" if abs(value) < 10 and value != int(value) else f"{value:,.0f}"


def print_table():
    print(f"| | {' | '.join(INITS)} | foster / best peer | foster / floor | spread |")
    print(f"|---|{'---|' * (len(INITS) + 3)}")
    for row in dict.fromkeys(row for row, _ in figures):
        values = {name: middle(row, name) for name in INITS}
        best = (max if "arrived" in row or "their value" in row else min)(values[name] for name in PEERS)
        ratios = [f"{values['foster'] / other:.2f}" if other > 0 else "-" for other in (best, values["floor"])]
        print(f"| {row} | {' | '.join(shown(value) for value in values.values())} | {' | '.join(ratios)} | {spread_of(row):.0f} % |")


def write_json():
    rows = {}
    for (row, init), values in figures.items():
        rows.setdefault(row, {})[init] = {"median": middle(row, init), "rounds": values}
    with open(f"{OUT}/bench.json", "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1, ensure_ascii=False)


def plot(work):
    """CPU time per orphan against living orphans, by gnuplot."""
    lines = []
    for name in INITS:
        lines += [f"# {name}"]
        for alive in ALIVE:
            lines.append(f"{max(alive, 1)} {middle(f'CPU per orphan, {alive:,} alive, µs, free', name)}")
        lines += ["", ""]
    with open(f"{work}/points", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    curves = ", ".join(f"'{work}/points' index {index} with linespoints title '{name}'" for index, name in enumerate(INITS))
    script = f"""set terminal svg size 800,480 background 'white'; set output '{OUT}/orphans.svg'; set logscale xy;
        set xlabel 'living orphans (the leftmost: none)'; set ylabel 'CPU time of the init per orphan that exits, µs';
        set key left top; set grid; plot {curves}"""
    subprocess.run(["gnuplot", "-e", script.replace("\n", " ")], check=True)


def main():
    missing = [tool for tool in (*PEERS, "strace", "perf", "valgrind", "gnuplot") if not shutil.which(tool)]
    if missing:
        sys.exit(f"bench: {missing[0]} is not installed (Debian: {PACKAGES})")
    with tempfile.TemporaryDirectory() as work:
        measure_idle()
        for name in INITS:
            measure_calls(work, name)
            measure_instructions(name)
        for _ in range(ROUNDS):
            for how in PINNED:
                measure_start_up(how)
                for name in INITS:
                    measure_signals_and_orphans(how, name)
        print_table()
        write_json()
        plot(work)


def without_autogroups():
    if not os.access(AUTOGROUP, os.W_OK):
        main()
        return
    with open(AUTOGROUP, "r+", encoding="ascii") as file:
        before = file.read()
        try:
            file.seek(0)
            file.write("0")
            file.flush()
            main()
        finally:
            file.seek(0)
            file.write(before)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the autogroups are put back
without_autogroups()
