/**
 * The prefix names the noun: a build, a release, a process, an operation, a version of a service's address, a backup, a
 * certificate, a share.
 */
export type IdPrefix = 'B' | 'R' | 'P' | 'O' | 'V' | 'K' | 'C' | 'S'

export const idPattern = /^[BRPOVKCS][A-Z]{10}$/

/**
 * Makes an id of a prefix and ten capitals.
 * @param randomBytes fresh random bytes; at least 16, more than 10 because uneven ones are passed over
 */
export function makeId(prefix: IdPrefix, randomBytes: (count: number) => Uint8Array): string {
  let letters = ''
  while (letters.length < 10) {
    for (const byte of randomBytes(16)) {
      // 234 is the largest multiple of 26 in a byte: above it some letters would come more often.
      if (byte < 234 && letters.length < 10) letters += String.fromCharCode(65 + (byte % 26))
    }
  }
  return prefix + letters
}
