import { codeOf } from '../../domain/error.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import type { KeptText } from '../store-keys.ts'
import { isSameCode, type AuditCodes, type Place } from './chain.ts'

/** Says of the audit what somebody should look after. */
export type Warn = (message: string, facts: Record<string, unknown>) => void

/** How far the audit has come, outside of the database: a tail that is cut off there is missed. */
export interface HeadFile {
  /** Null when there is none; `isOurs` is false for one that was not sealed with our key. */
  read(): Promise<ToldPlace | null>
  /** As far as the file is known to say; 0 before it is known. */
  furthest(): Place
  /**
   * To be told of where the database goes on from. Where that is not where it was, the file stays as it is from now on,
   * as the proof, and it is said.
   */
  goesOn(from: Place): void
  /** The same of what is found wrong when the store is opened. */
  freeze(why: string): void
  /**
   * Keeps the furthest; never rejects. One that cannot be written is said, and written with the next: until then the
   * database is ahead, which is no fault.
   */
  write(place: Place): Promise<void>
}

export type ToldPlace = Place & { isOurs: boolean }

export function createHeadFile(file: KeptText, codes: AuditCodes, warn: Warn): HeadFile {
  const turns = createSemaphore(1)
  /** The furthest that is to be written, and that which is. */
  let wanted = 0
  let written: Place = { no: 0, mac: '' }
  let isFrozen = false
  const freeze = (why: string) => {
    if (!isFrozen) warn('the audit is not as it was written; see it with: rack audit verify', { why })
    isFrozen = true
  }
  return {
    async read() {
      const text = await file.read()
      if (text === null) return null
      const [no, mac = '', seal = ''] = text.trim().split(' ')
      const place = { no: Number(no), mac }
      const isOurs = isSameCode(codes.seal('head', place), seal)
      if (isOurs && place.no > written.no) written = place
      return { ...place, isOurs }
    },
    furthest: () => written,
    goesOn(from) {
      if (from.no > written.no || (from.no === written.no && isSameCode(from.mac, written.mac))) return
      freeze(`it goes on from ${from.no}, and had come to ${written.no}`)
    },
    freeze,
    async write(place) {
      wanted = Math.max(wanted, place.no)
      await turns.run(async () => {
        if (isFrozen || place.no < wanted) return
        try {
          await file.write(`${place.no} ${place.mac} ${codes.seal('head', place)}\n`)
          written = place
        } catch (error) {
          warn('how far the audit has come is not written down', { code: codeOf(error) })
        }
      })
    },
  }
}
