import { RackError } from '../domain/error.ts'

const mostBytes = 4 * 1024 * 1024

/** All of a short input as text. @throws too-large */
export async function readAll(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    if (bytes > mostBytes) throw new RackError('too-large', 'the input is larger than 4 MiB')
    chunks.push(piece)
  }
  return Buffer.concat(chunks).toString('utf8')
}
