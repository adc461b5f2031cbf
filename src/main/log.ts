import { pino, type Logger } from 'pino'

/** The daemon's log: one JSON object a line on standard output, which the installation sends to a file. */
export function createLog(): Logger {
  return pino({
    level: process.env.RACK_LOG_LEVEL ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', 'environment', 'password', 'authorization', '*.token', '*.environment', '*.password'],
    },
  })
}
