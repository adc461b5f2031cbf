import { crc32 } from 'node:zlib'
import { tarEnd, tarHead, tarPadding } from '../../lib/tar-blocks.ts'

/** What a layer holds at a path: absolute, without links on the way. */
export type LayerEntry = { path: string; mode: number; uid: number; gid: number } & (
  | { type: 'directory'; modified: Date }
  | { type: 'file'; content: Uint8Array }
  | { type: 'symlink'; target: string }
)

/** The same for whoever makes it, whenever. */
const always = new Date(0)

/** The tar of a layer. The same entries give the same bytes, whatever their order. */
export function layerTar(entries: LayerEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const { path, type, mode, uid, gid } = entry
    const content = type === 'file' ? entry.content : new Uint8Array()
    parts.push(
      tarHead({
        name: path.slice(1),
        type,
        mode,
        uid,
        gid,
        size: content.length,
        modified: type === 'directory' ? entry.modified : always,
        ...(type === 'symlink' && { linkname: entry.target }),
      }),
      Buffer.from(content),
      tarPadding(content.length),
    )
  }
  return Buffer.concat([...parts, tarEnd()])
}

/** The largest block of a stream that is not compressed. @see RFC 1951, 3.2.4 */
const blockBytes = 65_535

/** As gzip, not compressed: no version of a library gives other bytes. @see RFC 1952 */
export function storedGzip(content: Uint8Array): Buffer {
  const parts = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])]
  for (let at = 0; at < content.length || at === 0; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes)
    const head = Buffer.alloc(5)
    head[0] = at + blockBytes >= content.length ? 1 : 0
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(~block.length & 0xffff, 3)
    parts.push(head, Buffer.from(block))
  }
  const end = Buffer.alloc(8)
  end.writeUInt32LE(crc32(content), 0)
  end.writeUInt32LE(content.length % 2 ** 32, 4)
  return Buffer.concat([...parts, end])
}
