const blockBytes = 512
const largestOctalSize = 0o77777777777
const largestOctalId = 0o7777777

/** What a tar says of one entry before its content. */
export interface TarHead {
  /** With `/`; a directory's needs none at its end. */
  name: string
  type: 'file' | 'directory' | 'symlink'
  /** Permission bits. */
  mode: number
  /** Of a file; the content must be as long. */
  size: number
  modified: Date
  /** Where a symlink points. */
  linkname?: string
  /** The owner, by number; root when absent. */
  uid?: number
  gid?: number
}

/** The bytes before an entry's content (ustar; pax where a name or number does not fit). */
export function tarHead(head: TarHead): Buffer {
  const name = head.type === 'directory' && !head.name.endsWith('/') ? `${head.name}/` : head.name
  const linkname = head.linkname ?? ''
  const records: [string, string][] = []
  if (!fits(name)) records.push(['path', name])
  if (!fits(linkname)) records.push(['linkpath', linkname])
  if (head.size > largestOctalSize) records.push(['size', String(head.size)])
  for (const key of ['uid', 'gid'] as const) {
    const id = head[key] ?? 0
    if (id > largestOctalId) records.push([key, String(id)])
  }
  const main = block({ ...head, name, linkname }, { file: '0', symlink: '2', directory: '5' }[head.type])
  if (records.length === 0) return main
  const content = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)))
  const pax = { ...head, name: 'PaxHeader', linkname: '', mode: 0o644, size: content.length }
  return Buffer.concat([block(pax, 'x'), content, tarPadding(content.length), main])
}

/** Zeros that fill the last block of content of that length. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}

/** Two empty blocks. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes)
}

/** Names in the header are plain ASCII here: what else they are, readers do not agree on. */
function fits(name: string): boolean {
  return name.length <= 100 && /^[\x20-\x7e]*$/.test(name)
}

function block(head: TarHead & { linkname: string }, typeflag: string): Buffer {
  const bytes = Buffer.alloc(blockBytes)
  const seconds = Math.min(Math.max(0, Math.floor(head.modified.getTime() / 1000)), largestOctalSize)
  bytes.write(fits(head.name) ? head.name : 'LongName', 0, 100)
  bytes.write(octal(head.mode & 0o7777, 7), 100)
  for (const [id = 0, at] of [
    [head.uid, 108],
    [head.gid, 116],
  ] as const) {
    bytes.write(octal(id > largestOctalId ? 0 : id, 7), at)
  }
  bytes.write(octal(head.size > largestOctalSize ? 0 : head.size, 11), 124)
  bytes.write(octal(seconds, 11), 136)
  bytes.fill(' ', 148, 156)
  bytes.write(typeflag, 156)
  bytes.write(fits(head.linkname) ? head.linkname : 'LongLink', 157, 100)
  bytes.write('ustar\u000000', 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${octal(sum, 6)}\0 `, 148)
  return bytes
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  const restBytes = Buffer.byteLength(rest)
  let length = restBytes + String(restBytes).length
  if (String(length).length > String(restBytes).length) length = restBytes + String(length).length
  return Buffer.from(`${length}${rest}`)
}
