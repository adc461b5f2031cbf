import type { Timer } from '../../../domain/timer.ts'
import { cronFields, readField, type Fault, type FieldReading } from './cron-fields.ts'

export interface TimerReading {
  /** Null exactly when there is a fault. */
  timer: Pick<Timer, 'schedule' | 'command'> | null
  faults: Fault[]
  /** What a person may have meant otherwise. */
  notes: Fault[]
}

const longestDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads `<minute> <hour> <day> <month> <weekday> <command>`: standard cron, or the dialect of AWS, known by its `?`. */
export function readTimer(text: string): TimerReading {
  const words = text.trim().split(/\s+/, 6)
  const shape = shapeFault(words)
  if (shape) return { timer: null, faults: [shape], notes: [] }
  const isAws = words[2] === '?' || words[4] === '?'
  const readings = cronFields.map((field, index) => readField(words[index] ?? '', field, isAws))
  const faults = readings.filter((reading) => 'part' in reading)
  const fields = readings.filter((reading) => 'notes' in reading)
  const notes = fields.flatMap((field) => field.notes)
  if (faults.length > 0) return { timer: null, faults, notes }
  if (!everFires(fields)) {
    const part = `${words[2]} ${words[3]}`
    const hint = 'no such month has such a day; write L for the last day of a month'
    return { timer: null, faults: [{ part, message: 'never comes', hint }], notes }
  }
  const command = text.trim().replace(/^(?:\S+\s+){5}/, '')
  const schedule = fields.map((field, index) => fieldText(field, index < 2)).join(' ')
  return { timer: { schedule, command }, faults, notes }
}

function shapeFault(words: string[]): Fault | null {
  const [first = '', , , , , sixth] = words
  const hint = 'write five fields (minute, hour, day, month, weekday), then the command'
  if (first.startsWith('@'))
    return { part: first, message: 'is not read', hint: `${hint}: 0 0 * * * bin/daily` }
  if (sixth === undefined) {
    const count = first === '' ? 0 : words.length
    const message = count === 5 ? 'names no command' : `has ${count} ${count === 1 ? 'word' : 'words'}`
    return { part: words.join(' '), message, hint }
  }
  const isSixthField = /^[\d*?,/#-]+$/.test(sixth)
  return isSixthField ? { part: sixth, message: 'is a sixth field, where the command begins', hint } : null
}

/** A weekday comes in every month; a day of the month need not: 30 February. */
function everFires([, , days, months, weekdays]: FieldReading[]): boolean {
  if (!days || !months || !weekdays || days.isAny || !weekdays.isAny) return true
  if (days.specials.some((special) => special.startsWith('L'))) return true
  const weekdayNearest = days.specials.map((special) => Number.parseInt(special, 10))
  const first = Math.min(...days.numbers, ...weekdayNearest)
  return longestDays.some(
    (last, index) => (months.isAny || months.numbers.includes(index + 1)) && first <= last,
  )
}

/** @param isOfDay for minutes and hours: there a step is told from a list, which names fixed times */
function fieldText({ isAny, every, numbers, specials }: FieldReading, isOfDay: boolean): string {
  if (isAny) return '*'
  return isOfDay && every !== null ? `*/${every}` : [...numbers, ...specials].join(',')
}

/** Whether the system knows a time zone by this name; differences to UTC are no names. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,60}$/.test(name)) return false
  const known = knownZones.get(name)
  if (known !== undefined) return known
  const isKnown = isZoneOfSystem(name)
  if (knownZones.size < mostZones) knownZones.set(name, isKnown)
  return isKnown
}

/** The system takes a while to say, and files name the same zone again and again. */
const knownZones = new Map<string, boolean>()
const mostZones = 1000

function isZoneOfSystem(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

let allZones: string[] = []

/** Names that a misspelt time zone may have meant. */
export function timezonesLike(name: string): string[] {
  const start = name.slice(0, 2).toLowerCase()
  if (allZones.length === 0) allZones = Intl.supportedValuesOf('timeZone')
  return allZones.filter((zone) => zone.toLowerCase().startsWith(start))
}
