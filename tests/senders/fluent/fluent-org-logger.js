// @fluent-org/logger: HOST PORT COUNT. `safe N` is told of what was acknowledged. What was not is emitted again, by its event_id.
const { FluentClient } = require('@fluent-org/logger');

const [host, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const logger = new FluentClient('app', {
  socket: { host, port, timeout: 2000, reconnect: { minDelay: 50, maxDelay: 200 } },
  ack: { ackTimeout: 2000 },
  milliseconds: true,
});

async function emit(number) {
  const event = { action: 'view', path: `/datasets/${number}`, n: number, event_id: `org-${number}` };
  for (;;) {
    try {
      await logger.emit('view', event);
      return console.log(`safe ${number}`);
    } catch {
      await new Promise((later) => setTimeout(later, 50));
    }
  }
}

async function all() {
  // Some at a time, so that a chunk holds several.
  for (let first = 0; first < count; first += 5) {
    await Promise.all(Array.from({ length: Math.min(5, count - first) }, (_, next) => emit(first + next)));
  }
  await logger.shutdown();
  process.exit(0);
}
all();
