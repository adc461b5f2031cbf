/** As much of XML as the SDK's requests and AWS's answers use: elements, attributes, text, the five entities. */
export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
  text: string
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

const plain = (text: string) =>
  text.replaceAll(/&(#x?[\da-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16))
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)))
    return entities[name] ?? whole
  })

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, plain(value!)]),
  )
}

/** @throws Error where the text is no XML */
export function parseXml(source: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const text = source.replace(/^\uFEFF?<\?xml.*?\?>/s, '').replaceAll(/<!--.*?-->/gs, '')
  let at = 0
  for (const match of text.matchAll(/<(\/?)([\w:.-]+)((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>/g)) {
    const current = open.at(-1)!
    current.text += plain(text.slice(at, match.index))
    at = match.index + match[0].length
    const [, closing, name, attributes, empty] = match as unknown as [string, string, string, string, string]
    if (closing) {
      if (open.length === 1 || current.name !== name) throw new Error(`</${name}> closes nothing`)
      open.pop()
      continue
    }
    const element: Element = { name, attributes: attributesOf(attributes), children: [], text: '' }
    current.children.push(element)
    if (!empty) open.push(element)
  }
  if (open.length > 1 || root.children.length !== 1 || text.slice(at).trim() !== '')
    throw new Error('no whole XML document')
  return root.children[0]!
}
