/** Commands that bring a map of a running HAProxy to these entries; keys and values are words. */
export function mapCommands(
  path: string,
  wanted: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
): string[] {
  const changed = Array.from(wanted).filter(([key, value]) => known.get(key) !== value)
  return [
    ...changed.map(([key, value]) => `${known.has(key) ? 'set' : 'add'} map ${path} ${key} ${value}`),
    ...[...known.keys()].filter((key) => !wanted.has(key)).map((key) => `del map ${path} ${key}`),
  ]
}

/** A map as HAProxy reads it at its start. */
export function renderMap(entries: ReadonlyMap<string, string>): string {
  return Array.from(entries, ([key, value]) => `${key} ${value}\n`).join('')
}
