/** The shortest limit of all types: a user of MySQL. */
const longestName = 32

/**
 * What the data and the user of a link are called. An app's name has no `_`, so no two links meet; a long name is cut,
 * and told apart by a sum of the whole.
 * @param version of the credential: each has a user of its own
 */
export function loginNames(
  link: { app: string; alias: string },
  version: number,
): { data: string; username: string } {
  const name = `${link.app}_${link.alias}`
  const suffix = `_v${version}`
  return { data: shorten(name, longestName), username: shorten(name, longestName - suffix.length) + suffix }
}

/** Whether a user is called as those of links are. That of a person may be, too: `my_report_v1`. */
export function isLinkUser(username: string): boolean {
  return /^[^_]*_.+_v\d+$/.test(username)
}

function shorten(name: string, length: number): string {
  if (name.length <= length) return name
  const sum = sumOf(name)
  return `${name.slice(0, length - sum.length - 1)}_${sum}`
}

/** FNV-1a in 53 bits that a number holds exactly: it tells names apart and keeps no secret. */
function sumOf(text: string): string {
  let [high, low] = [0x811c9dc5, 0xcbf29ce4]
  for (let at = 0; at < text.length; at++) {
    high = Math.imul(high ^ text.charCodeAt(at), 0x01000193)
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000197)
  }
  return (high >>> 0).toString(36) + (low >>> 0).toString(36).slice(0, 4)
}
