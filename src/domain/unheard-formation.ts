import { formatBytes } from '../lib/sizes.ts'
import type { Formation, ProcessType } from './manifest.ts'

type Formed = Pick<ProcessType, 'name' | 'formation'>

/** What a file says of a type's copies, cpu and memory that no promote changes. */
export interface UnheardFormation {
  type: string
  /** A sentence, with what to type. */
  text: string
}

const shown: { [Key in keyof Formation]: (value: number) => string } = {
  count: (count) => `${count} ${count === 1 ? 'copy' : 'copies'}`,
  cpuUnits: (units) => `${units} cpu units`,
  memoryBytes: formatBytes,
}
const keys = Object.keys(shown) as (keyof Formation)[]

/**
 * After the first deploy a scale owns copies, cpu and memory: where the file says something else than the rack has. With
 * `before`, what an earlier file said already is left out.
 */
export function unheardFormation(
  types: Formed[],
  owned: Record<string, Formation>,
  before: Formed[] | null = null,
): UnheardFormation[] {
  return types.flatMap(({ name, formation }) => {
    const has = Object.hasOwn(owned, name) ? owned[name] : undefined
    const was = before?.find((type) => type.name === name)?.formation
    if (!has || (before && !was)) return []
    const unheard = keys.filter((key) => formation[key] !== has[key] && formation[key] !== was?.[key])
    if (unheard.length === 0) return []
    const said = unheard.map((key) => `${shown[key](formation[key])} where it has ${shown[key](has[key])}`)
    const text =
      `${name}: the file says ${said.join(' and ')}, which rack scale owns since the first deploy: ` +
      `rack scale ${name} --from-file takes the file's`
    return [{ type: name, text }]
  })
}
