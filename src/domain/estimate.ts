export interface EstimateLine {
  /** What is priced, by a name of ours. */
  of: string
  count: number
  text: string
  per: 'hour' | 'month'
  /** Of one of it; null where the price list did not say. */
  price: number | null
  /** Of all of it, for 730 hours. */
  monthly: number | null
}

/** What things cost a month by the list prices of a Region. */
export interface Estimate {
  region: string
  /** Null where no price is known. */
  currency: string | null
  /** When the prices were read: an ISO date. */
  read: string
  /** When they were published, as the newest of the lists says. */
  published: string | null
  lines: EstimateLine[]
  /** Of what is billed by how much of it is used, for one. */
  byUse: Pick<EstimateLine, 'of' | 'text' | 'per' | 'price'>[]
  /** Of the lines that have a price; null where none has. */
  monthly: number | null
  /** Why prices are missing; null where none is. */
  missing: string | null
}

/** An estimate as one sentence. Pure. */
export function estimateText(estimate: Estimate): string {
  const { lines, monthly, currency } = estimate
  const source = estimateSource(estimate)
  if (monthly === null) return source
  const known = lines.flatMap(({ count, text, per, price }) =>
    price === null ? [] : [`${count === 1 ? '' : `${count} × `}${text} ${priceText(price, per)}`],
  )
  return `${known.join(', ')}, together ${monthly.toFixed(2)} ${currency} in 730 hours (${source})`
}

/** Which prices it stands on, and what is missing. Pure. */
export function estimateSource({
  region,
  read,
  published,
  missing,
  monthly,
}: Pick<Estimate, 'region' | 'read' | 'published' | 'missing' | 'monthly'>): string {
  const lacks = missing === null ? '' : `; ${missing}`
  if (monthly === null) return `no estimate, quantities alone${lacks}`
  const of = published === null ? '' : `, published ${published}`
  return `an estimate: list prices of ${region} on ${read}${of}, without tax, discounts, free tier, traffic${lacks}`
}

/** As exact as the price list is. Pure. */
export function priceText(price: number, per: EstimateLine['per']): string {
  return `${Number(price.toFixed(10))} ${per === 'hour' ? 'an hour' : 'a month'}`
}
