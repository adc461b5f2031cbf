import { RackError } from '../domain/error.ts'

/** What a call answers with, or null for what is not there. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (error instanceof RackError && error.code === 'not-found') return null
    throw error
  }
}
