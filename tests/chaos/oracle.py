"""What must hold of each round. A failure is a line that says what was expected and what was found."""
import bisect
import json
import math
import os
import re

from scenario import STOPS

LIMIT = 0.1  # seconds
REAL_TIME = 32  # from here on the kernel queues each signal
SI_USER, SI_QUEUE = 0, -1
# KiB. What foster does for the first time brings a part of the program into memory, at most all of it.
PROGRAM, MAX_ANONYMOUS = 64, 20


def late(it, start, end):
    """How many seconds foster was kept from working by others in that time: it was stopped, it waited for a CPU, or the
    ticker beside it was late."""
    total = sum(max(0, min(end, to) - max(start, since)) for since, to in it.frozen)
    total += sum(max(0, min(end, due + by) - max(start, due)) for due, by in it.ticks)
    first = last = it.foster_waits[0][1] if it.foster_waits else 0
    for at, waited in it.foster_waits:
        first = waited if at <= start else first
        last = waited
        if at > end + 0.03:
            break
    return total + last - first


def kill_time(it):
    """When the stop timeout is over."""
    scenario = it.scenario
    if not scenario.stop_timeout or scenario.kind != 'run':
        return math.inf
    requests = [send[0] + delay_of(scenario, send[2]) for send in it.sent if scenario.asks_to_stop(send[2])]
    return min(requests, default=math.inf) + scenario.stop_timeout


def delay_of(scenario, number):
    return scenario.delays.get(number, 0) / 1000


class Signals:
    """The signals that were sent beside those that the child has recorded."""

    def __init__(self, it):
        self.it, self.scenario = it, it.scenario
        self.failures = []
        self.worst = 0.0
        self.gone = min(it.child_gone or math.inf, it.ordered or math.inf, kill_time(it))
        records = [record for record in it.records() if record[1] <= 0 and record[5] <= self.gone]
        self.by_signal = {}
        self.waited = [(0.0, 0.0)]  # (time, how long the child has waited so far)
        for record in records:
            self.by_signal.setdefault(record[0], []).append(record)
            self.waited.append(record[5:7])
        self.sends = {}
        for send in it.sent:
            self.sends.setdefault(self.scenario.target(send[2]), []).append(send)
        for target in sorted({*self.sends, *self.by_signal} - {17}):
            self.check(target, self.sends.get(target, []), self.by_signal.get(target, []))

    def fail(self, text):
        self.failures.append(text)

    def is_due(self, send):
        """Whether it must have come before the child ended."""
        end = send[1] + delay_of(self.scenario, send[2])
        return end + LIMIT + late(self.it, send[0], end + LIMIT) < self.gone

    def is_discarded(self, send):
        """SIGCONT discards stops that are pending, and a stop SIGCONT, in foster and in its child, signal(7)."""
        stops = STOPS | {19}

        def kinds(number):
            return {number, self.scenario.target(number)}
        mine = kinds(send[2])
        others = stops if 18 in mine else {18} if mine & stops else set()
        reach = 0.5 + max(self.scenario.delays.values(), default=0) / 1000
        near = [other for other in self.it.sent if abs(other[0] - send[0]) < reach and kinds(other[2]) & others]
        return bool(near) or (18 in mine and any(abs(since - send[0]) < reach for since, _ in self.it.frozen))

    def check(self, target, sends, records):
        if target == 0:
            return
        if len(records) > len(sends):
            self.fail(f'signal {target}: {len(sends)} were sent, {len(records)} have come, the last ones (code, sender, '
                      f'user, value, time): {[record[1:6] for record in records[-3:]]}')
        sources = {send[2] for send in sends}
        if target >= REAL_TIME and len(sources) == 1 and min(sources) >= REAL_TIME:
            self.check_queue(target, sends, records)
        else:
            for send in sends:
                if 17 not in (send[2], target) and self.is_due(send) and not self.is_discarded(send):
                    self.check_one(target, send, records)
        self.check_values(target, sends, records)
        if all(source in self.scenario.delays for source in sources):
            for record in records:
                if not any(send[0] + delay_of(self.scenario, send[2]) <= record[5] + 0.001 for send in sends):
                    self.fail(f'signal {target}: came before its delay was over')

    def check_time(self, target, send, record):
        due = send[1] + delay_of(self.scenario, send[2])
        waited = self.waited[bisect.bisect(self.waited, (send[0],)) - 1][1]
        took = record[5] - due - late(self.it, send[0], record[5]) - (record[6] - waited)
        self.worst = max(self.worst, took)
        if took > LIMIT:
            self.fail(f'signal {send[2]} as {target}: expected within {LIMIT * 1000:.0f} ms, came after '
                      f'{(record[5] - due) * 1000:.0f} ms, of which {took * 1000:.0f} ms are foster\'s')

    def check_one(self, target, send, records):
        """One that is not queued: one must have come after it, for it or for one before it that was pending."""
        record = next((record for record in records if record[5] >= send[0]), None)
        if record is None:
            self.fail(f'signal {send[2]} as {target}, value {send[3]}: sent, and has not come')
        else:
            self.check_time(target, send, record)

    def check_queue(self, target, sends, records):
        """Each must have come, in order."""
        due = [send for send in sends if self.is_due(send)]
        if len(records) < len(due):
            self.fail(f'signal {target}: {len(due)} were sent, {len(records)} have come')
            return
        for send, record in zip(sends, records):
            expected = (SI_USER, None) if send[3] is None or self.scenario.group else (SI_QUEUE, send[3])
            found = (record[1], None if record[1] == SI_USER else record[4])
            if expected != found:
                self.fail(f'signal {target}: expected {expected}, came {found} (code, value)')
                return
            self.check_time(target, send, record)

    def check_values(self, target, sends, records):
        """Nothing comes with a value or a sender that was not sent so. What has a value comes once."""
        values = {send[3] for send in sends if send[3] is not None and not self.scenario.group}
        seen = set()
        for _, code, sender, user, value, *_ in records:
            if code == SI_QUEUE:
                if value not in values or value in seen or user != 0 or sender != (self.scenario.mode != 'pid1'):
                    self.fail(f'signal {target}: came with value {value} of pid {sender}, uid {user}')
                seen.add(value)
        if len(sends) == len(records) == 1 and values - seen:
            self.fail(f'signal {target}: came without its value {values}')


