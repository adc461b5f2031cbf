import { parseBytes, parseDuration } from '../lib/sizes.ts'
import { isIpRange } from '../lib/ip-range.ts'
import { RackError } from './error.ts'

/** A setting of a rack that is changed while it runs. */
export interface Parameter {
  name: ParameterName
  value: string
  isDefault: boolean
  meaning: string
}

interface Rule {
  fallback: string
  meaning: string
  /** What it has to be, or null when it is. */
  refuse(value: string): string | null
}

const leastLogBytes = 2 ** 20
const leastLogAgeMs = 3_600_000
const leastBuildMs = 60_000
const mostBuildMs = 7 * 86_400_000

const rules = {
  'logs.size': {
    fallback: '20M',
    meaning: 'how much log is kept of each process type of an app',
    refuse: (value) =>
      (parseBytes(value) ?? 0) >= leastLogBytes ? null : 'a size from 1M on, such as 50M or 2G',
  },
  'logs.age': {
    fallback: 'any',
    meaning: 'how old a log may become; any keeps by size alone',
    refuse: (value) =>
      value === 'any' || (parseDuration(value) ?? 0) >= leastLogAgeMs
        ? null
        : 'a duration from 1h on, such as 36h or 30d, or any',
  },
  'builds.deadline': {
    fallback: '1h',
    meaning: 'how long a build may take once it has its turn',
    refuse: (value) => {
      const ms = parseDuration(value) ?? 0
      return ms >= leastBuildMs && ms <= mostBuildMs ? null : 'a duration from 1m to 7d, such as 30m or 4h'
    },
  },
  'shares.bind': {
    fallback: '0.0.0.0',
    meaning: 'the address on which other racks come in to what is shared with them',
    refuse: (value) => (isIpRange(value) && !value.includes('/') ? null : 'an address, such as 0.0.0.0'),
  },
  'shares.port': {
    fallback: '7443',
    meaning: 'the port of that; it is closed as long as nothing is shared',
    refuse: (value) =>
      /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
        ? null
        : 'a port from 1 to 65535',
  },
} satisfies Record<string, Rule>

export type ParameterName = keyof typeof rules

export const parameterNames = Object.keys(rules) as ParameterName[]

/** @throws not-found for a name that is none; invalid for a value that it cannot have */
export function checkParameter(name: string, value: string): ParameterName {
  const known = parameterNames.find((each) => each === name)
  if (!known) {
    throw new RackError('not-found', `no parameter "${name}"`, {
      hint: `There are ${parameterNames.join(', ')}.`,
    })
  }
  const reason = rules[known].refuse(value)
  if (reason !== null) throw new RackError('invalid', `${name}: "${value}" is not ${reason}`)
  return known
}

/** A parameter with the value that was set, or the one that it has by itself. */
export function parameterOf(name: ParameterName, set: string | null): Parameter {
  const { fallback, meaning } = rules[name]
  return { name, value: set ?? fallback, isDefault: set === null || set === fallback, meaning }
}

/** How much log is kept, of each process type. */
export interface LogBudget {
  bytes: number
  /** Null keeps by size alone. */
  ageMs: number | null
}

/** What the two parameters say together; null is what was never set. */
export function logBudgetOf(size: string | null, age: string | null): LogBudget {
  const bytes = parseBytes(parameterOf('logs.size', size).value) ?? leastLogBytes
  return { bytes, ageMs: parseDuration(parameterOf('logs.age', age).value) }
}

/** How long a build may take, by the parameter; null is what was never set. */
export function buildDeadlineOf(set: string | null): number {
  return parseDuration(parameterOf('builds.deadline', set).value) ?? leastBuildMs
}
