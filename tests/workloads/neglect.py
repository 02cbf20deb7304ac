# neglect.py COUNT HOW: workloads/neglect.cpp in Python, sleeping for three seconds.
#   asyncio: in its event loop, beside a task that reads from a pipe
#   thread: in two threads, the first one waits for the other
#   child: until a child of its own ends, which it does wait for
import asyncio
import os
import select
import subprocess
import sys
import threading
import time

SECONDS = 3


def count_left():
    count = 0
    try:
        while os.waitpid(-1, os.WNOHANG)[1] == 3 << 8:
            count += 1
    except ChildProcessError:
        pass
    return count


async def sleep_beside_a_reader():
    reader = asyncio.StreamReader()
    read_end, write_end = os.pipe()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end))
    reading = asyncio.create_task(reader.read(1))
    global start
    start = time.monotonic()
    await asyncio.sleep(SECONDS)
    os.write(write_end, b"!")
    return await reading


def sleep_in_thread():
    thread = threading.Thread(target=time.sleep, args=(SECONDS,))
    thread.start()
    thread.join()


WAYS = {
    "sleep": lambda: time.sleep(SECONDS),
    "select": lambda: select.select([], [], [], SECONDS),
    "poll": lambda: select.poll().poll(SECONDS * 1000),
    "asyncio": lambda: asyncio.run(sleep_beside_a_reader()),
    "thread": sleep_in_thread,
    "child": lambda: subprocess.run(["sh", "-c", f"sleep {SECONDS}; exit 5"]).returncode,
}

for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os._exit(3)
print("READY", flush=True)
start = time.monotonic()
result = WAYS[sys.argv[2]]()
late = time.monotonic() - start - SECONDS
print(result, "in time," if 0 <= late < 0.9 else f"{late} s late,", count_left(), "left")