def missing_signals(it):
    return Signals(it).failures if it.scenario.kind == 'run' else []


def check_exit(it):
    scenario = it.scenario
    if it.status is None:
        yield f'foster has not exited, {it.alive[-1][2]} processes of the tree are alive'
        return
    if it.status < 0 and kill_time(it) <= it.ended:
        return
    found = (None, os.WTERMSIG(it.status)) if os.WIFSIGNALED(it.status) else (os.WEXITSTATUS(it.status), None)
    how, number = scenario.end
    expected = []
    kill_at = kill_time(it)
    if it.ordered and kill_at + LIMIT + late(it, kill_at, it.ordered) > it.ordered:
        number = scenario.target(number) if how == 'd' else number
        expected.append((None, 9) if how == 'K' else scenario.exit_code(how, number))
        if how == 'K' and it.scenario.mode == 'pid1':
            expected.append((1, None))  # of unshare, as `unshare: sigprocmask unblock failed`
    if kill_at <= it.ended:
        expected.append(scenario.exit_code('k', 9))
    if found not in expected:
        yield f'exit status, signal: expected one of {expected}, found {found}'
    if it.ordered and how != 'K':
        yield from check_end_time(it)


def check_end_time(it):
    scenario = it.scenario
    start = until = it.child_gone or it.ordered
    asked = scenario.kind == 'pause' or any(scenario.asks_to_stop(number) for _, _, number, _ in it.sent)
    if scenario.wait_all and (scenario.grace is None or not asked):
        until = next((to for _, to, alive in it.alive if to > start and not alive), it.ended)
    elif scenario.grace is not None:
        until += scenario.grace
    took = it.gone_at - until - late(it, start, it.ended)
    if took > LIMIT:
        yield f'foster has exited {took * 1000:.0f} ms too late'
    if (scenario.wait_all or scenario.grace is not None) and it.left and not scenario.tree_before:
        yield f'{it.left} remaining processes are alive'


def check_zombies(it):
    for (pid, _), (first, last, name) in it.zombies.items():
        if last > (it.ordered or it.ended):
            continue
        age = last - first - late(it, first, last)
        if name == b'foster\n':
            # A helper that has written a message to a file. Known: if there were many, it is reaped up to 1 s later.
            if age > LIMIT:
                it.known.append(f'a helper of foster was a zombie for {age * 1000:.0f} ms')
            if age < LIMIT + 1:
                continue
        it.oldest_zombie = max(it.oldest_zombie, age)
        if age > LIMIT:
            yield f'zombie {pid} {name} of foster: expected at most 100 ms, it was there for {age * 1000:.0f} ms'


def check_resources(it):
    before, after = it.before, it.after
    if not after:
        return
    if before['fds'] != after['fds']:
        yield f'descriptors: first {before["fds"]}, then {after["fds"]}'
    work = len(it.sent) + forks(it)
    span = after['time'] - before['time']
    cpu = after['cpu'] - before['cpu']
    switches = after['switches'] - before['switches']
    scans = span / max(0.01, it.scenario.zombie_age / 2) if it.scenario.zombies else 0
    if cpu > 0.01 + 100e-6 * work + 0.03 * span + 0.0005 * scans:
        yield f'foster has used {cpu * 1000:.0f} ms of CPU for {work} signals and processes in {span:.1f} s'
    if switches > 40 + 1.5 * work + 20 * span + 3 * scans + 3 * it.errors.count(b'\n'):
        yield f'foster has woken {switches} times for {work} signals and processes'
    growth = {key: after[key] - before[key] for key in ('Rss', 'Private', 'Anonymous')}
    most = MAX_ANONYMOUS + (16 if it.scenario.zombies else 0)  # its tables
    if it.scenario.level >= 2 or it.scenario.log_file:
        if growth['Anonymous'] > most:
            it.known.append('memory with -v or --termination-log')
        most += 40
    if growth['Anonymous'] > most or max(growth.values()) > PROGRAM + most + MAX_ANONYMOUS:
        yield f'memory has grown by {growth} KiB'


