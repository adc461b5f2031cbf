/** What to know where a rack has another version than this command line; null where it is the same. */
export function versionRemark(rack: string, own: string): string | null {
  const order = compareVersions(rack, own)
  if (order === 0) return null
  if (order < 0)
    return `note: the rack is older (${rack}) than this command line (${own}): update it, or it lacks some commands`
  return `note: the rack is newer (${rack}) than this command line (${own}): update this to have all of its commands`
}

/** Negative where the first is older. Of what follows the three numbers nothing is older than something. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number))
  for (const at of [0, 1, 2]) {
    const difference = (a?.[at] || 0) - (b?.[at] || 0)
    if (difference !== 0) return difference
  }
  if (one === other) return 0
  return one < other ? -1 : 1
}
