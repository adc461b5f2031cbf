/**
 * Runs tasks side by side; the first that fails aborts the signal of the others. Settles only when every one has
 * settled, with all results or the first failure.
 */
export async function together<T>(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T[]> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const failures: unknown[] = []
  const results = await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        return await task(either)
      } catch (error) {
        failures.push(error)
        failed.abort(error)
        throw error
      }
    }),
  )
  if (failures.length > 0) throw failures[0]
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}
