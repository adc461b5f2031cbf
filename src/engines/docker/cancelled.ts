import { RackError } from '../../domain/error.ts'

/** What a caller sees of work that its own signal ended. */
export function cancelled(signal: AbortSignal, message = 'cancelled; what ran before still runs'): RackError {
  if (signal.reason instanceof RackError) return signal.reason
  return new RackError('cancelled', message, { cause: signal.reason })
}
