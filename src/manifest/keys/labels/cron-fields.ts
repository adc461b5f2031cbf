/** One of the five fields of a schedule. */
interface Field {
  /** As in `is not a minute`. */
  name: string
  min: number
  max: number
  /** Names of the numbers from `min` on. */
  names: string[]
  /** What it takes beyond numbers; each match becomes the text that croner reads. */
  special?: RegExp
}

/** Something wrong with a part of a schedule; the message goes after the part. */
export interface Fault {
  part: string
  message: string
  hint: string
}

/** What a field says: every moment (`*`), a step of all of them, or numbers and days like `L`. */
export interface FieldReading {
  isAny: boolean
  /** The step of a field that says nothing else: what it means stays so when clocks are changed. */
  every: number | null
  numbers: number[]
  specials: string[]
  /** Numbers of the AWS dialect that count from another day than cron's. */
  notes: Fault[]
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** Minute, hour, day, month, weekday: in their order. */
export const cronFields: Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of the month', min: 1, max: 31, names: [], special: /^(L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', min: 1, max: 12, names: months },
  { name: 'day of the week', min: 0, max: 7, names: weekdays, special: /^([A-Z]{3}|\d)(#[1-5]|L)$/ },
]

/** More items than a field has numbers. */
const mostItems = 60
const longestField = 200

/**
 * Reads one field.
 * @param isAws counts numeric weekdays from 1, a Sunday, where cron counts from 0
 */
export function readField(text: string, field: Field, isAws: boolean): FieldReading | Fault {
  const items = text.split(',', mostItems + 1)
  if (text.length > longestField || items.length > mostItems) {
    return {
      part: `${text.slice(0, 20)}…`,
      message: `is too long for a ${field.name}`,
      hint: 'write a range, such as 1-5',
    }
  }
  const reading: FieldReading = { isAny: false, every: null, numbers: [], specials: [], notes: [] }
  for (const item of items) {
    const fault = readItem(item.toUpperCase(), { field, isAws, reading })
    if (fault) return { ...fault, part: item }
  }
  if (reading.specials.length > 0 && items.length > 1) {
    const part = items.find((item) => field.special?.test(item.toUpperCase())) ?? text
    return { part, message: 'stands alone in its field', hint: 'write another timer for the other days' }
  }
  const numbers = [...new Set(reading.numbers)].sort((a, b) => a - b)
  const [, step] = /^\*\/(\d+)$/.exec(text) ?? []
  return { ...reading, numbers, every: step === undefined || reading.isAny ? null : Number(step) }
}

interface Reader {
  field: Field
  isAws: boolean
  reading: FieldReading
}

type Complaint = Omit<Fault, 'part'>

/** Adds an item such as `5`, `MON-FRI` or `L` to the reading. */
function readItem(item: string, reader: Reader): Complaint | null {
  const { field, reading } = reader
  if (item === '?' && !isDay(field)) {
    return { message: `stands for a day alone, not for a ${field.name}`, hint: 'write *' }
  }
  if (item === '*' || item === '?' || item === '*/1') reading.isAny = true
  else if (field.special?.test(item)) return readSpecial(item, reader)
  else return readNumbers(item, reader)
  return null
}

const isDay = ({ name }: Field): boolean => name.startsWith('day')

function readSpecial(item: string, reader: Reader): Complaint | null {
  const [, day = '', rest = ''] = /^([A-Z]{3}|\d)(#\d|L)$/.exec(item) ?? []
  if (rest === '' || reader.field.max !== 7) {
    reader.reading.specials.push(item)
    return null
  }
  const number = numberOf(day, reader)
  if (number === null) return notOne(reader)
  reader.reading.specials.push(`${number % 7}${rest}`)
  return null
}

function readNumbers(item: string, reader: Reader): Complaint | null {
  const { field, reading } = reader
  const [, first = '', last, step] = /^(\*|[^-/]+)(?:-([^-/]+))?(?:\/(\d{1,3}))?$/.exec(item) ?? []
  const end = first === '*' || (last === undefined && step !== undefined) ? lastOf(field) : undefined
  const from = first === '*' ? field.min : numberOf(first, reader)
  const to = end ?? (last === undefined ? from : endOf(last, from, reader))
  if (from === null || to === null || (first === '*' && last !== undefined)) return notOne(reader)
  if (from > to) return { message: 'goes backwards', hint: 'write two ranges: FRI-SAT,SUN-MON' }
  const size = step === undefined ? 1 : Number(step)
  const most = lastOf(field) - field.min + 1
  if (size < 1 || size > most)
    return { message: `has a step that is not 1 to ${most}`, hint: 'write */10 for every tenth' }
  for (let number = from; number <= to; number += size)
    reading.numbers.push(field.max === 7 ? number % 7 : number)
  return null
}

/** A Sunday at the end of a range comes after Saturday. */
function endOf(text: string, from: number | null, reader: Reader): number | null {
  const number = numberOf(text, reader)
  return reader.field.max === 7 && number === 0 && from !== null && from > 0 ? 7 : number
}

function numberOf(text: string, { field, isAws, reading }: Reader): number | null {
  const name = field.names.indexOf(text)
  if (name >= 0) return field.min + name
  if (!/^\d{1,2}$/.test(text)) return null
  const number = Number(text)
  if (field.max === 7 && isAws) {
    if (number < 1 || number > 7) return null
    const day = weekdays[number - 1] ?? ''
    reading.notes.push({
      part: text,
      message: `is ${day} beside a \`?\`, as AWS counts the days`,
      hint: `write ${day}`,
    })
    return number - 1
  }
  return number >= field.min && number <= field.max ? number : null
}

/** Sunday is 0 and 7: what repeats ends at Saturday. */
const lastOf = ({ max }: Field): number => (max === 7 ? 6 : max)

function notOne({ field, isAws }: Reader): Complaint {
  const { name, names, min, max } = field
  const range = max === 7 && isAws ? '1 (SUN) to 7 (SAT)' : `${min} to ${max}`
  const named = names.length > 0 ? `, or ${names[0]} to ${names.at(-1)}` : ''
  return { message: `is not ${name === 'hour' ? 'an' : 'a'} ${name}`, hint: `use ${range}${named}` }
}
