"""One round: runs a scenario, in a PID namespace of which it is PID 1, and keeps what it has seen for the oracle."""
import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

import oracle
from scenario import Scenario

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
RECORD = struct.Struct('=iiiiqqq')
ALL, NONE = b'\xff' * 8, b'\0' * 8
SCAN_INTERVAL = 0.008
TICK = 0.002


def set_mask(mask):
    """The raw call: the C library leaves 32 and 33 out."""
    LIBC.syscall(14, 2, mask, None, 8)  # rt_sigprocmask, SIG_SETMASK


def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError:
        return b''


def stat_of(pid):
    """(state, parent, threads, start) or None."""
    fields = read(f'/proc/{pid}/stat').rpartition(b') ')[2].split()
    return (fields[0], int(fields[1]), int(fields[17]), fields[19]) if len(fields) > 19 else None


def status_of(pid):
    pairs = (line.split(':', 1) for line in read(f'/proc/{pid}/status').decode('latin-1').splitlines() if ':' in line)
    return {key: value.strip() for key, value in pairs}


def pending(pid):
    status = status_of(pid)
    return int(status.get('SigPnd', '0'), 16) | int(status.get('ShdPnd', '0'), 16)


def kibibytes(pid, *keys):
    lines = read(f'/proc/{pid}/smaps_rollup').decode().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.split(':')[0] in keys)


