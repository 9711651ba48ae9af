// fluent-logger: HOST PORT COUNT. `safe N` is told of what was acknowledged. What was not is emitted again, by its event_id.
const fluent = require('fluent-logger');

const [host, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const quiet = { info: () => {}, error: () => {} };
const logger = fluent.createFluentSender('app', {
  host, port, requireAckResponse: true, ackResponseTimeout: 1000, reconnectInterval: 100, internalLogger: quiet,
});
logger.on('error', () => {});

function emit(number) {
  if (number === count) return logger.end(() => process.exit(0));
  const event = { action: 'view', path: `/datasets/${number}`, n: number, event_id: `node-${number}` };
  let told = false;
  logger.emit('view', event, (error) => {
    if (told) return;
    told = true;
    if (error) return setTimeout(() => emit(number), 50);
    console.log(`safe ${number}`);
    emit(number + 1);
  });
}
emit(0);
