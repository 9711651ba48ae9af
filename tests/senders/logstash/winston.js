// Logs an event for each number on its input through winston-logstash.
// usage: node winston.js HOST PORT
const readline = require('readline');
const winston = require('winston');
const LogstashTransport = require('winston-logstash/lib/winston-logstash-latest');

const [host, port] = process.argv.slice(2);
const transport = new LogstashTransport({ host, port: Number(port), max_connect_retries: -1 });
transport.on('error', () => {});
const logger = winston.createLogger({ transports: [transport], format: winston.format.json() });

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    logger.info('event', { n: Number(line), path: '/datasets/trees' });
    console.log(`sent ${line}`);
  })
  .on('close', () => logger.end());
