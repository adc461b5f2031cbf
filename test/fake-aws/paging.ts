import { AwsError } from './fake-service.ts'

/** One page of a listing; its token holds the key of the last one given, so that what comes and goes between pages moves nothing. */
export function paged<T>(
  items: T[],
  token: string | undefined,
  {
    pageSize,
    key,
    error = 'InvalidParameterException',
  }: { pageSize: number; key: (item: T) => string; error?: string },
): { page: T[]; next?: string } {
  const sorted = items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const after = token === undefined ? undefined : decoded(token, error)
  const rest = after === undefined ? sorted : sorted.filter((item) => key(item) > after)
  const page = rest.slice(0, pageSize)
  return page.length < rest.length ? { page, next: encoded(key(page.at(-1)!)) } : { page }
}

const encoded = (key: string) => Buffer.from(`after:${key}`).toString('base64url')

function decoded(token: string, error: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith('after:')) throw new AwsError(error, 'the token is not one of ours')
  return text.slice('after:'.length)
}
