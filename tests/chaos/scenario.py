"""What one round of chaos is: all of it follows from its seed."""
import random
import signal

FIRST_REAL_TIME, LAST = 34, 64
STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
NEVER_CAUGHT = {9, 19}
# Those that do not kill a program that has not chosen what they do.
HARMLESS = {17, 18, 19, 20, 21, 22, 23, 28}
DEADLY = sorted(set(range(1, LAST + 1)) - HARMLESS)
CAUGHT = sorted(set(range(1, LAST + 1)) - NEVER_CAUGHT - {32, 33})
# What ends foster before it runs a command. Each has a round of its own, see oneshot().
ONE_SHOT = ('--help', '--version', '--license', '--list-zombies', '--reap-zombies', '--install', 'absent', 'no-program')


def name_of(number):
    """Names and numbers are the same to foster."""
    if number >= FIRST_REAL_TIME:
        return f'RTMIN+{number - FIRST_REAL_TIME}'
    return signal.Signals(number).name if number != 29 else 'SIGIO'


class Scenario:
    """Attributes: mode (pid1, subreaper), kind (run, pause, oneshot), options, and what these mean."""

    def __init__(self, seed):
        self.seed = seed
        self.r = r = random.Random(seed)
        self.mode = r.choice(('pid1', 'subreaper'))
        self.kind = r.choices(('run', 'pause', 'oneshot'), (90, 5, 5))[0]
        self.options = []
        self.rewrites, self.delays, self.remaps = {}, {}, {}
        self.group = self.wait_all = self.mirror = self.json = False
        self.stop_timeout = self.grace = self.tether = self.parent_death = None
        self.stop_signals = {signal.SIGTERM, signal.SIGINT}
        self.user = self.directory = self.environment = self.log_file = None
        self.zombies, self.zombie_age, self.level = None, 60.0, 1
        self.warns_reaped = False
        self.expected_code = 0
        if self.kind == 'oneshot':
            self.oneshot = r.choice(ONE_SHOT)
            return
        self.draw_options()
        r.shuffle(self.options)
        self.in_environment = r.randrange(len(self.options) + 1) if r.random() < 0.3 else 0
        self.rain_time = r.uniform(0.3, 0.9)
        self.pulse = r.choice((0, 180))
        self.rain_time += 0.5 if self.pulse else 0
        # Where remaining processes matter there are some at the end.
        self.tree_time = self.rain_time + (0.6 if self.wait_all or self.grace is not None else 0)
        self.standard_error = r.choices(('pipe', 'file', 'stuck', 'null'), (60, 20, 10, 10))[0]
        self.nap = r.choice((0, 0, 2000, 20000))  # microseconds
        self.queue_limit = r.choice((1, 3, 8)) if r.random() < 0.03 else 0
        self.waits = r.random() < 0.5
        self.forks = r.choice((0, 50, 300, 300, 800))
        self.owner = 1000 if r.random() < 0.15 and self.user is None else 0  # of foster itself
        # Blocked from the start, for the child: any but KILL, STOP and the two that the C library keeps for itself.
        self.mask = r.getrandbits(64) & ~(1 << 8 | 1 << 18 | 3 << 31) if r.random() < 0.2 else 0
        self.tree_before = self.kind == 'pause' or r.random() < 0.15
        self.freezes = r.random() < 0.15  # foster is stopped and continued
        if self.kind == 'pause':  # these would end it
            self.freezes = self.freezes and not self.asks_to_stop(signal.SIGCONT)
            if self.parent_death and self.asks_to_stop(self.parent_death):
                self.parent_death = None
        self.draw_rain()
        self.draw_end()

    def sometimes(self, chance, option):
        if self.r.random() < chance:
            self.options.append(option)
            return True
        return False

    def draw_options(self):
        r = self.r
        busy = r.choice((0.1, 0.3, 0.6))  # how many options
        self.own_group = r.choice(('', '', '--same-group', '--setsid'))
        if self.own_group and self.kind == 'run':
            self.options.append(self.own_group)
        if self.own_group != '--same-group':
            self.sometimes(busy / 2, '--no-terminal')
            self.group = self.sometimes(busy / 2, r.choice(('-g', '--group')))
        if not self.group:
            self.sometimes(busy / 2, r.choice(('-c', '--single-child')))
        if r.random() < busy:
            for source in r.sample(CAUGHT, r.randint(1, 4)):
                self.rewrites[source] = target = r.choice(CAUGHT + [0, 0, 0, 0])
                self.options.append(f'--rewrite={name_of(source)}:{name_of(target) if target else "none"}')
        if r.random() < busy:
            for source in r.sample(CAUGHT, r.randint(1, 8)):
                self.delays[source] = r.choice((0, 50, 200))
                self.options.append(f'--delay={name_of(source)}:{self.delays[source]}ms')
        self.sometimes(busy / 2, '--harden')
        if r.random() < busy / 2:
            self.parent_death = r.choice([each for each in CAUGHT if each not in (1, 17, 18)])
            self.options.append(f'--parent-death={name_of(self.parent_death)}')
        if r.random() < busy / 2:
            self.tether = r.choice((9, 9, 10, 15))
            self.options.append('--tether' if self.tether == 9 else f'--tether={self.tether}')
        if r.random() < busy / 2:
            self.stop_timeout = r.choice((0.2, 0.5, 60))
            self.options.append(f'--stop-timeout={int(self.stop_timeout * 1000)}ms')
        if r.random() < busy / 2:
            self.stop_signals.add(r.choice(CAUGHT))
            self.options += [f'--stop-signal={each}' for each in self.stop_signals - {2, 15}]
        if r.random() < busy:
            self.grace = r.choice((0, 0.1, 0.3))
            self.options.append(f'--grace={int(self.grace * 1000)}ms')
        self.wait_all = self.sometimes(busy / 2, '--wait-all')
        if r.random() < busy:
            for code in r.sample((0, 1, 2, 130, 137, 143, 255, *range(3, 130)), 12):
                self.remaps[code] = r.randrange(256)
                self.options.append(r.choice(('-e', '--remap-exit=')) + f'{code}:{self.remaps[code]}')
        self.mirror = self.sometimes(busy, '--mirror-signal')
        if r.random() < busy:
            self.log_file = 'termination-log'
            self.options.append('--termination-log=DIR/termination-log')
        if r.random() < busy:
            self.zombies = r.choice(('report', 'nudge', 'reap'))
            self.options.append(f'--zombies={self.zombies}')
            if r.random() < 0.9:
                self.zombie_age = r.choice((0.02, 0.1, 0.3))
                self.options.append(f'--zombie-age={int(self.zombie_age * 1000)}ms')
        levels = {'-v': 2, '--verbose': 2, '-vv': 3, '-q': 0, '--quiet': 0}
        if option := r.choice(('', '', *levels)):
            self.level = levels[option]
            self.options.append(option)
        self.warns_reaped = self.sometimes(busy / 2, r.choice(('-w', '--warn-reaped')))
        self.sometimes(busy / 2, f'--warn-pids={r.choice((1, 50, 100))}')
        if r.random() < busy:
            self.json = r.random() < 0.7
            self.options.append('--log=json' if self.json else '--log=text')
        self.sometimes(busy / 2, r.choice(('-s', '--subreaper')))
        if self.kind == 'pause':
            self.options.append(r.choice(('-P', '--pause')))
            return
        if r.random() < busy / 2:
            self.user = r.choice((1000, 65534))
            self.options.append(f'--user={self.user}' + r.choice(('', ':100')))
        if r.random() < busy / 2:
            self.directory = r.choice(('/', '/proc', '/tmp'))
            self.options.append(f'--chdir={self.directory}')
        if r.random() < busy / 2:
            self.environment = r.choice(('', 'a b', 'x=y', '\u2620'))
            self.options.append(f'--env=CHAOS={self.environment}')

    def draw_rain(self):
        """(time, signal, value): None for a signal that is sent by kill(2). No value comes twice."""
        r = self.r
        self.rain = []
        favourites = r.sample(CAUGHT + [32, 33], r.randint(1, 12))
        at, value = 0.0, 1000
        gap = r.choice((0.0005, 0.005, 0.03))
        most = 60 if self.delays else 400
        while at < self.rain_time and len(self.rain) < most:
            number = r.choice(favourites) if r.random() < 0.8 else r.choice(CAUGHT)
            for _ in range(r.randint(2, 20) if r.random() < 0.1 else 1):
                value += 1
                self.rain.append((at, number, value if r.random() < 0.5 else None))
            at += r.expovariate(1 / gap)
        if self.kind == 'pause':
            self.rain = [drop for drop in self.rain if not self.asks_to_stop(drop[1])]
        if self.delays:
            self.rain = self.rain[:60]  # of those that are delayed 64 can wait

    def asks_to_stop(self, number):
        target = self.target(number)
        return target != 0 and (number in self.stop_signals or target in self.stop_signals)

    def target(self, number):
        return self.rewrites.get(number, number)

    def draw_end(self):
        """end: (how, number): x exits, k dies by its own hand, d by a signal through foster; K foster is killed."""
        r = self.r
        if self.kind == 'pause':
            stops = [each for each in CAUGHT if self.asks_to_stop(each) and each not in self.delays]
            self.end = ('d', r.choice(stops)) if stops else ('K', 9)
            return
        self.end = r.choice((('x', r.choice((0, 1, 2, 143, r.randrange(256)))), ('k', r.choice(DEADLY))))
        undelayed = [each for each in CAUGHT if self.target(each) in DEADLY and each not in self.delays]
        if r.random() < 0.3 and undelayed:
            self.end = ('d', r.choice(undelayed))
        if self.tether and r.random() < 0.5:
            self.end = ('K', 9)

    def exit_code(self, how, number):
        """(exit code, signal) of foster for this end of its child."""
        if self.kind == 'pause':
            return 0, None
        code = number if how == 'x' else 128 + number
        mapped = self.remaps.get(code, code)
        if self.mirror and how != 'x' and mapped == code and self.mode != 'pid1':
            return None, number
        return mapped, None