def forks(it):
    try:
        with open(it.path('shared'), 'rb') as file:
            return int.from_bytes(file.read(8), 'little')
    except OSError:
        return 0


def check_child(it):
    scenario = it.scenario
    if scenario.kind != 'run':
        return
    with open(it.path('ready'), encoding='utf-8') as file:
        found = dict(line.rstrip('\n').split('=', 1) for line in file)
    expected = {'env': scenario.environment or '', 'options': '', 'mask': f'{scenario.mask:x}',
                'uid': str(scenario.user or scenario.owner),
                'leads_group': str(int(scenario.own_group != '--same-group')),
                'leads_session': str(int(scenario.own_group == '--setsid'))}
    if scenario.directory:
        expected['cwd'] = scenario.directory
    for key, value in expected.items():
        if found[key] != value:
            yield f'the child\'s {key}: expected {value}, found {found[key]}'


def check_messages(it):
    scenario = it.scenario
    lines = [line for line in it.errors.split(b'\n') if not line.startswith(b'unshare: ')]
    if lines.pop() != b'':
        yield 'the last message has no end of line'
    lost = reaped = 0
    for line in lines:
        try:
            text = json.loads(line.decode())['message'] if scenario.json else line.decode('latin-1')
        except (ValueError, KeyError):
            yield f'message is no JSON: {line}'
            continue
        if not scenario.json and not text.startswith('foster: '):
            yield f'message is not foster\'s: {line}'
        warns = b'"warning"' in line if scenario.json else 'warning: ' in text
        if warns and re.match('(foster: warning: )?cannot (?!reap)', text):
            yield f'warning: {text}'
        if found := re.search(r'(\d+) messages? found no room', text):
            lost += int(found[1])
        reaped += bool(re.search(r'reaped orphan', text))
    if scenario.level == 0 and lines:
        yield f'messages in spite of -q: {lines[:3]}'
    if not scenario.log_file or it.status is None or scenario.end[0] == 'K' or scenario.kind != 'run':
        return
    with open(it.path(scenario.log_file), encoding='utf-8') as file:
        log = file.read()
    yield from check_log(it, log)
    shows = scenario.level >= 2 or (scenario.level == 1 and scenario.warns_reaped)
    if shows and scenario.standard_error != 'null' and it.is_read:
        counts = re.search(r'orphans reaped: (\d+); leftovers ended: (\d+)', log)
        orphans, leftovers = (int(counts[1]), int(counts[2])) if counts else (-1, 0)
        # Of the leftovers' messages the last ones may be lost in a full pipe, for which foster does not wait at its
        # end.
        if not reaped <= orphans + leftovers or not orphans <= reaped + lost:
            yield f'{orphans} orphans and {leftovers} leftovers were reaped, {reaped} messages say so, {lost} are counted as lost'


def check_log(it, log):
    how, number = it.scenario.end
    number = it.scenario.target(number) if how == 'd' else number
    line = json.loads(log)['message'] if it.scenario.json else log
    exited = re.search(r'recorder\[\d+\] exited with (\d+) after', line)
    if kill_time(it) > it.ended and (not re.search(r'was killed by SIG|was killed by 3', line) if how != 'x' else
                                     not exited or int(exited[1]) != number):
        yield f'termination log: expected {how} {number}, found {log}'


def judge(it):
    """(failures, known faults, figures)"""
    it.oldest_zombie = 0.0
    it.ended = getattr(it, 'ended', it.now())
    signals = Signals(it) if it.scenario.kind == 'run' else None
    failures = list(signals.failures) if signals else []
    it.known = []
    if it.scenario.queue_limit and failures:
        it.known, failures = ['full signal queue of the child: ' + failures[0]], []
    for check in (check_exit, check_zombies, check_resources, check_child, check_messages):
        failures += check(it)
    failures += [f'{who} was signalled: {what}' for who, what in it.signalled.items() if what]
    growth = it.after['Rss'] - it.before['Rss'] if it.after else 0
    anonymous = it.after['Anonymous'] - it.before['Anonymous'] if it.after else 0
    figures = {'signals': len(it.sent), 'forks': forks(it), 'oldest zombie': it.oldest_zombie,
               'slowest signal': signals.worst if signals else 0.0, 'growth': growth, 'anonymous': anonymous,
               'lateness': late(it, it.before['time'], it.ended) / (it.ended - it.before['time']),
               'cpu': it.after['cpu'] - it.before['cpu'] if it.after else 0,
               'switches': it.after['switches'] - it.before['switches'] if it.after else 0,
               'orphans': len(it.zombies), 'seconds': it.ended - it.before['time']}
    return failures, it.known, figures
