/** What a registry asks for by `WWW-Authenticate`. */
export type Challenge =
  | { scheme: 'basic' }
  | { scheme: 'bearer'; realm: string; service: string | null; scope: string | null }

/** Null for a way that nobody here knows. @see https://distribution.github.io/distribution/spec/auth/token/ */
export function readChallenge(header: string): Challenge | null {
  const [, scheme = '', rest = ''] = /^\s*(\w+)\s*(.*)$/s.exec(header) ?? []
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' }
  if (scheme.toLowerCase() !== 'bearer') return null
  const found = new Map<string, string>()
  for (const [, name, quoted, bare] of rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) {
    found.set(name!.toLowerCase(), quoted ?? bare ?? '')
  }
  const realm = found.get('realm')
  if (!realm) return null
  return { scheme: 'bearer', realm, service: found.get('service') ?? null, scope: found.get('scope') ?? null }
}
