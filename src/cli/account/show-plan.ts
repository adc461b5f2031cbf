import type { Caller } from '../../account/caller.ts'
import { estimateSource, priceText, type Estimate, type EstimateLine } from '../../domain/estimate.ts'
import { formatTable } from '../output/table.ts'

/** All that an installation would make. */
export interface AccountPlan {
  caller: Caller
  stacks: { name: string; resources: { id: string; type: string }[] }[]
  estimate: Estimate
  /** Why it is not known whether the caller may do all of it; null where it is. */
  unknownPermissions: string | null
}

/** The plan as text. */
export function describePlan(plan: AccountPlan): string {
  const stacks = plan.stacks.map(({ name, resources }) => {
    const columns = [
      { heading: name, value: ({ id }: { id: string }) => `  ${id}` },
      { heading: '', value: ({ type }: { type: string }) => type },
    ]
    return `${formatTable(columns, resources)}\n`
  })
  return `${stacks.join('')}${describeEstimate(plan.estimate)}`
}

/** Quantities, and what they cost a month where that is known. */
function describeEstimate({ lines, monthly, currency, ...estimate }: Estimate): string {
  const columns = [
    { heading: 'BILLED FOR BEING THERE', value: ({ text }: EstimateLine) => text },
    { heading: 'COUNT', value: ({ count }: EstimateLine) => count, align: 'right' as const },
    {
      heading: 'PRICE',
      value: ({ price, per }: EstimateLine) => (price === null ? null : priceText(price, per)),
      align: 'right' as const,
    },
    {
      heading: 'A MONTH',
      value: (line: EstimateLine) => (line.monthly === null ? null : line.monthly.toFixed(2)),
      align: 'right' as const,
    },
  ]
  return [
    formatTable(columns, lines),
    ...(monthly === null ? [] : [`together ${monthly.toFixed(2)} ${currency} in 730 hours\n`]),
    `${estimateSource({ monthly, ...estimate })}\n`,
    `${describeUse({ currency, ...estimate })}\n`,
  ].join('')
}

function describeUse({ byUse, currency }: Pick<Estimate, 'byUse' | 'currency'>): string {
  const known = byUse.flatMap(({ text, per, price }) =>
    price === null ? [] : [`a ${text} ${priceText(price, per)}`],
  )
  const prices = known.length === 0 ? '' : ` (${currency}: ${known.join(', ')})`
  return `billed by use, and not counted here: processes${prices}; requests, files, logs, builds, images, traffic`
}
