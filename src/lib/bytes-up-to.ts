/** All of a stream that is to be short; null where it is longer than `mostBytes`, of which no more is read then. */
export async function bytesUpTo(
  source: AsyncIterable<Uint8Array>,
  mostBytes: number,
): Promise<Buffer | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (length > mostBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
