import type { Pricing } from '@aws-sdk/client-pricing'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Estimate, EstimateLine } from '../../domain/estimate.ts'
import { abortable, DeadlineError, startDeadline } from '../../lib/deadline.ts'
import { mapBounded } from '../../lib/semaphore.ts'
import { findPrice, placeOf, type Billed, type Price, type PricePlace } from './price-list.ts'

export interface Quantity {
  of: Billed
  count: number
}

export interface EstimateInput {
  region: string
  quantities: readonly Quantity[]
  /** Whose prices are asked, and no quantity is known. */
  byUse: readonly Billed[]
  now: Date
  /** How long the price list may take; ten seconds when absent. */
  deadlineMs?: number
}

/** As AWS's own calculator counts a month. */
const hoursAMonth = 730
const atOnce = 3
/** Whoever hears of prices waits for what they are told of. */
const usualDeadlineMs = 10_000

/**
 * Prices quantities by what the price list says now. Where it does not answer in time, or answers what nobody can read,
 * the quantities stand alone: nothing is known from memory.
 */
export async function estimateMonth(
  prices: Pricing,
  { region, quantities, byUse, now, deadlineMs = usualDeadlineMs }: EstimateInput,
  control: Pick<Control, 'signal'>,
): Promise<Estimate> {
  const wanted = new Set([...quantities.map(({ of }) => of), ...byUse])
  using deadline = startDeadline({ deadlineMs, what: 'its answer', signal: control.signal })
  const asked = await readPrices(prices, region, [...wanted], deadline)
  control.signal.throwIfAborted()
  const lines = quantities.map((quantity) => lineOf(quantity, asked.found.get(quantity.of) ?? null))
  const known = [...asked.found.values()].filter((price) => price !== null)
  const currencies = new Set(known.map(({ currency }) => currency))
  const monthly = lines.flatMap((line) => (line.monthly === null ? [] : [line.monthly]))
  return {
    region,
    currency: known[0]?.currency ?? null,
    read: now.toISOString().slice(0, 10),
    published:
      known
        .flatMap(({ published }) => published ?? [])
        .toSorted()
        .at(-1)
        ?.slice(0, 10) ?? null,
    lines,
    byUse: byUse.map((of) => {
      const { text, per } = placeOf(of)
      return { of, text, per, price: asked.found.get(of)?.amount ?? null }
    }),
    monthly: currencies.size === 1 ? monthly.reduce((sum, each) => sum + each, 0) : null,
    missing: asked.why,
  }
}

function lineOf({ of, count }: Quantity, price: Price | null): EstimateLine {
  const { text, per } = placeOf(of)
  const each = price?.amount ?? null
  return {
    of,
    count,
    text,
    per,
    price: each,
    monthly: each === null ? null : each * count * (per === 'hour' ? hoursAMonth : 1),
  }
}

interface ReadPrices {
  found: Map<Billed, Price | null>
  why: string | null
}

async function readPrices(
  prices: Pricing,
  region: string,
  wanted: Billed[],
  control: Pick<Control, 'signal'>,
): Promise<ReadPrices> {
  const priceOf = async (of: Billed): Promise<[Billed, Price | null]> => {
    const place = placeOf(of)
    return [of, findPrice(await listProducts(prices, place, region, control), place)]
  }
  try {
    const found = await abortable(mapBounded(wanted, atOnce, priceOf), control.signal)
    const without = found.flatMap(([of, price]) => (price === null ? [placeOf(of).text] : []))
    const why = without.length === 0 ? null : `the price list names none for: ${without.join(', ')}`
    return { found: new Map(found), why }
  } catch (error) {
    const isKnown =
      error instanceof RackError || error instanceof SyntaxError || error instanceof DeadlineError
    if (!isKnown) throw error
    return { found: new Map(), why: `the price list could not be read: ${error.message}` }
  }
}

async function listProducts(
  prices: Pricing,
  { service, attributes, isGlobal }: PricePlace,
  region: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const wanted = isGlobal ? attributes : { ...attributes, regionCode: region }
  const filters = Object.entries(wanted).map(([Field, Value]) => ({
    Type: 'TERM_MATCH' as const,
    Field,
    Value,
  }))
  const found: string[] = []
  let token: string | undefined
  do {
    const page = await prices.getProducts(
      { ServiceCode: service, Filters: filters, FormatVersion: 'aws_v1', ...(token && { NextToken: token }) },
      { abortSignal: signal },
    )
    // The SDK's own type of a text is one that holds JSON.
    found.push(...(page.PriceList ?? []).map(String))
    token = page.NextToken
  } while (token)
  return found
}
