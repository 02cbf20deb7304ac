"""The rules of the mutants: each takes a line of C++ and gives the lines that it may be replaced by."""
import re

SIGNALS = {"SIGKILL": "SIGTERM", "SIGTERM": "SIGINT", "SIGINT": "SIGTERM", "SIGQUIT": "SIGINT", "SIGCONT": "SIGTERM",
           "SIGCHLD": "SIGUSR1", "SIGTSTP": "SIGTTIN", "SIGTTIN": "SIGTTOU", "SIGTTOU": "SIGTTIN",
           "SIGSTOP": "SIGTSTP", "SIGPIPE": "SIGUSR1", "SIGXFSZ": "SIGUSR1", "SIGTRAP": "SIGSTOP", "SIGSYS": "SIGTRAP",
           "SI_USER": "SI_QUEUE", "SI_QUEUE": "SI_USER", "SI_KERNEL": "SI_USER"}
ERRORS = {"EPERM": "ESRCH", "ESRCH": "EPERM", "ECHILD": "EINTR", "EINTR": "ECHILD", "EAGAIN": "ENOMEM",
          "ENOMEM": "EAGAIN", "ENOENT": "EACCES", "EACCES": "ENOENT", "ENOSYS": "EPERM", "ELIBACC": "ENOENT",
          "ENOTDIR": "EACCES", "ENOEXEC": "EACCES", "ELOOP": "ENOENT", "ESPIPE": "EPERM", "EIO": "EAGAIN",
          "ERESTART": "EINTR"}
STATES = {"'S'": "'R'", "'Z'": "'X'", "'T'": "'t'", "'t'": "'T'", "'D'": "'S'"}
WORDS = {"true": "false", "false": "true", "nullptr": None, **SIGNALS, **ERRORS}
# clang-format puts spaces around operators, and none around the < and > of templates.
OPERATORS = {"&&": "||", "||": "&&", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-",
             "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+=", "&": "|", "|": "&", "<<": ">>",
             ">>": "<<"}
STATEMENT = re.compile(r"(?:\(void\))?[A-Za-z_*+-][\w:.\[\]*+>-]*(?:\(.*\)| [-+|&]?= .*|\+\+|--)?;$")


def blank(source):
    """The source with comments, and the texts in quotes, replaced by spaces: equally long, equal lines."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
    return token.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def closing(text, start):
    """Where the parenthesis that opens at start closes; -1: not in this line."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def negated_conditions(line, code):
    for found in re.finditer(r"\b(?:if|while) (?=\()", code):
        start, end = found.end(), closing(code, found.end())
        if end < 0 or re.match(r"!\w+\)", code[start + 1:]): # there dropped_negations does the same
            continue
        semicolon = code.rfind("; ", start, end)
        first = semicolon + 2 if semicolon > 0 else start + 1
        yield line[:first] + "!(" + line[first:end] + ")" + line[end:]


def chosen_alternatives(line, code):
    for found in re.finditer(r" \? ", code):
        yield line[:found.start()] + " && false" + line[found.start():]
        yield line[:found.start()] + " || true" + line[found.start():]


def dropped_statements(line, code):
    if STATEMENT.fullmatch(code.strip()) and not code.strip().startswith(("return", "break", "using", "namespace")):
        yield re.sub(r"\S.*", ";", line)
    if code.strip() in ("return;", "break;", "continue;"):
        yield re.sub(r"\S.*", ";", line)


def other_operators(line, code):
    for found in re.finditer(r"(?<= )(?:&&|\|\||<<|>>|<=|>=|==|!=|\+=|-=|[<>+*/%&|-])(?= |$)", code):
        yield line[:found.start()] + OPERATORS[found[0]] + line[found.end():]
    for found in re.finditer(r"\+\+|--", code):
        yield line[:found.start()] + {"++": "--", "--": "++"}[found[0]] + line[found.end():]


def other_constants(line, code):
    for found in re.finditer(r"(?<![\w.'])(?:0x[0-9a-f]+|[0-9][0-9']*)U?(?![\w.'])", code):
        number = int(found[0].rstrip("U").replace("'", ""), 0)
        # Off by one; a time or a limit, of which one more is no fault, by a factor of ten.
        for other in (number + 1, number - 1) if number <= 16 else (number * 10, number // 10):
            if other > 0 or number > 1:
                yield line[:found.start()] + str(other) + line[found.end():]
    for found in re.finditer(r"\b[A-Za-z_]+\b", code):
        if WORDS.get(found[0]):
            yield line[:found.start()] + WORDS[found[0]] + line[found.end():]
    for found in re.finditer(r"'[A-Z]'|'t'", line):
        if found[0] in STATES:
            yield line[:found.start()] + STATES[found[0]] + line[found.end():]


def dropped_negations(line, code):
    for found in re.finditer(r"!(?=[\w(:])", code):
        yield line[:found.start()] + line[found.end():]


def other_returns(line, code):
    found = re.fullmatch(r"( *return )(.+);", code.rstrip())
    if found and found[2] not in ("true", "false", "0", "1", "{}", "nullptr"):
        yield found[1] + "!(" + line[found.end(1):found.end(2)] + ");"
        yield found[1] + "{};"


RULES = (negated_conditions, chosen_alternatives, dropped_statements, other_operators, other_constants,
         dropped_negations, other_returns)


def mutants_of(source):
    """All (number of the line, its text, the text in its place), in the order of the lines, each once."""
    for number, (line, code) in enumerate(zip(source.split("\n"), blank(source).split("\n")), 1):
        if not code.strip() or code.lstrip().startswith(("#", "static_assert", "asm", "template", "namespace")):
            continue
        seen = {line}
        for rule in RULES:
            for other in rule(line, code):
                if other not in seen:
                    seen.add(other)
                    yield number, line, other
