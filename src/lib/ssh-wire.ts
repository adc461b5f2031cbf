/** Strings with their length before them, as the protocols of SSH write and read them. @see RFC 4251, section 5 */
export function sshString(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as Uint8Array)
  return Buffer.concat([sshNumber(bytes.length), bytes])
}

/** A number of 32 bits. */
export function sshNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A number of any length that is not negative, from its bytes. */
export function sshInteger(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(first))
  const isHigh = digits.length > 0 && (digits[0]! & 0x80) !== 0
  return sshString(isHigh ? Buffer.concat([Buffer.alloc(1), digits]) : digits)
}

export interface SshReader {
  number(): number
  string(): Buffer
}

/** Reads one after the other. @throws RangeError when the bytes end before */
export function createSshReader(bytes: Buffer): SshReader {
  let at = 0
  const number = (): number => {
    const value = bytes.readUInt32BE(at)
    at += 4
    return value
  }
  return {
    number,
    string() {
      const length = number()
      if (at + length > bytes.length) throw new RangeError('the string is cut off')
      at += length
      return bytes.subarray(at - length, at)
    },
  }
}
