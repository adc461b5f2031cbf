/** Writes a stream to another that stays open, as fast as that takes it. */
export async function pour(chunks: AsyncIterable<Uint8Array>, stdout: NodeJS.WriteStream): Promise<void> {
  for await (const chunk of chunks) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    stdout.write(chunk, (error) => (error ? reject(error) : resolve()))
    await promise
  }
}
