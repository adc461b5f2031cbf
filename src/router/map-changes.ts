import { RackError } from '../domain/error.ts'

/** Commands that bring a map of a running HAProxy to these entries; keys and values are words. @throws internal where one is none */
export function mapCommands(
  path: string,
  wanted: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
): string[] {
  refuseOthers(wanted)
  const changed = Array.from(wanted).filter(([key, value]) => known.get(key) !== value)
  return [
    ...changed.map(([key, value]) => `${known.has(key) ? 'set' : 'add'} map ${path} ${key} ${value}`),
    ...[...known.keys()].filter((key) => !wanted.has(key)).map((key) => `del map ${path} ${key}`),
  ]
}

/** A map as HAProxy reads it at its start. @throws internal where a key or a value is no word */
export function renderMap(entries: ReadonlyMap<string, string>): string {
  refuseOthers(entries)
  return Array.from(entries, ([key, value]) => `${key} ${value}\n`).join('')
}

/** A blank or the end of a line in one would be another entry, or another command. */
function refuseOthers(entries: ReadonlyMap<string, string>): void {
  for (const word of [...entries].flat())
    if (!/^\S+$/.test(word)) throw new RackError('internal', `${JSON.stringify(word)} is no word of a map`)
}