class Round:
    """Attributes that end in s are what was seen; times are seconds of CLOCK_MONOTONIC."""

    def __init__(self, scenario, programs):
        self.scenario = scenario
        self.programs = programs
        self.dir = tempfile.mkdtemp(dir=programs)
        os.chmod(self.dir, 0o777)
        self.sent = []  # (before, after, number, value)
        self.zombies = {}  # (pid, start): [first seen, last seen]
        self.foster_waits = []  # (time, seconds that it has waited for a CPU so far)
        self.frozen = []  # (from, to)
        self.ticks = []  # (time, how late)
        self.alive = []  # (from, to, tree processes alive)
        self.parent = self.foster = self.child = self.witness = 0
        self.gone_at = self.status = self.ordered = self.child_gone = self.killed_tree = None
        self.errors = b''
        self.before = self.after = None
        self.signalled = {}  # who got what, and should not have

    def path(self, name):
        return f'{self.dir}/{name}'

    def now(self):
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    # Starting

    def fork(self, run):
        pid = os.fork()
        if pid == 0:
            try:
                run()
            finally:
                os._exit(96)
        return pid

    def tick(self):
        """Beside foster: how late is a process that wants to run now?"""
        with open(self.path('ticks'), 'wb', 0) as file:
            while True:
                due = self.now() + TICK
                time.sleep(TICK)
                late = self.now() - due
                if late > 0.001:
                    file.write(struct.pack('dd', due, late))

    def command(self):
        it = self.scenario
        options = [option.replace('DIR', self.dir, 1) for option in it.options]
        variable = [option for option in options[:it.in_environment] if ' ' not in option]
        options = [option for option in options if option not in variable]
        tree = [f'{self.programs}/tree', self.dir, str(it.seed % 2**63), str(int(it.rain_time * 1000)), str(it.forks),
                str(it.pulse)]
        command = [f'{self.programs}/foster', *options]
        if it.kind == 'run':
            command += ['--', f'{self.programs}/recorder', self.dir, str(it.seed % 2**63), str(it.nap),
                        str(it.queue_limit), '1' if it.waits else '0']
            command += tree if it.forks and not it.tree_before else []
        if it.tree_before:
            command = ['sh', '-c', '"$@" & shift "$#"; eval "exec $FOSTER_COMMAND"', 'sh', *tree], command
        return command, ' '.join(variable)

    def launch(self):
        it = self.scenario
        command, variable = self.command()
        environment = {'PATH': os.environ['PATH'], **({'FOSTER_OPTIONS': variable} if variable else {})}
        if it.tree_before:
            command, foster = command
            environment['FOSTER_COMMAND'] = ' '.join("'" + word.replace("'", "'\\''") + "'" for word in foster)
        if it.mode == 'pid1':
            command = ['unshare', '--pid', '--fork', '--mount-proc', '--', *command]
        self.error_pipe, theirs = os.pipe()
        if it.standard_error in ('file', 'null'):
            theirs = os.open(self.path('errors') if it.standard_error == 'file' else '/dev/null',
                             os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        else:
            LIBC.fcntl(self.error_pipe, 1031, 4096)  # F_SETPIPE_SZ

        def run():
            if it.parent_death and it.mode != 'pid1' and os.fork() != 0:
                signal.pause()
            os.setpgid(0, 0)
            os.dup2(theirs, 2)
            set_mask(NONE)
            os.execvpe(command[0], command, environment)

        self.parent = self.fork(run)
        os.close(theirs)
        deadline = self.now() + 10
        while not self.find_foster():
            if self.now() > deadline:
                raise TimeoutError('foster has not started: ' + self.read_errors().decode('latin-1'))
            time.sleep(0.001)

    def find_foster(self):
        pids = self.pids()
        for pid, (_, parent, _, _) in pids.items():
            links = []
            if pid == self.parent or parent == self.parent:
                try:
                    links = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
                except OSError:
                    pass
            if 'anon_inode:[signalfd]' in links and read(f'/proc/{pid}/cmdline').startswith(
                    self.programs.encode() + b'/foster'):
                self.foster = pid
        if not self.foster or self.scenario.kind != 'run':
            return self.foster != 0
        mine = self.programs.encode() + b'/recorder'
        recorders = {pid: stat[1] for pid, stat in pids.items() if read(f'/proc/{pid}/cmdline').startswith(mine)}
        self.child = next((pid for pid, parent in recorders.items() if parent == self.foster), 0)
        self.witness = next((pid for pid, parent in recorders.items() if parent == self.child), 0)
        return self.child and self.witness and all(map(os.path.exists, (self.path('ready'), self.path('witness'))))

    # Watching

    def pids(self):
        found = {int(name): stat_of(name) for name in os.listdir('/proc') if name.isdigit()}
        return {pid: stat for pid, stat in found.items() if stat}

    def scan(self):
        at = self.now()
        tree = 0
        pids = self.pids()
        mine = {1, self.ticker, self.parent, self.foster, self.child, self.witness, *self.bystanders}
        for pid, (state, parent, threads, start) in pids.items():
            if parent == self.foster and state == b'Z' and threads <= 1:
                self.zombies.setdefault((pid, start), [at, at, read(f'/proc/{pid}/comm')])[1] = at
            tree += state not in b'ZX' and pid not in mine
        fields = read(f'/proc/{self.foster}/schedstat').split()
        if fields:
            self.foster_waits.append((self.now(), int(fields[1]) / 1e9))
        if self.child and self.child_gone is None and pids.get(self.child, (b'Z',))[0] == b'Z':
            self.child_gone = self.now()
        # The kernel keeps a PID 1 that has exited until all of its namespace have. By then it has no memory.
        if self.gone_at is None and not read(f'/proc/{self.foster}/cmdline'):
            self.gone_at = self.alive[-1][0] if self.alive else at
        self.alive.append((at, self.now(), tree))
        if self.scenario.standard_error != 'stuck' or self.ordered:
            self.read_errors()
        return self.now() - at

    def read_errors(self):
        while select.select([self.error_pipe], [], [], 0)[0]:
            part = os.read(self.error_pipe, 65536)
            self.errors += part
            if not part:
                break
        return self.errors

    def watch(self, until, met=lambda: False):
        """Scans until that time, or until it is met."""
        while not met() and self.now() < until and self.is_up():
            took = self.scan()
            time.sleep(max(0, min(until - self.now(), max(SCAN_INTERVAL, 3 * took))))

    def is_up(self):
        """Whether foster has not exited. Its children that it has left come to this process, and are reaped here."""
        while self.status is None:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return True
            if pid == self.foster or (pid == self.parent and self.scenario.mode == 'pid1' and not self.is_orphaned):
                self.status = status
                self.ended = self.now()
                self.gone_at = self.gone_at or (self.alive[-1][0] if self.alive else self.ended)
        return False

    def measure(self):
        foster = self.foster
        status = status_of(foster)
        return {'fds': sorted(os.listdir(f'/proc/{foster}/fd')), 'Rss': kibibytes(foster, 'Rss'),
                'Private': kibibytes(foster, 'Private_Clean', 'Private_Dirty'),
                'Anonymous': kibibytes(foster, 'Anonymous'),
                'cpu': int(read(f'/proc/{foster}/schedstat').split()[0]) / 1e9,
                'switches': int(status['voluntary_ctxt_switches']), 'time': self.now()}

    # Acting

    def send(self, number, value=None):
        before = self.now()
        try:
            if value is None:
                os.kill(self.foster, number)
            else:
                LIBC.sigqueue(self.foster, number, value)
        except ProcessLookupError:
            return
        self.sent.append((before, self.now(), number, value))

    def freeze(self, _):
        self.frozen.append((self.now(), self.now() + 60))
        os.kill(self.foster, signal.SIGSTOP)

    def thaw(self, _):
        self.send(signal.SIGCONT)
        self.frozen = [(self.frozen[0][0], self.now())]

    def lose_parent(self, number):
        before = self.now()
        os.kill(self.parent, signal.SIGKILL)
        self.is_orphaned = True
        while (stat_of(self.parent) or (b'Z',))[0] not in b'ZX':
            time.sleep(0.001)
        self.sent.append((before, self.now(), number, None))

    def rain(self):
        it = self.scenario
        start = self.now()
        events = [(at, lambda drop: self.send(*drop), (number, value)) for at, number, value in it.rain]
        if it.freezes:
            events += [(it.rain_time / 2, self.freeze, None), (it.rain_time / 2 + 0.03, self.thaw, None)]
        if it.parent_death:
            events.append((it.rain_time * 0.7, self.lose_parent, it.parent_death))
        for at, act, what in sorted(events, key=lambda event: event[0]):
            self.watch(start + at)
            if not self.is_up():
                return
            act(what)
        self.watch(start + it.rain_time)
        last = self.now() + max(it.delays.values(), default=0) / 1000
        self.watch(last + 0.15)
        # Whether foster is too late is the oracle's part, so there is time for that.
        self.watch(last + 3, lambda: not oracle.missing_signals(self) and not self.young_zombies())

    def young_zombies(self):
        return any(last == self.alive[-1][0] for _, last, _ in self.zombies.values())

    def records(self):
        data = read(self.path('records'))
        whole = len(data) // RECORD.size * RECORD.size
        return [(*each[:5], each[5] / 1e9, each[6] / 1e9) for each in RECORD.iter_unpack(data[:whole])]

    def order_end(self):
        how, number = self.scenario.end
        self.watched_before_end()
        self.ordered = self.now()
        if how == 'K':
            os.kill(self.foster, signal.SIGKILL)
        elif self.scenario.kind == 'run':
            target = self.scenario.target(number) if how == 'd' else number
            with open(self.path('control'), 'w') as control:
                control.write(f'{how} {target}\0')
            if how == 'd':
                bit = 1 << (target - 1)
                self.watch(self.now() + 5, lambda: not int(status_of(self.child).get('SigBlk', '0'), 16) & bit)
        if how == 'd':
            self.ordered = self.now()
            os.kill(self.foster, number)

    def watched_before_end(self):
        self.after = self.measure()
        self.watch(self.now() + 1, lambda: (self.after.update(fds=sorted(os.listdir(f'/proc/{self.foster}/fd')))
                                            or self.after['fds'] == self.before['fds']))
        if self.witness:
            self.signalled['a process of the tree in its own session'] = pending(self.witness)

    def await_end(self):
        self.watch(self.now() + 2)
        if self.is_up():  # with --wait-all what is stopped or waits
            self.killed_tree = self.now()
            mine = {1, self.ticker, self.parent, self.foster, self.child, *self.bystanders}
            for pid in set(self.pids()) - mine:
                os.kill(pid, signal.SIGKILL)
            self.watch(self.now() + 3)
        self.scan()
        self.left = self.alive[-1][2] if self.scenario.mode != 'pid1' else 0
        for bystander, name in self.bystanders.items():
            state = stat_of(bystander)[0]
            self.signalled[name] = pending(bystander) if state == b'S' else f'state {state}'
        self.signalled["foster's parent"] = pending(1) & ~(1 << 16)

    def run(self):
        it = self.scenario
        os.umask(0)
        os.mkfifo(self.path('control'))
        set_mask(ALL)
        self.is_orphaned = False
        self.bystanders = {self.fork(signal.pause): 'a bystander in the group of foster',
                           self.fork(lambda: (os.setpgid(0, 0), signal.pause())): 'a bystander'}
        self.ticker = self.fork(self.tick)
        self.launch()
        if it.mode == 'subreaper' and not it.parent_death:
            os.setpgid(next(iter(self.bystanders)), self.foster)
        self.watch(self.now() + 0.03)
        self.before = self.measure()
        self.rain()
        if self.is_up():
            self.order_end()
        self.await_end()
        self.read_errors()
        self.errors += read(self.path('errors'))
        data = read(self.path('ticks'))
        self.ticks = list(struct.iter_unpack('dd', data[:len(data) // 16 * 16]))


def run_oneshot(scenario, programs):
    """The options with which foster runs nothing, and commands that cannot be run."""
    place = tempfile.mkdtemp(dir=programs)
    words, code, output = {
        '--install': ([f'--install={place}'], 0, False), 'absent': (['/absent/command'], 127, False),
        'no-program': ([place], 126, False), '--reap-zombies': (['--reap-zombies'], 0, False)}.get(scenario.oneshot, ([scenario.oneshot], 0, True))
    inner = ['unshare', '--pid', '--fork', '--mount-proc', '--'] if scenario.mode == 'pid1' else []
    done = subprocess.run([*inner, f'{programs}/foster', *words], capture_output=True, timeout=10, check=False)
    good = done.returncode == code and bool(done.stdout) >= output and bool(done.stderr) == (code != 0)
    return [] if good else [f'{words}: expected {code}, found {done}']


def main():
    seed, programs = int(sys.argv[1]), sys.argv[2]
    scenario = Scenario(seed)
    if scenario.kind == 'oneshot':
        failures, known, figures = run_oneshot(scenario, programs), [], {}
    else:
        it = Round(scenario, programs)
        try:
            it.run()
            failures, known, figures = oracle.judge(it)
        except Exception as problem:  # pylint: disable=broad-except
            import traceback
            failures, known, figures = [traceback.format_exc()], [], {}
    print(repr({'seed': seed, 'what': f'{scenario.mode} {scenario.kind} {" ".join(scenario.options)}',
                'failures': failures, 'known': known, 'figures': figures}))


main()
