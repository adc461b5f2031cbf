import { RackError } from '../domain/error.ts'

type QueryValue = string | number | boolean | null | undefined

/** The parts of a request before they are bytes. */
export interface AnyInput {
  params?: Record<string, string>
  query?: Record<string, QueryValue | readonly QueryValue[]>
  body?: unknown
  content?: AsyncIterable<Uint8Array>
}

/**
 * Fills a path in and appends the query; lists repeat their key.
 * @throws invalid for an empty parameter, or one that a URL would take for a step up
 */
export function requestUrl(base: string, path: string, { params, query }: AnyInput): URL {
  const filled = path.replace(/:(\w+)/g, (_whole, name: string) => {
    const value = params?.[name] ?? ''
    if (value === '' || value === '.' || value === '..') {
      throw new RackError('invalid', `"${value}" cannot name the ${name}`)
    }
    return encodeURIComponent(value)
  })
  const url = new URL(parseBase(base) + filled)
  for (const [name, value] of Object.entries(query ?? {})) {
    const values: readonly QueryValue[] = Array.isArray(value) ? value : [value as QueryValue]
    for (const one of values)
      if (one !== undefined && one !== null) url.searchParams.append(name, String(one))
  }
  return url
}

function parseBase(base: string): string {
  const url = URL.parse(base)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new RackError('usage', `"${base}" is not the address of a rack`, {
      hint: 'It looks like https://rack.example.com, or unix:/var/lib/rack/rack/api.sock on its own machine',
    })
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}
