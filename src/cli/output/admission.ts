import type { Admission } from '../../domain/admission.ts'
import type { Told } from '../../domain/rack.ts'
import { describeResources, describeUnplaced } from '../../domain/describe-resources.ts'
import { addResources, noResources } from '../../domain/rack.ts'

/** The arithmetic of admission: what it needs, what is free, who holds the rest. */
export function describeAdmission(admission: Told<Admission>): string {
  const { fits, needs, free, short, total, demands, holders, unplaced } = admission
  const lines = [
    fits ? 'It fits.' : 'It does not fit.',
    ...demands.map(
      ({ type, each, peak, held }) =>
        `  ${type}: ${peak} × (${describeResources(each)}) at the busiest moment, ${held} held already`,
    ),
    `needs ${describeResources(needs)} more; free ${describeResources(free)} of ${describeResources(total)}`,
  ]
  if (fits) return `${lines.join('\n')}\n`
  const largest = holders.slice(0, 8).map(({ app, type, count, each }) => {
    return `  ${app}/${type} ×${count}: ${describeResources(addResources(noResources, each, count))}`
  })
  const why = unplaced.length > 0 ? describeUnplaced(unplaced) : [`short of ${describeResources(short)}`]
  const last = `${why.at(-1)}; held by`
  return `${[...lines, ...why.slice(0, -1), last, ...largest].join('\n')}\n`
}
