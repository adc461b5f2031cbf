import { pino, type Logger, type LoggerOptions } from 'pino'

/** Lines beyond this are dropped while the log cannot be written. */
const longestBacklogBytes = 1024 * 1024

/** The daemon's log: one JSON object a line on standard output, which the installation sends to a file. */
export function createLog(): Logger {
  const destination = pino.destination({ dest: 1, maxLength: longestBacklogBytes })
  // A disk that is full must not end the daemon: what it does not take is tried again with the next line.
  destination.on('error', () => undefined)
  const options: LoggerOptions = {
    level: process.env.RACK_LOG_LEVEL ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', 'environment', 'password', 'authorization', '*.token', '*.environment', '*.password'],
    },
  }
  return pino(options, destination)
}
