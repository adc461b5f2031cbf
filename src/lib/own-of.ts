/** What a record has itself under a name: a name may be `constructor`, which every object seems to have. */
export function ownOf<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
