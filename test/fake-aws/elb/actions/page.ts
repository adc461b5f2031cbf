import { AwsError } from '../../fake-service.ts'

/** An answer holds so many at most, though AWS allows more: paging is on purpose. */
const mostOnPage = 10

/**
 * A page of what is there, in the order in which it was made. A marker is the last one's serial, so that what is made
 * or removed between two pages leads to none being told twice.
 */
export function pageOf<Item extends { serial: number }>(
  items: Iterable<Item>,
  { Marker, PageSize = 400 }: { Marker?: string; PageSize?: number },
): { page: Item[]; NextMarker?: string } {
  if (PageSize < 1 || PageSize > 400)
    throw new AwsError('ValidationError', 'PageSize must be between 1 and 400')
  if (Marker !== undefined && !/^\d+$/.test(Marker)) throw new AwsError('ValidationError', 'Invalid marker')
  const left = [...items]
    .filter(({ serial }) => serial > Number(Marker ?? 0))
    .sort((a, b) => a.serial - b.serial)
  const page = left.slice(0, Math.min(PageSize, mostOnPage))
  return left.length > page.length ? { page, NextMarker: String(page.at(-1)!.serial) } : { page }
}
