// neglect.js HOW: inherits zombies, of which libuv knows nothing, and lets a timer run for three seconds. Has a child
// of its own meanwhile, whose end it must be told.
//   timer: in the first thread's event loop
//   worker: in another thread's; the first thread burns CPU for a second
const { spawnSync, spawn } = require('child_process');
const { readFileSync, readdirSync } = require('fs');
const { Worker, isMainThread, parentPort } = require('worker_threads');

const TIME = 3000; // ms

function isOwnZombie(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' && Number(parent) === process.pid;
  } catch {
    return false; // it has gone
  }
}

function sleep(tell) {
  const start = Date.now();
  setTimeout(() => {
    const late = Date.now() - start - TIME;
    tell(late >= -1 && late < 900 ? 'in time' : `${late} ms late`);
  }, TIME);
}

function tell(how) {
  const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOwnZombie(name)).length;
  console.log(`child ${code}, timer ${how}, ${left} left`);
  process.exit();
}

let code;
if (!isMainThread) {
  sleep((how) => parentPort.postMessage(how));
} else {
  console.log('READY');
  if (process.argv[2] === 'timer') {
    spawn('sh', ['-c', 'exit 5']).on('exit', (status) => { code = status; });
    sleep(tell);
  } else {
    code = spawnSync('sh', ['-c', 'exit 5']).status;
    const end = Date.now() + 1000;
    new Worker(__filename).on('message', tell);
    while (Date.now() < end);
  }
}
