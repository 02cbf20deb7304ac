"""One round: runs a scenario, in a PID namespace of which it is PID 1, and has the oracle judge it."""
import faulthandler
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import oracle
from scenario import Scenario
from watcher import ALL, LIBC, Watcher, pending, read, set_mask, stat_of, status_of


class Round(Watcher):
    def fork(self, run):
        pid = os.fork()
        if pid == 0:
            try:
                run()
            finally:
                os._exit(96)
        return pid

    def command(self):
        it = self.scenario
        options = [option.replace('DIR', self.dir, 1) for option in it.options]
        variable = [option for option in options[:it.in_environment] if ' ' not in option]
        options = [option for option in options if option not in variable]
        tree = [f'{self.programs}/tree', self.dir, str(it.seed % 2**63), str(int(it.tree_time * 1000)), str(it.forks),
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
        if it.owner:
            command = ['setpriv', f'--reuid={it.owner}', f'--regid={it.owner}', '--clear-groups', *command]
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
            set_mask(it.mask.to_bytes(8, sys.byteorder))
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

    def order_end(self):
        how, number = self.scenario.end
        self.watched_before_end()
        if not self.is_read:  # now there is room, which foster looks for at least once a second
            self.is_read = True
            self.watch(self.now() + 1.2)
        self.ordered = self.now()
        if how == 'K':
            os.kill(self.foster, signal.SIGKILL)
        elif self.scenario.kind == 'run':
            target = self.scenario.target(number) if how == 'd' else number
            control = os.open(self.path('control'), os.O_RDWR)  # does not wait for a reader
            os.write(control, f'{how} {target}\0'.encode())
            if how == 'd':
                bit = 1 << (target - 1)
                self.watch(self.now() + 5, lambda: not int(status_of(self.child).get('SigBlk', '0'), 16) & bit)
        if how == 'd':
            self.ordered = self.now()
            os.kill(self.foster, number)

    def watched_before_end(self):
        self.after = self.measure()
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
        try:
            if self.is_up():
                self.order_end()
        except (FileNotFoundError, ProcessLookupError):
            pass  # the stop timeout has ended foster meanwhile, or the oracle has something to say
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
        'no-program': ([place], 126, False), '--reap-zombies': (['--reap-zombies'], 0, False),
    }.get(scenario.oneshot, ([scenario.oneshot], 0, True))
    inner = ['unshare', '--pid', '--fork', '--mount-proc', '--'] if scenario.mode == 'pid1' else []
    done = subprocess.run([*inner, f'{programs}/foster', *words], capture_output=True, timeout=10, check=False)
    good = done.returncode == code and bool(done.stdout) >= output and bool(done.stderr) == (code != 0)
    return [] if good else [f'{words}: expected {code}, found {done}']


def main():
    faulthandler.dump_traceback_later(45, exit=True)
    seed, programs = int(sys.argv[1]), sys.argv[2]
    scenario = Scenario(seed)
    if scenario.kind == 'oneshot':
        failures, known, figures = run_oneshot(scenario, programs), [], {}
    else:
        it = Round(scenario, programs)
        try:
            it.run()
            failures, known, figures = oracle.judge(it)
        except Exception:  # pylint: disable=broad-except
            failures, known, figures = [traceback.format_exc()], [], {}
    print(repr({'seed': seed, 'what': f'{scenario.mode} {scenario.kind} {" ".join(scenario.options)}',
                'failures': failures, 'known': known, 'figures': figures}))


main()
