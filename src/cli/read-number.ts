import { RackError } from '../domain/error.ts'
import { parseBytes } from '../lib/sizes.ts'

/** The value of an option, if it was given. @throws usage */
export function readNumber(text: string | undefined, flag: string): number | undefined {
  if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new RackError('usage', `${flag}: "${text}" is not a whole number`)
}

/** A port, or null for `none`. @throws usage */
export function readHttpsPort(text: string | undefined): number | null | undefined {
  return text === 'none' ? null : readNumber(text, '--https-port')
}

/** Bytes, of `512m` or `4g`. @throws usage */
export function readSize(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const size = parseBytes(text)
  if (size !== null) return size
  throw new RackError('usage', `${flag}: "${text}" is not a size`, { hint: 'Such as 512m or 4g.' })
}
