/** One block of PEM, with its ends of lines. */
export function pemBlock(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----\n(?:[A-Za-z0-9+/=]+\n)+-----END \1-----\n/y

/** The labels of the blocks that a text is made of; null where there is anything besides. */
export function pemLabels(text: string): string[] | null {
  const labels: string[] = []
  const next = new RegExp(block)
  for (let at = 0; at < text.length; at = next.lastIndex) {
    next.lastIndex = at
    const label = next.exec(text)?.[1]
    if (label === undefined) return null
    labels.push(label)
  }
  return labels
}
