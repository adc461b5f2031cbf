import { RackError } from '../../domain/error.ts'

/** What a caller sees of work that its own signal ended; what has become of it only that work knows. */
export function cancelled(signal: AbortSignal, message = 'cancelled'): RackError {
  if (signal.reason instanceof RackError) return signal.reason
  return new RackError('cancelled', message, { cause: signal.reason })
}
