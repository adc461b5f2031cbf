/** The wire form of DNS (RFC 1035), as far as the fake account speaks it. */

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, AAAA: 28 } as const
export const codes = { ok: 0, malformed: 1, failed: 2, noName: 3, unknown: 4, refused: 5 } as const

export interface Question {
  /** In lower case, with its dot. */
  name: string
  type: number
}

export interface Query {
  id: number
  opcode: number
  wantsRecursion: boolean
  /** Null where it asks about anything but one name of the Internet. */
  question: Question | null
  /** As it was asked, to be said again. */
  questionBytes: Buffer
  /** What the asker takes in one datagram. */
  mostBytes: number
}

export interface DnsRecord {
  name: string
  type: keyof typeof types
  ttl: number
  value: string
}

export interface Reply {
  code: number
  answers: DnsRecord[]
  authority: DnsRecord[]
}

const optType = 41

/** Reads a query; null for what is none. */
export function readQuery(message: Buffer): Query | null {
  try {
    if (message.length < 12 || (message.readUInt8(2) & 0x80) !== 0) return null
    const { name, end } = readName(message, 12)
    const flags = message.readUInt16BE(2)
    const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at))
    const isPlain =
      questions === 1 && answers === 0 && authorities === 0 && message.readUInt16BE(end + 2) === 1
    return {
      id: message.readUInt16BE(0),
      opcode: (flags >> 11) & 15,
      wantsRecursion: (flags & 0x0100) !== 0,
      question: isPlain ? { name, type: message.readUInt16BE(end) } : null,
      questionBytes: message.subarray(12, end + 4),
      mostBytes: additional === 0 ? 512 : sizeOf(message, end + 4),
    }
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    // A question is the first name of its message: there is nothing that it could point to.
    if (length > 63 || at + 1 + length > message.length) throw new RangeError('no label')
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: `${labels.join('.').toLowerCase()}.`, end: at + 1 }
}

/** EDNS (RFC 6891): its record says the size in the place of a class. */
function sizeOf(message: Buffer, at: number): number {
  const isOpt = message.readUInt8(at) === 0 && message.readUInt16BE(at + 1) === optType
  return isOpt ? Math.max(512, message.readUInt16BE(at + 3)) : 512
}

/** Writes an answer; one that is too long is cut short, and says so. */
export function writeReply(query: Query, reply: Reply, mostBytes: number): Buffer {
  const names = new Map<string, number>()
  const parts = [header(query, reply, false), query.questionBytes]
  let length = 12 + query.questionBytes.length
  if (query.question) remember(names, query.question.name, 12)
  for (const record of [...reply.answers, ...reply.authority]) {
    const bytes = recordBytes(record, names, length)
    parts.push(bytes)
    length += bytes.length
  }
  if (length <= mostBytes) return Buffer.concat(parts)
  return Buffer.concat([header(query, { ...reply, answers: [], authority: [] }, true), query.questionBytes])
}

function header({ id, opcode, wantsRecursion, question }: Query, reply: Reply, isCut: boolean): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(id, 0)
  const flags =
    0x8000 | (opcode << 11) | (isCut ? 0x0200 : 0) | (wantsRecursion ? 0x0100 : 0) | 0x0080 | reply.code
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt16BE(question ? 1 : 0, 4)
  bytes.writeUInt16BE(reply.answers.length, 6)
  bytes.writeUInt16BE(reply.authority.length, 8)
  return bytes
}

function recordBytes({ name, type, ttl, value }: DnsRecord, names: Map<string, number>, at: number): Buffer {
  const own = nameBytes(name, names, at)
  const middle = Buffer.alloc(10)
  const data = dataBytes(type, value, (host, before) => nameBytes(host, names, at + own.length + 10 + before))
  middle.writeUInt16BE(types[type], 0)
  middle.writeUInt16BE(1, 2)
  middle.writeUInt32BE(ttl, 4)
  middle.writeUInt16BE(data.length, 8)
  return Buffer.concat([own, middle, data])
}

function dataBytes(
  type: keyof typeof types,
  value: string,
  name: (host: string, before: number) => Buffer,
): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number))
  if (type !== 'SOA') return name(value, 0)
  const [server = '', person = '', ...numbers] = value.split(' ')
  const first = name(server, 0)
  const second = name(person, first.length)
  const rest = Buffer.alloc(20)
  for (const [at, number] of numbers.entries()) rest.writeUInt32BE(Number(number), at * 4)
  return Buffer.concat([first, second, rest])
}

/** Ends of names that stand in the message already are pointed to. */
function nameBytes(name: string, names: Map<string, number>, at: number): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const parts: Buffer[] = []
  let length = 0
  for (let first = 0; first < labels.length; first++) {
    const known = names.get(`${labels.slice(first).join('.')}.`)
    if (known !== undefined) {
      remember(names, labels.slice(0, first).join('.'), at, labels.slice(first).join('.'))
      return Buffer.concat([...parts, Buffer.from([0xc0 | (known >> 8), known & 255])])
    }
    parts.push(Buffer.from([labels[first]!.length]), Buffer.from(labels[first]!, 'latin1'))
    length += 1 + labels[first]!.length
  }
  remember(names, name, at)
  return Buffer.concat([...parts, Buffer.from([0])], length + 1)
}

/** Notes where a name and each of its ends stand. */
function remember(names: Map<string, number>, name: string, at: number, rest = ''): void {
  const labels = name.split('.').filter((label) => label !== '')
  let place = at
  for (let first = 0; first < labels.length; first++) {
    const end = `${[...labels.slice(first), ...(rest === '' ? [] : [rest])].join('.')}.`
    if (!names.has(end) && place < 0x4000) names.set(end, place)
    place += 1 + labels[first]!.length
  }
}
