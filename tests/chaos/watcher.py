"""What is seen of foster and of its processes, in /proc."""
import ctypes
import os
import select
import struct
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
RECORD = struct.Struct('=iiiiqqq')
ALL = b'\xff' * 8
SCAN_INTERVAL = 0.008
UNKNOWN = -1  # an exit status that somebody else has got
TICK = 0.002


def set_mask(mask):
    """The raw call: the C library leaves 32 and 33 out."""
    rt_sigprocmask = {'x86_64': 14, 'aarch64': 135}[os.uname().machine]
    LIBC.syscall(rt_sigprocmask, 2, mask, None, 8)  # SIG_SETMASK


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


class Watcher:
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
        self.is_read = scenario.standard_error != 'stuck'
        self.before = self.after = None
        self.signalled = {}  # who got what, and should not have

    def path(self, name):
        return f'{self.dir}/{name}'

    def now(self):
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def pids(self):
        found = {int(name): stat_of(name) for name in os.listdir('/proc') if name.isdigit()}
        return {pid: stat for pid, stat in found.items() if stat}

    def scan(self):
        at = self.now()
        tree = 0
        pids = self.pids()
        if self.child and self.child_gone is None and pids.get(self.child, (b'Z',))[0] == b'Z':
            self.child_gone = self.now()
        witness = self.witness if self.child_gone is None else 0
        mine = {1, self.ticker, self.parent, self.foster, self.child, witness, *self.bystanders}
        for pid, (state, parent, threads, start) in pids.items():
            if parent == self.foster and state == b'Z' and threads <= 1:
                self.zombies.setdefault((pid, start), [at, at, read(f'/proc/{pid}/comm')])[1] = at
            tree += state not in b'ZX' and pid not in mine
        fields = read(f'/proc/{self.foster}/schedstat').split()
        if fields:
            self.foster_waits.append((self.now(), int(fields[1]) / 1e9))
        # The kernel keeps a PID 1 that has exited until all of its namespace have. By then it has no memory.
        if self.gone_at is None and not read(f'/proc/{self.foster}/cmdline'):
            self.gone_at = self.alive[-1][0] if self.alive else at
        self.alive.append((at, self.now(), tree))
        if self.is_read:
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
            if pid == 0 and not (self.is_orphaned and stat_of(self.foster) is None):
                return True
            if pid == 0:  # its parent has reaped it just before it was killed itself
                pid, status = self.foster, UNKNOWN
            if pid == self.foster or (pid == self.parent and self.scenario.mode == 'pid1' and not self.is_orphaned):
                self.status = status
                self.ended = self.now()
                self.gone_at = self.gone_at or (self.alive[-1][0] if self.alive else self.ended)
        return False

    def descriptors(self):
        """Those that stay: a scan of /proc and a pidfd come and go."""
        seen = []
        for _ in range(5):
            seen.append(set(os.listdir(f'/proc/{self.foster}/fd')))
            time.sleep(0.003)
        return sorted(set.intersection(*seen))

    def measure(self):
        foster = self.foster
        status = status_of(foster)
        return {'fds': self.descriptors(), 'Rss': kibibytes(foster, 'Rss'),
                'Private': kibibytes(foster, 'Private_Clean', 'Private_Dirty'),
                'Anonymous': kibibytes(foster, 'Anonymous'),
                'cpu': int(read(f'/proc/{foster}/schedstat').split()[0]) / 1e9,
                'switches': int(status['voluntary_ctxt_switches']), 'time': self.now()}

    def tick(self):
        """Beside foster: how late is a process that wants to run now?"""
        with open(self.path('ticks'), 'wb', 0) as file:
            while True:
                due = self.now() + TICK
                time.sleep(TICK)
                late = self.now() - due
                if late > 0.001:
                    file.write(struct.pack('dd', due, late))

    def records(self):
        data = read(self.path('records'))
        whole = len(data) // RECORD.size * RECORD.size
        return [(*each[:5], each[5] / 1e9, each[6] / 1e9) for each in RECORD.iter_unpack(data[:whole])]

    def young_zombies(self):
        return any(last == self.alive[-1][0] for _, last, _ in self.zombies.values())
