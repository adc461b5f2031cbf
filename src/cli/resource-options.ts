import { RackError } from '../domain/error.ts'
import { parseBytes } from '../lib/sizes.ts'

/** What `--cpu` says. @throws usage */
export function cpuOf(text: string | undefined): { cpuUnits?: number } {
  if (text === undefined) return {}
  if (/^\d{1,7}$/.test(text)) return { cpuUnits: Number(text) }
  throw new RackError('usage', `--cpu: "${text}" is not a whole number of units`, {
    hint: '1024 units are a core.',
  })
}

/** What `--memory` says. @throws usage */
export function memoryOf(text: string | undefined): { memoryBytes?: number } {
  if (text === undefined) return {}
  const memoryBytes = parseBytes(text)
  if (memoryBytes !== null) return { memoryBytes }
  throw new RackError('usage', `--memory: "${text}" is not a size`, { hint: 'Such as 256m or 1g.' })
}
